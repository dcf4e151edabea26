"""How many images of the evaluation set a network gets right."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from benchmarks.forward_step import inference
from benchmarks.inputs.evaluation import NO_IMAGE, EvaluationImages
from benchmarks.inputs.towers import begun
from benchmarks.scores import hits
from benchmarks.step import StepOptions
from models.network import Network
from variable_mgr.store import Store


class Score(NamedTuple):
    """Numbers of images: seen, with the right class first, and with it among the first five."""

    images: int = 0
    first: int = 0
    among_five: int = 0

    @property
    def top_1(self) -> float:
        """The share with the right class first; 0 of no images."""
        return self.first / self.images if self.images else 0.0

    @property
    def top_5(self) -> float:
        """The share with it among the first five; 0 of no images."""
        return self.among_five / self.images if self.images else 0.0


class Evaluator:
    """Evaluates `network` with the variables of `store` on `towers`, which share the images.

    The variables are copied to every tower, so that all images meet the same: where each tower has its own, moving
    statistics differ.
    """

    def __init__(
        self,
        network: Network,
        store: Store,
        towers: Sequence[str],
        images: EvaluationImages,
        options: StepOptions,
        most_steps: int | None = None,
    ) -> None:
        """An evaluation ends after all images, or after `most_steps` steps."""
        self.images = images
        self._network = network
        self._store = store
        self._towers = towers
        self._options = options
        self._most_steps = most_steps
        self._run = tf.function(self._step, autograph=False)

    def __call__(
        self, on_step: Callable[[Score, float], None] = lambda *_: None, most_steps: int | None = None
    ) -> Score:
        """Evaluate; `on_step` is told the score so far and the seconds of each step.

        `most_steps`, if given, is in place of what it was made with.
        """
        most_steps = most_steps or self._most_steps
        inputs = [
            begun(self.images.dataset(tower=tower, num_towers=len(self._towers))) for tower in range(len(self._towers))
        ]
        score = Score()
        for _ in itertools.count() if most_steps is None else range(most_steps):
            begin = time.perf_counter()
            found = Score(*self._run(*inputs).numpy().tolist())
            if not found.images:
                break
            score = Score(*map(sum, zip(score, found, strict=True)))
            on_step(score, time.perf_counter() - begin)
        return score

    def _step(self, *inputs: Iterator[tuple[tf.Tensor, tf.Tensor]]) -> tf.Tensor:
        """The score of the next batch of every tower, int32 [3]."""
        values = self._store.read()
        scores = [self._tower(device, values, own) for device, own in zip(self._towers, inputs, strict=True)]
        with tf.device("/cpu:0"):
            return tf.add_n(scores)

    def _tower(
        self, device: str, values: Mapping[str, tf.Tensor], own: Iterator[tuple[tf.Tensor, tf.Tensor]]
    ) -> tf.Tensor:
        with tf.device(device):
            images, labels = next(own)
            logits = inference(self._network, self._options, device)(values, images)
            return score_of(logits, labels)


def score_of(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The numbers of a Score, int32 [3], of `logits` [batch, classes]; where labels are NO_IMAGE there is no image."""
    right = tf.cast(hits(logits, labels), tf.int32)
    seen = tf.reduce_sum(tf.cast(tf.not_equal(labels, NO_IMAGE), tf.int32))
    return tf.stack([seen, tf.reduce_sum(right[:, 0]), tf.reduce_sum(right)])
