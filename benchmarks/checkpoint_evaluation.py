"""The run that trains nothing, and evaluates the checkpoints of a training (--eval)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks import tensorboard
from benchmarks.build import build_evaluator, store_to_evaluate
from benchmarks.checkpoints import Checkpoints
from benchmarks.console import Console, total_block
from benchmarks.draft import Draft, placement_facts
from benchmarks.errors import UserError
from benchmarks.evaluations import Rows, tell
from benchmarks.evaluator import Evaluator, Score
from benchmarks.measure import Recording
from benchmarks.params.checkpoint_rules import no_checkpoint
from benchmarks.resuming import check_network
from benchmarks.workload import Workload
from variable_mgr.store import Store

_NAP_SECONDS = 0.2  # between two looks at whether the run is to end

Sleep = Callable[[float], None]


def evaluation_batch_size(workload: Workload) -> int:
    """Images per tower and step of an evaluation."""
    return workload.params.eval_batch_size or workload.params.batch_size


class CheckpointEvaluation:
    """Evaluates checkpoints of `workload`, and keeps what it finds in the record of `draft`."""

    def __init__(self, draft: Draft, workload: Workload, console: Console, check: Callable[[], None]) -> None:
        self._draft = draft
        self._workload = workload
        self._console = console
        self._check = check
        self._checkpoints = Checkpoints(str(workload.params.train_dir))
        self._done: list[dict[str, Any]] = []
        self._store, self._evaluator = self._build()
        folder = workload.params.eval_dir
        self._scalars = tf.summary.create_file_writer(str(Path(folder).expanduser())) if folder else None

    @property
    def steps(self) -> int:
        """How many steps an evaluation has."""
        params, examples = self._workload.params, self._evaluator.images.examples
        images = evaluation_batch_size(self._workload) * self._workload.devices.num_towers
        examples = self._workload.source.dataset.evaluation_examples if examples is None else examples
        return params.num_eval_batches or math.ceil(examples / images)

    def warm_up(self, recording: Recording) -> None:
        """Make steps that count for nothing: the first one compiles."""

        def on_step(_: Score, seconds: float) -> None:
            recording.warmup_step_seconds.append(seconds)
            if recording.time_to_first_step_seconds is None:
                recording.time_to_first_step_seconds = recording.clock() - recording.started
            self._check()

        if steps := self._workload.params.num_warmup_batches:
            self._evaluator(on_step, most_steps=steps)

    def run(self, recording: Recording, sleep: Sleep = time.sleep) -> None:
        """Evaluate the latest checkpoint, or with an interval each as it comes, until the training's last."""
        seconds = self._workload.params.eval_interval_secs
        for path in self._as_they_come(seconds, sleep):
            complete = self._evaluate(path, recording)
            if not seconds or (complete and path == self._checkpoints.paths()[-1]):
                return
            self._console.line(total_block(self._done[-1]["images_per_second"]))

    def _build(self) -> tuple[Store, Evaluator]:
        store = store_to_evaluate(self._workload)
        evaluator = build_evaluator(self._workload, store)
        self._draft.sections["placement"] = placement_facts(self._workload.devices.towers, [store])
        return store, evaluator

    def _as_they_come(self, interval: int, sleep: Sleep) -> Iterator[str]:
        """The paths of checkpoints: the latest, or with an interval of so many seconds all, each once, for ever."""
        if not interval:
            yield self._latest()
            return
        seen: set[str] = set()
        told = False
        while True:
            if not (self._checkpoints.paths() or told):
                self._console.line(f"Checkpoint not found in {self._checkpoints.folder}")
                told = True
            for path in self._checkpoints.paths():
                if path not in seen and path in self._checkpoints.paths():  # an evaluation takes long: it may be gone
                    yield path
                seen.add(path)
            self._wait(interval, sleep)

    def _latest(self) -> str:
        if path := self._checkpoints.latest():
            return path
        raise UserError(no_checkpoint(str(self._workload.params.train_dir)))

    def _wait(self, seconds: float, sleep: Sleep) -> None:
        for _ in range(math.ceil(seconds / _NAP_SECONDS)):
            self._check()
            sleep(_NAP_SECONDS)
        self._check()

    def _evaluate(self, path: str, recording: Recording) -> bool:
        """Evaluate the checkpoint `path`; returns whether its training ends with it."""
        facts = self._checkpoints.facts(path)
        check_network(facts, path, self._workload)
        self._checkpoints.read(path, {"network": self._store.variables})
        self._console.line(f"Successfully loaded model from {path}.")
        rows = Rows(self._console, self._workload.params.display_every, self._check)

        def on_step(score: Score, seconds: float) -> None:
            recording.step_seconds.append(seconds)
            rows(score, seconds)

        begin = recording.clock()
        score = self._evaluator(on_step)
        seconds = recording.clock() - begin
        recording.window_seconds += seconds
        recording.images = (recording.images or 0) + score.images
        self._keep(path, facts.steps, score, seconds)
        return facts.complete

    def _keep(self, path: str, step: int, score: Score, seconds: float) -> None:
        """Print what was found, and have it in the record."""
        images = self._evaluator.images
        self._done.append(
            {
                "checkpoint": path,
                "step": step,
                "images": score.images,
                "top_1": score.top_1,
                "top_5": score.top_5,
                "seconds": seconds,
                "images_per_second": score.images / seconds,
            }
        )
        self._draft.sections["evaluation"] = {
            "files": images.files,
            "examples": images.examples,
            "evaluations": list(self._done),
        }
        tell(score, images, self._workload.params.num_eval_batches, self._console)
        if self._scalars:
            with self._scalars.as_default(step):
                tensorboard.scalar("eval/Accuracy@1", score.top_1)
                tensorboard.scalar("eval/Accuracy@5", score.top_5)
            self._scalars.flush()
