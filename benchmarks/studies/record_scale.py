"""`python -m benchmarks.studies.record_scale`: how long thousands of records take to become a frame."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from benchmarks import environment
from benchmarks.params import Params, configuration
from benchmarks.studies import report
from benchmarks.studies.fresh_runs import finish
from benchmarks.studies.pairs import Target
from results.commands import arguments
from results.measurement import Measurement
from results.record import RunRecord, utc_now

DESCRIPTION = """\
Make folders of records with 100 steps each, and turn each folder into a frame, in processes of their own on one core:
from the records themselves, as a report does; and from the digests of which the table and the history are made, first
without a cache, then with the one that this left. Files that were just written are still in the memory of the system;
from a slow disk they take longer. (More than 20,000 records are not held in memory at once.)

10,000 records are to be read within 5 s of processor time: what else runs on the machine does not count.

It takes a minute, and as long again for each further 10,000 (--counts=100000: 2 GB in the temporary folder).
"""
STEPS = 100
MOST_IN_MEMORY = 20_000  # whole records are some 60 kB each
LIMIT_RECORDS, LIMIT = 10_000, Target(5.0, at_most=True)
_RECORDS = """
from results.frame import frame
from results.selection import select
made = frame(select([folder]).records)
"""
_DIGESTS = "from results.digests import select_digests; made = select_digests([folder]).frame()"
WAYS = {"records": _RECORDS, "digests, no cache": _DIGESTS, "digests, cached": _DIGESTS}
_PROGRAM = """
import json, os, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
import pandas
folder, os.environ["XDG_CACHE_HOME"] = sys.argv[1:]
wall, cpu = time.perf_counter(), time.process_time()
{way}
spent = [time.perf_counter() - wall, time.process_time() - cpu]
print(json.dumps([len(made), *spent]))
"""


@dataclasses.dataclass(frozen=True)
class Read:
    """What it took to read `records` records in one `way`; processor and wall seconds, peak memory of the process."""

    way: str
    records: int
    seconds: float
    cpu_seconds: float
    peak_gib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Read every folder in every way, print and save."""
    results: list[Read] = []
    for count in options.counts:
        with tempfile.TemporaryDirectory(prefix="record_scale") as place:
            report.note(f"{count} records")
            make_folder(Path(place) / "runs", count)
            ways = [way for way in WAYS if way != "records" or count <= MOST_IN_MEMORY]
            results += [read(way, Path(place), count) for way in ways]
        report.save(options.output, "record_scale", {"read": [dataclasses.asdict(result) for result in results]})
    report.say(table(results))


def make_folder(folder: Path, count: int) -> None:
    """Write `count` records of this machine with all flags into `folder`, an hour old."""
    folder.mkdir()
    params = Params()
    template = RunRecord(
        status="completed",
        started_at=utc_now(),
        finished_at=utc_now(),
        command_line=("run_benchmark.py",),
        params=vars(params),
        configuration=configuration(params),
        environment=environment.environment(),
        hardware=environment.hardware(),
        measurement=Measurement(batch_size=32, num_towers=1),
    )
    data = json.loads(template.to_json())
    chance = random.Random(0)
    for number in range(count):
        data["record_id"] = uuid.UUID(int=chance.getrandbits(128)).hex
        data["measurement"] |= _measured(chance)
        path = folder / f"{number:06}.json"
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")
        modified = path.stat().st_mtime - 3600
        os.utime(path, (modified, modified))


def read(way: str, place: Path, count: int) -> Read:
    """Read the folder `runs` of `place` in a fresh process on one core; its cache is in `place`."""
    program = _PROGRAM.format(way=WAYS[way])
    ran = finish([sys.executable, "-c", program, str(place / "runs"), str(place)])
    records, seconds, cpu_seconds = json.loads(ran.output.splitlines()[-1])
    assert records == count, f"{records} of {count} records were read"
    return Read(way, count, seconds, cpu_seconds, ran.peak_mib / 1024)


def table(results: Sequence[Read]) -> str:
    """The Markdown table."""
    headings = ["from", "records", "s", "processor s", "peak GiB", "target", ""]
    rows = []
    for result in results:
        target = LIMIT if result.records == LIMIT_RECORDS else None
        cells = [f"{result.records:,}", f"{result.seconds:.2f}", f"{result.cpu_seconds:.2f}", f"{result.peak_gib:.2f}"]
        rows.append([result.way, *cells, report.target_text(target), report.verdict(result.cpu_seconds, target)])
    return report.table(headings, rows)


def _measured(chance: random.Random) -> dict[str, object]:
    steps = [chance.gauss(0.1, 0.001) for _ in range(STEPS)]
    return {
        "step_seconds": steps,
        "losses": [chance.uniform(1, 3) for _ in range(STEPS)],
        "warmup_step_seconds": [chance.gauss(0.1, 0.001) for _ in range(10)],
        "warmup_losses": [chance.uniform(1, 3) for _ in range(10)],
        "window_seconds": sum(steps),
    }


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("record_scale", DESCRIPTION)
    parser.add_argument(
        "--counts",
        type=lambda text: [arguments.count(number) for number in text.split(",")],
        default=[1000, LIMIT_RECORDS],
        metavar="N,...",
        help="records in a folder (default 1000,10000)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
