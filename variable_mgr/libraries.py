"""All-reduce operations that TensorFlow has: NCCL's between GPUs, and the collective."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import tensorflow as tf

from variable_mgr.topology import is_gpu

# Process-wide: two traced functions that used a key for different tensors or devices would disturb one another.
# They start where tf.distribute's own keys, which count from 1 and from 100, do not reach.
_FIRST_KEY = 1 << 20
_instances = itertools.count(_FIRST_KEY)
_groups: dict[tuple[str, ...], int] = {}


class LaunchOrder:
    """The order in which each device launches NCCL through the collective.

    Two devices that launch two of them in different orders would wait for each other for ever. Within one process
    TensorFlow's ring on CPUs and its `NcclAllReduce` see to that by themselves.
    """

    def __init__(self) -> None:
        self._last: dict[str, tf.Operation] = {}

    def after_last(self, device: str) -> list[tf.Operation]:
        """What must have run on `device` before the next launch there."""
        return [self._last[device]] if device in self._last else []

    def launched(self, device: str, operation: tf.Operation) -> None:
        """Note the latest launch on `device`."""
        self._last[device] = operation


def sum_everywhere(
    library: str, tensors: Sequence[tf.Tensor], devices: Sequence[str], subdivisions: int, order: LaunchOrder
) -> list[tf.Tensor]:
    """The sum of `tensors`, each on its device of `devices`, on each of the devices.

    `library` is "nccl" (GPUs of one process) or "collective" (NCCL between GPUs, a ring between CPUs, with
    `subdivisions` rings side by side). Every result must be used: an operation that TensorFlow leaves out would keep
    the others waiting.
    """
    if library == "nccl":
        return _nccl(tensors, devices)
    assert library == "collective", library
    return _collective(tensors, devices, subdivisions, order)


def _nccl(tensors: Sequence[tf.Tensor], devices: Sequence[str]) -> list[tf.Tensor]:
    name = f"all_reduce_{next(_instances)}"  # those of one name take part in one exchange
    sums = []
    for tensor, device in zip(tensors, devices, strict=True):
        with tf.device(device):
            sums.append(
                tf.raw_ops.NcclAllReduce(input=tensor, reduction="sum", num_devices=len(devices), shared_name=name)
            )
    return sums


def _collective(
    tensors: Sequence[tf.Tensor], devices: Sequence[str], subdivisions: int, order: LaunchOrder
) -> list[tf.Tensor]:
    count = len(devices)
    by_nccl = all(map(is_gpu, devices))
    group = _groups.setdefault(tuple(devices), _FIRST_KEY + len(_groups))
    instance = next(_instances)
    sums = []
    for tensor, device in zip(tensors, devices, strict=True):
        # V1: between logical CPU devices of one process, V2 and V3 wait for ever.
        with tf.device(device), tf.control_dependencies(order.after_last(device) if by_nccl else []):
            total = tf.raw_ops.CollectiveReduce(
                input=tensor,
                group_size=count,
                group_key=group,
                instance_key=instance,
                merge_op="Add",
                final_op="Id",
                subdiv_offsets=[index * count // subdivisions for index in range(subdivisions)],
                communication_hint="nccl" if by_nccl else "ring",
            )
        order.launched(device, total.op)
        sums.append(total)
    return sums
