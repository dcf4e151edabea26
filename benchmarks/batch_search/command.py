"""The story of a search, from the command line to the batch and the command that runs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean

from benchmarks.batch_search.search import best, contenders, doubled, largest
from benchmarks.console import Console
from benchmarks.errors import ExitCode, UserError
from benchmarks.inputs.datasets import DATASETS
from benchmarks.memory import MIB, available
from benchmarks.params import CommandLine, Params, notices
from benchmarks.params.data_set import data_name
from benchmarks.params.recorded_flags import written
from benchmarks.params.resolve import images_per_tower
from benchmarks.trials import FITS, SearchEnded, Trial, Trials, command_to_run, length_flags

_NONE_FITS = (
    "No batch fits: one image a tower takes too much memory. TensorFlow alone takes over half a GiB of the machine's. "
    "Give a smaller --model, or a larger --memory_limit_mib."
)
RUNS = 3  # of each batch that may be the fastest: two give no interval worth the name
_SHARE_OF_AVAILABLE = 0.8  # the rest is for what else the machine does
# Steps that show the memory of a run, and those that show its speed; where flags say how long a run is, they hold.
_LENGTHS = {"max": {"num_warmup_batches": 2, "num_batches": 5}, "best": {"num_warmup_batches": 5, "num_batches": 50}}
_ITS_OWN = ("find_batch_size", "memory_limit_mib")


class BatchSearch:
    """A search for the batch size that `command`, with these `arguments`, asks for."""

    def __init__(self, arguments: Sequence[str], command: CommandLine, results_dir: Path, console: Console) -> None:
        params = command.params
        self._command = command
        self._console = console
        self._limit_mib = params.memory_limit_mib or usual_limit()
        limit = written("memory_limit_mib", self._limit_mib)
        lengths = length_flags(command, _LENGTHS[params.find_batch_size])
        self._trials = Trials([*arguments, *lengths, limit], results_dir, self._limit_mib)
        self._made: defaultdict[int, list[Trial]] = defaultdict(list)  # of each batch
        self._count = 0

    def run(self) -> ExitCode:
        """Make the trials, print them as a table, and say which batch to take; returns the exit code."""
        with self._trials.receiving_signals():
            params = self._command.params
            for notice in notices(params, self._command.given):
                self._console.notice(f"WARNING: {notice}")
            if self._command.advice:
                self._console.notice(f"NOTE: {self._command.advice}")
            self._tell_limit(params)
            try:
                found, words = self._largest() if params.find_batch_size == "max" else self._best()
            except SearchEnded as ended:
                self._table()
                self._tell_end(ended)
                return ended.code
            self._table()
            self._console.line(words)
            if not found:
                return ExitCode.FAILED
            self._console.line(command_to_run(self._command, _ITS_OWN, {"batch_size": found}))
            return self._code_of(found)

    def _tell_limit(self, params: Params) -> None:
        why = f"{_SHARE_OF_AVAILABLE:.0%} of what is available now; --memory_limit_mib sets another"
        if params.memory_limit_mib:
            why = "--memory_limit_mib"
        self._console.notice(f"NOTE: a trial may hold {self._limit_mib:,} MiB of the machine's memory ({why}).")

    def _tell_end(self, ended: SearchEnded) -> None:
        """Why the search has no result, and what was found before."""
        self._console.notice(f"run_benchmark.py: {ended}")
        fitting = [batch for batch, trials in self._made.items() if any(trial.outcome == FITS for trial in trials)]
        if fitted := max(fitting, default=0):
            self._console.notice(f"The search ended early: the largest --batch_size known to fit is {fitted}.")

    def _largest(self) -> tuple[int, str]:
        start, bound = self._bounds(images_per_tower(self._command.params))
        low, high = largest(lambda batch: self._try(batch).outcome == FITS, start, bound)
        if not low:
            return 0, _NONE_FITS
        if high > bound:
            return low, f"--batch_size={low} fits. More are not tried: each tower has no more images to train on."
        return low, f"The largest --batch_size found to fit is {low}; {high} does not."

    def _best(self) -> tuple[int, str]:
        start, bound = self._bounds(self._command.params.batch_size or 1)
        first, why = doubled(lambda batch: self._try(batch).images_per_second, start, bound)
        if not first:
            return 0, f"{why}: give a smaller --batch_size to begin with." if start > 1 else _NONE_FITS
        runs = {batch: [speed] for batch, speed in first.items()}
        while wanted := [batch for batch in contenders(runs) if len(runs[batch]) < RUNS]:
            for batch in wanted:  # in turn: neighbours in time share the drift of the machine
                if (speed := self._try(batch).images_per_second) is None:
                    raise SearchEnded(ExitCode.FAILED, f"--batch_size={batch} fitted, and does not any more")
                runs[batch].append(speed)
        speeds = {batch: runs[batch] for batch in contenders(runs)}
        found, fastest = best(speeds)
        words = f"The fastest --batch_size is {found}"
        if found != fastest:
            words = f"The smallest --batch_size that is not measurably slower than the fastest, {fastest}, is {found}"
        return found, f"{words} ({geometric_mean(speeds[found]):,.1f} images/s). No larger one was tried, as {why}."

    def _bounds(self, start: int) -> tuple[int, int]:
        """The batch to begin with, and the largest to try: all training images of the set, over all towers."""
        params = self._command.params
        examples = DATASETS[str(data_name(params))].train_examples
        return start, max(start, examples // params.num_gpus)

    def _try(self, batch: int) -> Trial:
        self._count += 1
        self._console.progress(f"trial {self._count}: --batch_size={batch}")
        trial = self._trials.run([written("batch_size", batch)])
        self._made[batch].append(trial)
        speed = f", {trial.images_per_second:,.1f} images/s" if trial.images_per_second else ""
        told = f"--batch_size={batch}: {trial.outcome}, {trial.peak_bytes / MIB:,.0f} MiB{speed}"
        self._console.notice(f"NOTE: trial {self._count}: {told}")
        return trial

    def _table(self) -> None:
        """The batches that were tried, in order, each over all of its trials."""
        of_batch = self._made
        on_device = any(trial.peak_device_bytes is not None for trials in of_batch.values() for trial in trials)
        if of_batch:
            self._console.line(_row("batch", "trials", "outcome", "peak MiB", "GPU MiB" * on_device, "images/s"))
        for batch in sorted(of_batch):
            trials = of_batch[batch]
            speeds = [trial.images_per_second for trial in trials if trial.images_per_second]
            device = max(trial.peak_device_bytes or 0 for trial in trials)
            self._console.line(
                _row(
                    str(batch),
                    str(len(trials)),
                    " or ".join(dict.fromkeys(trial.outcome for trial in trials)),
                    f"{max(trial.peak_bytes for trial in trials) / MIB:,.0f}",
                    f"{device / MIB:,.0f}" * on_device,
                    f"{geometric_mean(speeds):,.1f}" if speeds else "-",
                )
            )

    def _code_of(self, batch: int) -> ExitCode:
        """Whether what the trials of `batch` computed was right."""
        code = max(trial.code for trial in self._made[batch] if trial.outcome == FITS)
        if code:
            self._console.notice(f"run_benchmark.py: INVALID: a trial of --batch_size={batch} computed something wrong")
        return ExitCode(code)


def _row(batch: str, trials: str, outcome: str, peak: str, device: str, speed: str) -> str:
    of_device = f"{device:>12}" if device else ""
    return f"{batch:>10}{trials:>8}  {outcome:<14}{peak:>10}{of_device}{speed:>14}"


def usual_limit() -> int:
    """MiB that a trial may take where no flag says so. Raises UserError."""
    free = available()
    if free is None:
        raise UserError(
            "--find_batch_size: how much memory is free is not known, as the system does not tell. Say with "
            "--memory_limit_mib how much a trial may take."
        )
    return max(1, int(_SHARE_OF_AVAILABLE * free / MIB))
