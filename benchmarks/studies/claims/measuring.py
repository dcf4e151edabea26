"""Measuring a way: one run in a fresh process, whose record is kept, or one program of the study's own."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.errors import ExitCode, UserError
from benchmarks.studies.claims.claim import Measured, Way
from benchmarks.studies.fresh_runs import ONE_PROCESS, finish
from results import store
from results.record import RunRecord

USABLE = (ExitCode.VALID, ExitCode.INVALID)  # of a run with doubts: what it measured is for the pairs to settle


class WayError(UserError):
    """A way could not be measured. The message says what was run and what it said."""


@dataclass(frozen=True)
class Measuring:
    """Where records go, what is added to the flags of every run, and after how many seconds a process is ended."""

    results_dir: Path
    more_flags: tuple[str, ...] = ()
    limit_seconds: float | None = None
    program: Sequence[str] = ONE_PROCESS
    _prepared: set[tuple[str, ...]] = field(default_factory=set, init=False)

    def measure(self, way: Way) -> Measured:
        """Measure `way` once. Raises WayError."""
        try:
            self._prepare(way.prepared_by)
            return self._program(way) if way.program else self._run(way)
        except WayError:
            raise
        except UserError as error:
            raise WayError(str(error)) from error

    def _prepare(self, program: tuple[str, ...]) -> None:
        if program and program not in self._prepared:
            finish([sys.executable, *program], limit_seconds=self.limit_seconds)
            self._prepared.add(program)

    def _run(self, way: Way) -> Measured:
        flags = [*way.flags, *self.more_flags]
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, *self.program, *flags, f"--results_dir={folder}"]
            finished = finish(command, hide_gpus=False, usable=USABLE, limit_seconds=self.limit_seconds)
            records, _ = store.load(folder)
        if len(records) != 1 or records[0].status != "completed":
            raise WayError(f"run_benchmark.py {' '.join(flags)} left no record of a whole run")
        (record,) = records
        store.write(record, self.results_dir)
        if record.steady_images_per_second is None:
            raise WayError(f"run_benchmark.py {' '.join(flags)} measured no speed")
        return Measured(record.steady_images_per_second, {"peak_mib": finished.peak_mib, **doubts(record)}, record)

    def _program(self, way: Way) -> Measured:
        command = [sys.executable, *way.program]
        said = finish(command, hide_gpus=False, limit_seconds=self.limit_seconds).output.strip()
        try:
            told = json.loads(said.splitlines()[-1])
            figure, facts = float(told["figure"]), dict(told["facts"])
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise WayError(f"{' '.join(command)} ended without a line of JSON with figure and facts") from error
        if not (math.isfinite(figure) and figure > 0):
            raise WayError(f"{' '.join(command)} measured {figure}")
        return Measured(figure, facts)


def doubts(record: RunRecord) -> dict[str, list[str]]:
    """What was found wrong with a run, for who reads its figure."""
    return {"problems": list(record.problems)} if record.problems else {}
