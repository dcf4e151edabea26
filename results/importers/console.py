"""What tf_cnn_benchmarks (TCB) prints, in any version of it, and `run_benchmark.py` after it.

A header block, a table of steps and the total, between whatever TensorFlow logs. Some archives took the indentation
away or appended the time in seconds since 1970 to each row. A log may hold several runs, one after the other.
"""

import re
from collections.abc import Iterable

from results.importers.devices import Devices
from results.importers.failure import Failure
from results.importers.figures import finite, moment, number
from results.importers.header import Header
from results.importers.run import Run
from results.importers.source import LogError
from results.reported import ReportedRow

MOST_RUNS, MOST_ROWS = 10_000, 1_000_000  # of one log: a few hundred MiB
SIGNATURE = re.compile(
    r"TensorFlow:  \d|Step\tImg/sec\t|\s*\d+\timages/sec: |total images/sec: "
    r"|.{0,300}tf_cnn_benchmarks\.py\", line |.{0,300}tf_cnn_benchmarks\.py: "
)
_BEGIN = re.compile(r"\s*TensorFlow:\s+\d")
_ROW = re.compile(
    r"\s*(\d{1,15})\s+images/sec: (\S{1,40})(?: \+/- (\S{1,40}) \(jitter = (\S{1,40})\))?"  # step, speed, spread
    r"(?:\s+(\S{1,40}))?(?:\s+([\d.]{1,12})\s+([\d.]{1,12}))??"  # loss; top 1 and 5
    r"(?:\s+(\d{9,11}(?:\.\d{1,9})?))?$"  # when
)
_EVALUATION_ROW = re.compile(r"\s*(\d{1,15})\t([\d.]{1,40}) examples/sec$")
_TOTAL = re.compile(r"\s*total images/sec:\s*(\S{1,40})$")
_ACCURACY = re.compile(r"\s*Accuracy @ 1 = ([\d.]{1,20}) Accuracy @ 5 = ([\d.]{1,20}) \[")
_OURS = re.compile(r"Record: .*\.json$|run_benchmark\.py: ")


def read(lines: Iterable[str]) -> list[Run]:
    """Return the runs of a log, in its order. Raise LogError where it has more than memory should hold."""
    found, rows = [_Log(Devices())], 0
    for line in lines:
        if _BEGIN.match(line) and found[-1].begun:
            rows += found[-1].num_rows
            if len(found) >= MOST_RUNS or rows > MOST_ROWS:
                raise LogError(f"more than {MOST_RUNS:,} runs or {MOST_ROWS:,} rows in one log; cut it into several")
            found.append(_Log(found[-1].next_devices))
        found[-1].see(line)
    return [log.run() for log in found]


class _Log:
    """Collects one run out of the lines of a log."""

    def __init__(self, devices: Devices) -> None:
        self.next_devices = devices  # of the run that follows, once this one has its total
        self._devices = devices
        self._header = Header()
        self._failure = Failure()
        self._run = Run(tool="tf_cnn_benchmarks")
        self._totals: list[str] = []
        self._num_totals = 0

    @property
    def begun(self) -> bool:
        """Whether the header's first line was there already."""
        return bool(self._header.values)

    @property
    def num_rows(self) -> int:
        """How many rows are kept."""
        return len(self._run.rows)

    def see(self, line: str) -> None:
        """Take notice of one line."""
        self.next_devices.see(line)
        if "/sec" in line and self._figures(line):
            return
        if _OURS.match(line):
            self._run.tool = "run_benchmark.py"
        elif line.startswith("Done with training"):
            self._run.complete = True
        elif match := _ACCURACY.match(line):
            step = self._run.rows[-1].step + 1 if self._run.rows else 1
            self._run.add_row(ReportedRow(step=step, top_1=finite(match[1]), top_5=finite(match[2])))
        self._header.see(line)
        self._failure.see(line)

    def run(self) -> Run:
        """Return the run, after its last line."""
        run = self._run
        self._header.describe(run)
        run.hardware = {"gpus": gpus} if (gpus := self._devices.gpus()) else {}
        if self._totals:
            run.images_per_second = finite(self._totals[0])
            run.complete = run.images_per_second is not None and run.images_per_second >= 0
        if not run.complete:
            run.images_per_second = None
            run.message = f"total images/sec: {self._totals[0]}" if self._totals else self._failure.message()
        if self._num_totals > 1:
            run.problems.append(f"{self._num_totals} totals in one run: the output of several processes is mixed up")
        timed = [row.unix_seconds for row in run.rows if row.unix_seconds is not None]
        if timed:
            run.started, run.finished = min(timed), max(timed)
            run.provenance["times"] = "of the first and the last row; the log does not date the start of the process"
        if run.rows and run.complete:
            run.uncertainty = next((row.uncertainty for row in reversed(run.rows) if row.uncertainty is not None), None)
        return run

    def _figures(self, line: str) -> bool:
        if self._run.full and "images/sec: " in line and "total" not in line:
            self._run.add_row(None)
            return True
        if match := _ROW.match(line):
            self._run.add_row(_row(match))
        elif match := _EVALUATION_ROW.match(line):
            self._run.add_row(ReportedRow(step=int(match[1]), images_per_second=finite(match[2])))
        elif match := _TOTAL.match(line):
            self._num_totals += 1
            self._totals = self._totals or [match[1]]
            if self.next_devices is self._devices:
                self.next_devices = Devices()
        return match is not None


def _row(match: re.Match[str]) -> ReportedRow:
    return ReportedRow(
        step=int(match[1]),
        images_per_second=finite(match[2]),
        uncertainty=finite(match[3]),
        jitter=finite(match[4]),
        loss=number(match[5]),
        top_1=finite(match[6]),
        top_5=finite(match[7]),
        unix_seconds=moment(match[8]),
    )
