"""Lines for people and for the scripts that parse tf_cnn_benchmarks' output. Computes nothing.

The lines on stdout keep their wording, spaces and tabs to the letter: scripts depend on them.
No other line, on either stream, may contain "images/sec"; nothing may follow the last dashed line.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # measure needs NumPy, for which help and errors must not wait
    from benchmarks.measure import Outcome, Recording, Speed

RULE = "-" * 64
_COLUMNS = 80  # of a terminal that does not tell
DONE = "Done with training"  # the last line of a run that paused its training to evaluate


@dataclass(frozen=True)
class Header:
    """What the header block says of a run; the strings are printed as they are.

    `sync` is for runs of several processes: whether the workers make a step together. `horovod_on` is the device that
    Horovod was told to add up on, if it was.
    """

    tensorflow: str
    model: str
    dataset: str
    batch_size: int
    num_towers: int
    num_batches: int
    num_epochs: float
    devices: Sequence[str]
    data_format: str
    optimizer: str
    variables: str
    all_reduce: str | None
    sync: bool | None = None
    horovod_on: str = ""
    mode: str = "training"
    numa: bool = False

    def lines(self) -> list[str]:
        """The block, a line each; the value column is 13 wide."""
        major, minor = self.tensorflow.split(".")[:2]
        lines = [
            f"TensorFlow:  {major}.{minor}",
            f"Model:       {self.model}",
            f"Dataset:     {self.dataset}",
            f"Mode:        {self.mode}",
            f"SingleSess:  {self.variables == 'distributed_all_reduce'}",
            f"Batch size:  {self.batch_size * self.num_towers} global",
            f"             {self.batch_size} per device",
        ]
        lines += [
            f"Num batches: {self.num_batches}",
            f"Num epochs:  {self.num_epochs:.2f}",
            f"Devices:     {list(self.devices)}",
            f"NUMA bind:   {self.numa}",
            f"Data format: {self.data_format}",
            f"Optimizer:   {self.optimizer}",
            f"Variables:   {self.variables}",
        ]
        if self.variables in ("replicated", "distributed_all_reduce", "collective_all_reduce"):
            lines.append(f"AllReduce:   {self.all_reduce}")
        if self.sync is not None:
            lines.append(f"Sync:        {self.sync}")
        if self.horovod_on:
            lines.append(f"Horovod on:  {self.horovod_on}")
        return [*lines, "=========="]


def table_head(loss_name: str, accuracy: bool) -> str:
    """The head of the step table."""
    return f"Step\tImg/sec\t{loss_name}" + ("\ttop_1_accuracy\ttop_5_accuracy" if accuracy else "")


def step_row(step: int, speed: Speed, outcome: Outcome) -> str:
    """One row of the step table."""
    row = f"{step}\timages/sec: {speed.mean:.1f} +/- {speed.uncertainty:.1f} (jitter = {speed.jitter:.1f})"
    row += f"\t{outcome.loss:.3f}"
    return row if outcome.top_1 is None else f"{row}\t{outcome.top_1:.3f}\t{outcome.top_5:.3f}"


def evaluation_row(step: int, examples_per_second: float) -> str:
    """How fast a step of an evaluation was."""
    return f"{step}\t{examples_per_second:.1f} examples/sec"


def accuracy_line(top_1: float, top_5: float, images: int) -> str:
    """What an evaluation of `images` images found; the accuracies are shares of them."""
    return f"Accuracy @ 1 = {top_1:.4f} Accuracy @ 5 = {top_5:.4f} [{images} examples]"


def total_block(images_per_second: float) -> str:
    """The last three lines of a run."""
    return f"{RULE}\ntotal images/sec: {images_per_second:.2f}\n{RULE}"


class Console:
    """Lines for scripts on `out` (stdout); on `err` (stderr) notices, and progress in place if it is a terminal."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._progress = 0  # lines that are shown

    def write_to(self, descriptor: int) -> None:
        """Write lines to `descriptor` from now on, in place of stdout's own, which others may have."""
        self._out.flush()
        self._out = open(descriptor, "w", encoding=self._out.encoding, errors=self._out.errors)  # noqa: SIM115

    def line(self, text: str) -> None:
        """A line of the contract, on stdout, at once."""
        self._clear()
        print(text, file=self._out, flush=True)

    def answer(self, text: str) -> None:
        """All that was asked for, such as the help; its reader (head, a pager) may have seen enough before its end."""
        try:
            self.line(text)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())  # else Python complains at its end

    def notice(self, text: str) -> None:
        """A line for people, on stderr."""
        self._clear()
        print(text, file=self._err, flush=True)

    @property
    def watched(self) -> bool:
        """Whether a person can see a progress line."""
        return self._err.isatty()

    @property
    def columns(self) -> int:
        """The width of the terminal on which progress is shown."""
        try:
            return os.get_terminal_size(self._err.fileno()).columns or _COLUMNS
        except (OSError, ValueError):  # it is none, or no file
            return _COLUMNS

    def progress(self, text: str) -> None:
        """Replace the progress line, or lines; nothing where stderr is no terminal."""
        if self.watched:
            self._err.write(f"{self._erased()}{text}")
            self._err.flush()
            self._progress = text.count("\n") + 1

    def _clear(self) -> None:
        if self._progress:
            self._err.write(self._erased())
            self._err.flush()
            self._progress = 0

    def _erased(self) -> str:
        """What takes the progress away and leaves the cursor where it began."""
        return "\r\x1b[K" + "\x1b[A\x1b[K" * (self._progress - 1)


class Narrator:
    """Tells the run as it goes: the step table on stdout, and progress in words where a person watches."""

    def __init__(self, console: Console, warmup: int, steps: int, display_every: int, ewma: float | None) -> None:
        self._console = console
        self._warmup = warmup
        self._steps = steps
        self._display_every = display_every
        self._ewma = ewma
        self._warned = False

    def warm_up(self, recording: Recording) -> None:
        """After a step of the warm-up."""
        done = len(recording.warmup_step_seconds)
        self._warn_once(recording.warmup_outcomes[-1], f"warm-up step {done - self._warmup - 1}")
        self._console.progress(f"warm-up {done}/{self._warmup}")

    def step(self, recording: Recording) -> None:
        """After a measured step."""
        done = len(recording.step_seconds)
        self._warn_once(recording.outcomes[-1], f"step {done}")
        if done == 1 or done % self._display_every == 0:
            self._console.line(step_row(done, recording.speed(self._ewma), recording.outcomes[-1]))
        if self._console.watched:
            mean_seconds = recording.window_seconds / done
            left = mean_seconds * (self._steps - done)
            speed = recording.images_per_step / mean_seconds
            self._console.progress(f"step {done}/{self._steps}, {speed:.1f} images a second, {left:.0f} s left")

    def _warn_once(self, outcome: Outcome, where: str) -> None:
        if not self._warned and not math.isfinite(outcome.loss):
            self._warned = True
            self._console.notice(
                f"WARNING: the loss is {outcome.loss} at {where}: this run will be invalid. A lower "
                "--init_learning_rate may help; --allow_nonfinite_loss accepts it."
            )
