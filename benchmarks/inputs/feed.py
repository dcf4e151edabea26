"""Input that Python hands to each step as NumPy arrays, as TensorFlow 1's feed_dict did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf


class Feed:
    """The batches of `dataset` as a tower's input: arrays, which each step is called with.

    While the step is traced it stands for the arguments that the arrays will be.
    """

    def __init__(self, dataset: tf.data.Dataset) -> None:
        self._batches = dataset.as_numpy_iterator()
        self.specs: Sequence[tf.TensorSpec] = dataset.element_spec
        self._arguments: tuple[tf.Tensor, tf.Tensor] | None = None

    def __call__(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The images and labels of a step that is being traced."""
        assert self._arguments is not None, "arguments are bound first"
        return self._arguments

    def bind(self, arguments: tuple[tf.Tensor, tf.Tensor]) -> None:
        """Let `arguments` of the step that is traced be its images and labels."""
        self._arguments = arguments

    def arrays(self) -> Sequence[Any]:
        """Images and labels of the next step, as NumPy arrays. Raises OutOfRangeError, as a step does, at their end."""
        for batch in self._batches:
            images_and_labels: Sequence[Any] = batch
            return images_and_labels
        raise tf.errors.OutOfRangeError(None, None, "End of sequence [[IteratorGetNext]]")


class Compiled(Protocol):
    """A step as one TensorFlow function."""

    @property
    def graph(self) -> tf.Graph:
        """Its graph."""

    def __call__(self) -> tf.Tensor:
        """Run it."""


class Fed:
    """The TensorFlow function `run`, which each call feeds the next batches of `feeds`."""

    def __init__(self, run: Any, feeds: Sequence[Feed]) -> None:
        self._run = run
        self._feeds = feeds
        self.graph: tf.Graph = run.graph

    def __call__(self) -> tf.Tensor:
        """Run it on the next batches."""
        with tf.device("/cpu:0"):  # the step copies each tower's arrays to its own device
            arguments = [tf.convert_to_tensor(array) for feed in self._feeds for array in feed.arrays()]
        return self._run(*arguments)


def compiled(step: Callable[[], tf.Tensor], inputs: Sequence[Callable[..., Any]]) -> Compiled:
    """`step`, which calls `inputs`, as one TensorFlow function; a call feeds it those of them that are feeds."""
    feeds = [each for each in inputs if isinstance(each, Feed)]

    def fed(*arguments: tf.Tensor) -> tf.Tensor:
        for index, feed in enumerate(feeds):
            feed.bind((arguments[2 * index], arguments[2 * index + 1]))
        return step()

    run = tf.function(fed, autograph=False).get_concrete_function(*(spec for feed in feeds for spec in feed.specs))
    return Fed(run, feeds) if feeds else run
