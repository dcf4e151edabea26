"""Measuring a way: one run in a fresh process, whose record is kept, or one program of the study's own."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.errors import ExitCode, UserError
from benchmarks.studies.claims.budget import Budget, BudgetSpentError
from benchmarks.studies.claims.claim import Measured, Preparation, Way
from benchmarks.studies.fresh_runs import ONE_PROCESS, Finished, TimeLimitError, finish
from results import store
from results.record import RunRecord

STUCK_SECONDS = 3600.0  # a process that takes longer is taken for stuck
USABLE = (ExitCode.VALID, ExitCode.INVALID)  # of a run with doubts: what it measured is for the pairs to settle


class WayError(UserError):
    """A way could not be measured. The message says what was run and what it said."""


@dataclass(frozen=True)
class Measuring:
    """Where records go, what is added to the flags of every run, and in what time all of them are to be done.

    `program`: what is run with flags. A process that takes longer than `limit_seconds` is ended. `work`: the folder for
    what is there for a moment, if not where the system has such files.
    """

    results_dir: Path
    more_flags: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    program: Sequence[str] = ONE_PROCESS
    limit_seconds: float = STUCK_SECONDS
    work: Path | None = None

    def prepare(self, files: Preparation) -> None:
        """Make `files`. Raises WayError where that fails, and BudgetSpentError."""
        self._finish(files.program, hide_gpus=True)

    def measure(self, way: Way) -> Measured:
        """Measure `way` once, whose files are made. Raises WayError where that fails, and BudgetSpentError."""
        return self._program(way) if way.program else self._run(way)

    def _finish(self, words: Sequence[str], *, hide_gpus: bool = False, usable: Collection[int] = (0,)) -> Finished:
        """What Python comes to with `words`. Raises WayError where that is nothing, and BudgetSpentError."""
        left = self.budget.left
        if left <= 0:
            raise BudgetSpentError
        limit = min(left, self.limit_seconds)
        try:
            return finish(
                [sys.executable, *words],
                hide_gpus=hide_gpus,
                usable=usable,
                limit_seconds=limit,
                with_this_process=True,
            )
        except TimeLimitError as error:
            if left < self.limit_seconds:
                raise BudgetSpentError from error
            raise WayError(str(error)) from error
        except UserError as error:
            raise WayError(str(error)) from error

    def _run(self, way: Way) -> Measured:
        flags = [*way.flags, *self.more_flags]
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            finished = self._finish([*self.program, *flags, f"--results_dir={folder}"], usable=USABLE)
            records, _ = store.load(folder)
        if len(records) != 1 or records[0].status != "completed":
            raise WayError(f"run_benchmark.py {' '.join(flags)} left no record of a whole run")
        (record,) = records
        store.write(record, self.results_dir)
        if record.steady_images_per_second is None:
            raise WayError(f"run_benchmark.py {' '.join(flags)} measured no speed")
        return Measured(record.steady_images_per_second, {"peak_mib": finished.peak_mib, **doubts(record)}, record)

    def _program(self, way: Way) -> Measured:
        said = self._finish(way.program).output.strip()
        try:
            told = json.loads(said.splitlines()[-1])
            figure, facts = float(told["figure"]), dict(told["facts"])
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise WayError(f"{' '.join(way.program)} ended without a line of JSON with figure and facts") from error
        if not (math.isfinite(figure) and figure > 0):
            raise WayError(f"{' '.join(way.program)} measured {figure}")
        return Measured(figure, facts)


def doubts(record: RunRecord) -> dict[str, list[str]]:
    """What was found wrong with a run, for who reads its figure."""
    return {"problems": list(record.problems)} if record.problems else {}
