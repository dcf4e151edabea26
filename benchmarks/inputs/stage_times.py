"""How fast an input pipeline is up to the end of each of its stages."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

_WARM_UP_SECONDS = 0.5  # in which buffers fill and AUTOTUNE finds its numbers of threads
_SECONDS = 1.0


@dataclass(frozen=True)
class StageTime:
    """One stage of a pipeline that stages run in side by side.

    `images_per_second` is the speed of the pipeline that ends with the stage; `added_seconds_per_image` is the time
    that an image takes in it, less what it takes in the pipeline without the stage. Where the stage keeps up with those
    before it that is 0, or as far below 0 as the measurement is uncertain.
    """

    name: str
    images_per_second: float
    added_seconds_per_image: float

    def __str__(self) -> str:
        added = f"{1e6 * self.added_seconds_per_image:+,.1f} µs an image"
        return f"up to {self.name}: {self.images_per_second:,.1f} images a second ({added})"

    def facts(self) -> dict[str, Any]:
        """What a record keeps."""
        return dataclasses.asdict(self)


def measure_stages(
    stages: Mapping[str, tf.data.Dataset],
    batch_size: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    check: Callable[[], None] = lambda: None,
) -> list[StageTime]:
    """Run each of `stages`, endless pipelines of single images or of batches of `batch_size`, for a second.

    `check` is called where it is safe to end, and raises if something asks for that.
    """
    times: list[StageTime] = []
    before = 0.0
    for name, dataset in stages.items():
        check()
        seconds = _seconds_per_batch(dataset, 1 if _has_batches(dataset, batch_size) else batch_size, clock)
        seconds /= batch_size
        times.append(StageTime(name, 1 / seconds, seconds - before))
        before = seconds
    return times


def _has_batches(dataset: tf.data.Dataset, batch_size: int) -> bool:
    """Whether the elements have labels, or records, for a whole batch rather than one."""
    smallest = min((spec.shape.as_list() for spec in tf.nest.flatten(dataset.element_spec)), key=len)
    return bool(smallest) and smallest[0] == batch_size


def _seconds_per_batch(dataset: tf.data.Dataset, elements: int, clock: Callable[[], float]) -> float:
    """The time that `dataset` takes for a batch, of so many `elements`, once it runs."""
    iterator = iter(dataset)

    def batch() -> tf.Tensor:
        def one(count: tf.Tensor) -> tuple[tf.Tensor]:
            with tf.control_dependencies(tf.nest.flatten(next(iterator))):
                return (count + 1,)

        return tf.while_loop(lambda count: count < elements, one, (tf.constant(0),))[0]

    run = tf.function(batch, autograph=False)
    _repeat(run, _WARM_UP_SECONDS, clock)
    return _repeat(run, _SECONDS, clock)


def _repeat(batch: Callable[[], tf.Tensor], seconds: float, clock: Callable[[], float]) -> float:
    """Seconds of one `batch`: the mean of as many as `seconds` take, and of one at least."""
    begin, count = clock(), 0
    while not count or clock() - begin < seconds:
        batch().numpy()
        count += 1
    return (clock() - begin) / count
