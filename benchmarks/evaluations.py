"""The evaluations of a run that pauses its training for them, and the time that it took to an accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.console import Console, accuracy_line, evaluation_row
from benchmarks.draft import Draft
from benchmarks.evaluator import Evaluator, Score
from benchmarks.inputs.evaluation import EvaluationImages
from benchmarks.measure import Recording


class Evaluation(NamedTuple):
    """One evaluation after measured step `step`; accuracies are shares of the `images` that were seen.

    `training_seconds` are those of all steps until then, the warm-up's included; `wall_seconds` go from the beginning
    of the first step to the end of this evaluation, and so include those before it. Where the training was resumed,
    they count what earlier processes took until their last checkpoint.
    """

    step: int
    epoch: float
    images: int
    top_1: float
    top_5: float
    seconds: float
    training_seconds: float
    wall_seconds: float


class Rows:
    """Tells how far an evaluation is after every `display_every` steps of it, and ends the run where `check` does."""

    def __init__(self, console: Console, display_every: int, check: Callable[[], None]) -> None:
        self._console = console
        self._display_every = display_every
        self._check = check
        self._steps = 0
        self._before = Score()

    def __call__(self, score: Score, seconds: float) -> None:
        """After a step that took `seconds`; `score` is that of all so far."""
        self._steps += 1
        if self._steps % self._display_every == 0:
            self._console.line(evaluation_row(self._steps, (score.images - self._before.images) / seconds))
        self._before = score
        self._check()


def tell(score: Score, images: EvaluationImages, num_eval_batches: int | None, console: Console) -> None:
    """The accuracies, and how many of the `images` are in none of them, where all were to be."""
    console.line(accuracy_line(score.top_1, score.top_5, score.images))
    left_out = (images.examples or 0) - score.images
    if num_eval_batches is None and left_out > 0:
        console.notice(f"WARNING: {left_out} evaluation images could not be decoded.")


class Evaluations:
    """The pauses after each of the steps `points` to evaluate by `evaluator`; the accuracy asked for ends the training.

    What was found stands in the record of `draft` at once.
    """

    def __init__(
        self,
        draft: Draft,
        evaluator: Evaluator,
        points: Sequence[int],
        console: Console,
        check: Callable[[], None],
    ) -> None:
        self._draft = draft
        self._evaluator = evaluator
        self._points = frozenset(points)
        self._last = max(points)
        self._console = console
        self._check = check
        self._target = draft.params.stop_at_top_1_accuracy
        self._done: list[Evaluation] = []
        self._keep()

    def due(self, recording: Recording) -> bool:
        """Whether the latest step is one of the points."""
        return self._step(recording) in self._points

    def __call__(self, recording: Recording) -> bool:
        """Evaluate; returns whether the accuracy asked for is reached."""
        self._evaluate(recording)
        if self._reached:
            self._console.line(f"Stopping, as eval accuracy at least {self._target} was reached")
        elif self._done[-1].step != self._last:
            self._console.line("Resuming training")
        elif self._target is not None:
            best = max(each.top_1 for each in self._done)
            self._console.notice(f"NOTE: --stop_at_top_1_accuracy={self._target} was not reached: at best {best:.4f}.")
        return self._reached

    @property
    def _reached(self) -> bool:
        return self._target is not None and bool(self._done) and self._done[-1].top_1 >= self._target

    def _step(self, recording: Recording) -> int:
        """The number of the latest step, as the table of a training without an interruption has it."""
        return recording.steps_of_training - (self._draft.params.num_warmup_batches or 0)

    def _evaluate(self, recording: Recording) -> None:
        step = self._step(recording)
        running = "final evaluation" if step == self._last else "evaluation"
        self._console.line(f"Running {running} at global_step {step}")
        begin = recording.clock()
        score = self._evaluator(Rows(self._console, self._draft.params.display_every, self._check))
        self._done.append(self._evaluation(recording, score, begin, recording.clock()))
        self._keep()
        tell(score, self._evaluator.images, self._draft.params.num_eval_batches, self._console)

    def _evaluation(self, recording: Recording, score: Score, begin: float, end: float) -> Evaluation:
        params, step = self._draft.params, self._step(recording)
        assert params.num_epochs, "the parameters are resolved"
        assert params.num_batches, "the parameters are resolved"
        return Evaluation(
            step=step,
            epoch=step * params.num_epochs / params.num_batches,
            images=score.images,
            top_1=score.top_1,
            top_5=score.top_5,
            seconds=end - begin,
            training_seconds=recording.training_seconds,
            wall_seconds=recording.earlier.wall_seconds + end - recording.training_began,
        )

    def _keep(self) -> None:
        reached = self._done[-1] if self._reached else None
        self._draft.sections["evaluation"] = {
            "files": self._evaluator.images.files,
            "examples": self._evaluator.images.examples,
            "evaluations": [each._asdict() for each in self._done],
            "target_top_1": self._target,
            "time_to_accuracy": reached
            and {"training_seconds": reached.training_seconds, "wall_seconds": reached.wall_seconds},
        }
