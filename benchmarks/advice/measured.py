"""Candidates measured: short runs in fresh processes, in turn, so that all share the drift of the machine."""

from __future__ import annotations

import signal
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.advice.candidates import Candidate
from benchmarks.children import start_python
from benchmarks.errors import ExitCode, UserError
from results import store
from results.durations import about
from results.statistics.between_runs import Interval, interval
from results.statistics.two_sides import LEVEL

_PROGRAM = Path(__file__).resolve().parents[2] / "run_benchmark.py"
_END_SECONDS = 20.0  # for a run that was told to end: it does so after its step
_MESSAGE_LINES = 12


class Case(NamedTuple):
    """A candidate on a number of devices."""

    devices: int
    candidate: Candidate


class RunFailedError(Exception):
    """A run left no figure; says which, and its last words."""


class Runs:
    """Runs of run_benchmark.py with `flags`, whose records go to `results_dir`, marked as trials of one set."""

    def __init__(self, flags: Sequence[str], results_dir: Path) -> None:
        self._flags = list(flags)
        self._results_dir = results_dir
        self._set = uuid.uuid4().hex[:16]
        self._count = 0

    def measure(self, case: Case) -> float:
        """Images/sec of one run of `case`, of its steady steps. Raise UserError for flags, RunFailedError for a run."""
        self._count += 1
        own = ["--advised", f"--trial_set={self._set}", f"--trial_number={self._count}"]
        flags = [*self._flags, *case.candidate.flags, f"--num_gpus={case.devices}", *own]
        known = set(self._results_dir.glob("*.json"))
        code, words = _finish([*flags, f"--results_dir={self._results_dir}"])
        left = store.readable(set(self._results_dir.glob("*.json")) - known)
        record = next((each for each in left if each.trial.get("set") == self._set), None)
        if code == ExitCode.VALID and record is not None and record.steady_images_per_second:
            return record.steady_images_per_second
        own_words = [line for line in words.splitlines() if line.startswith(f"{_PROGRAM.name}: ")]
        told = "\n".join(own_words or words.splitlines()[-_MESSAGE_LINES:])
        asked = f"the run of {case.candidate} on {case.devices} device(s)"
        message = f"{asked} ended with exit code {code} (--candidates leaves it out):\n{told}"
        raise UserError(message) if code == ExitCode.UNUSABLE else RunFailedError(message)


class InterruptedRunsError(Exception):
    """Ctrl-C, and what was measured until then: `runs`, a figure of each case a round."""

    def __init__(self, runs: dict[Case, list[float]]) -> None:
        super().__init__("interrupted")
        self.runs = runs


def interleaved(
    measure: Callable[[Case], float],
    cases: Sequence[Case],
    rounds: int,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> dict[Case, list[float]]:
    """Measure each of `cases` once a round, in turn: a figure of each a round. `tell` how long it will take, too.

    Raise InterruptedRunsError where Ctrl-C ends it.
    """
    found: dict[Case, list[float]] = {case: [] for case in cases}
    began = clock()
    try:
        for number in range(1, rounds + 1):
            for case in cases:
                found[case].append(measure(case))
                told = f"{case.candidate}, {case.devices} devices: {found[case][-1]:,.1f} images/s"
                tell(f"round {number} of {rounds}: {told}")
                left = len(cases) * rounds - 1
                if left and number == 1 and case == cases[0]:
                    tell(
                        f"NOTE: {left} more runs, in all about {about(left * (clock() - began))}. Ctrl-C ends them "
                        "and tells what was found."
                    )
    except KeyboardInterrupt as interrupt:
        raise InterruptedRunsError(found) from interrupt
    return found


def whole_rounds(runs: Mapping[Case, Sequence[float]]) -> dict[Case, list[float]]:
    """The figures of the rounds in which all were measured; of the first alone, of those that were."""
    known = {case: list(speeds) for case, speeds in runs.items() if speeds}
    most = min(map(len, known.values()), default=0)
    return {case: speeds[:most] for case, speeds in known.items()}


class Ranked(NamedTuple):
    """A candidate by its runs: their geometric mean, with its 95 % `interval`, None of one run.

    `share` is what it has of the fastest's, round by round; `bounds` are those of the share, None of one round.
    """

    candidate: Candidate
    images_per_second: float
    interval: Interval | None
    share: float
    bounds: tuple[float, float] | None

    @property
    def slower(self) -> bool:
        """Whether the rounds show it to be slower than the fastest."""
        return self.bounds is not None and self.bounds[1] < 1


def ranked(runs: dict[Candidate, list[float]]) -> list[Ranked]:
    """Candidates by their runs on one number of devices, a figure a round, the fastest first.

    The runs of a round share the drift of the machine, so the fastest's are held against those of the same round; the
    level of confidence is raised for as many comparisons (Bonferroni).
    """
    means = {candidate: statistics.geometric_mean(speeds) for candidate, speeds in runs.items()}
    first, *_ = order = sorted(runs, key=lambda each: -means[each])
    level = 1 - (1 - LEVEL) / max(1, len(runs) - 1)
    found = []
    for candidate in order:
        shares = [own / best for own, best in zip(runs[candidate], runs[first], strict=True)]
        known = interval(shares, level) if candidate != first else None
        bounds = (known.low, known.high) if known else None
        found.append(
            Ranked(candidate, means[candidate], interval(runs[candidate]), means[candidate] / means[first], bounds)
        )
    return found


def _finish(flags: Sequence[str]) -> tuple[int, str]:
    """Run run_benchmark.py with `flags` to its end: its exit code, and what it said on stderr."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = start_python([str(_PROGRAM), *flags], stdout=subprocess.DEVNULL, stderr=said)
        try:
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        said.seek(0)
        return code, said.read()


def _end(process: subprocess.Popen[str]) -> None:
    """Ask `process` to end, and kill it if it does not end in time."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
