"""Copies of tensors from device to device, as a step makes them, one after another and timed."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from benchmarks.topology.speed import CopyError, Way
from variable_mgr.topology import is_gpu

SIZES = (2**12, 2**16, 2**20, 2**23, 2**25, 2**26)  # bytes
_LARGE = 2**20  # bytes above which few copies take long enough to be timed
# Copies of a call, from which those of a call with one copy are taken off; calls, of which the median counts.
_SMALL_COPIES, _SMALL_CALLS = 33, 11
_LARGE_COPIES, _LARGE_CALLS = 9, 3
_NUMBER_BYTES = 4  # of a float32


class Copies:
    """Copies along `ways` at once; along each, a copy begins when the one before has arrived.

    A way from a device to itself is a copy within its memory. Host memory is what TensorFlow allocates for such
    tensors, pinned or not. See `prepare`.
    """

    def __init__(self, *ways: Way, clock: Callable[[], float] = time.perf_counter) -> None:
        self._ways = ways
        self._clock = clock
        self._calls: dict[int, Callable[..., tf.Tensor]] = {}

    def seconds(self, nbytes: int) -> float:
        """Seconds of one copy of `nbytes` along each way: those of many, less what a call takes with one.

        Where calls differ by more than copies take, that is noise, and can be below 0: see `speed.duration`. A call
        ends when a number of the last copy of each way is back at the host. Raises CopyError.
        """
        small = nbytes <= _LARGE
        copies, calls = (_SMALL_COPIES, _SMALL_CALLS) if small else (_LARGE_COPIES, _LARGE_CALLS)
        try:
            sent = [_numbers(source, nbytes) for source, _ in self._ways]
            return (self._timed(copies, calls, sent) - self._timed(1, calls, sent)) / (copies - 1)
        except tf.errors.OpError as error:
            raise CopyError(reason(error)) from error

    def _timed(self, copies: int, calls: int, sent: Sequence[tf.Tensor]) -> float:
        """The median seconds of so many calls with `copies` each, after one call that is not counted."""
        if copies not in self._calls:
            self._calls[copies] = _concrete(lambda *sent: self._call(copies, sent), len(self._ways))
        call = self._calls[copies]
        call(*sent).numpy()
        seconds = []
        for _ in range(calls):
            begin = self._clock()
            call(*sent).numpy()
            seconds.append(self._clock() - begin)
        return statistics.median(seconds)

    def _call(self, copies: int, sent: Sequence[tf.Tensor]) -> tf.Tensor:
        ends = []
        for (source, target), tensor in zip(self._ways, sent, strict=True):
            arrived = _copy(tensor, source, target)
            for _ in range(copies - 1):
                arrived = _copy(tensor, source, target, after=arrived)
            with tf.device(target):
                ends.append(arrived[:1])
        with tf.device("/cpu:0"):
            return tf.concat(ends, 0)


def prepare() -> None:
    """Let TensorFlow do what it is asked for in this process, or fail: no copy left out, or made on another device."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.set_soft_device_placement(False)


def moves_bytes(source: str, target: str) -> bool:
    """Whether a copy moves bytes: between CPU devices TensorFlow may hand the buffer over, whose address then stays.

    Raises CopyError.
    """
    if is_gpu(source) or is_gpu(target):
        return True
    try:
        sent = _numbers(source, SIZES[0])
        return _address(sent) != _address(_concrete(lambda sent: _copy(sent, source, target), 1)(sent))
    except tf.errors.OpError as error:
        raise CopyError(reason(error)) from error


def reason(error: tf.errors.OpError) -> str:
    """What went wrong in TensorFlow, in a line."""
    return (str(error.message).strip().splitlines() or [type(error).__name__])[0]


def _copy(tensor: tf.Tensor, source: str, target: str, after: tf.Tensor | None = None) -> tf.Tensor:
    """A copy of `tensor`, which is on `source`, on `target`, begun once `after` is there."""
    with tf.device(source), tf.control_dependencies([] if after is None else [after]):
        if source == target:
            return tf.raw_ops.DeepCopy(x=tensor)
        sent = tf.identity(tensor)  # the same buffer under a name of its own: what has one name is sent but once
    with tf.device(target):
        return tf.identity(sent)


def _numbers(device: str, nbytes: int) -> tf.Tensor:
    with tf.device(device):
        return tf.identity(_made_up(nbytes))


@functools.cache
def _made_up(nbytes: int) -> tf.Tensor:
    """Numbers on the host, made once: no page of them is empty."""
    with tf.device("/cpu:0"):
        return tf.random.stateless_uniform([nbytes // _NUMBER_BYTES], seed=[1, 2])


def _concrete(function: Callable[..., tf.Tensor], tensors: int) -> Callable[..., tf.Tensor]:
    """`function` of so many tensors of any length, traced once."""
    shapes = [tf.TensorSpec([None], tf.float32)] * tensors
    concrete: Callable[..., tf.Tensor] = tf.function(
        function, input_signature=shapes, autograph=False
    ).get_concrete_function()
    return concrete


def _address(tensor: tf.Tensor) -> int:
    """Where the numbers of a tensor on the CPU are: `numpy()` would copy them."""
    address: int = np.frombuffer(memoryview(tensor), np.uint8).__array_interface__["data"][0]
    return address
