"""What to tell the user of an exception that ended a run: one message, with the way out where there is one."""

from __future__ import annotations

import re

import tensorflow as tf

from benchmarks.checkpoints import SavingError
from benchmarks.errors import UserError
from benchmarks.inputs import record_errors
from benchmarks.memory import says_out_of_memory
from benchmarks.params import Params
from benchmarks.params.data_set import data_name
from benchmarks.placed_graph import short

_UNPLACEABLE = re.compile(r"Cannot assign a device for operation ([^\s:]+): (.*)")
_WITHOUT_KERNEL = re.compile(r"No OpKernel was registered to support Op '(\w+)' used by \{\{node ([^}]+)\}\}")
_OF_ONE_OPERATION = re.compile(
    r"Could not satisfy device specification '([^']*)'.*Supported device types \[([^\]]*)\](?:.*\[Op:(\w+)\])?"
)
_ON_DEVICE = re.compile(r"'(/[^']+)'|assigned to (/\S+)")


def explain(error: Exception, params: Params) -> str:
    """One line or a few on `error`, which ended a run of `params`."""
    if isinstance(error, UserError | SavingError):
        return str(error)
    if out_of_memory(error):
        return (
            f"out of memory with --model={params.model} --batch_size={params.batch_size} on each of {params.num_gpus} "
            f"device(s): {_first_line(error)}. Pass a smaller --batch_size, or --precision=bf16 or fp16."
        )
    if isinstance(error, tf.errors.InvalidArgumentError) and (told := unplaceable(str(error.message), params)):
        return told
    return (
        record_errors.explain(error, str(data_name(params)), params.data_dir)
        or f"{type(error).__name__}: {_first_line(error)} (--debug shows the traceback)"
    )


def unplaceable(message: str, params: Params) -> str | None:
    """What to tell the user where `message`, an error's, is about an operation that no device takes; else None.

    The words are those of TensorFlow's placer, of its executor and of eager operations, in 2.14 and 2.21.
    """
    another = "another --device, --variable_update or --all_reduce_spec"
    if found := _WITHOUT_KERNEL.search(message):
        return (
            f"{found[1]} {found[2]}: TensorFlow {tf.__version__} has no kernel for it on any device of this run. "
            f"Choose {another}."
        )
    if found := _OF_ONE_OPERATION.search(message):
        operation, device, reason = found[3] or "an operation", found[1], f"only {found[2]} can run it"
    elif found := _UNPLACEABLE.search(message):
        wanted = _ON_DEVICE.search(found[2])
        operation, device = found[1], (wanted[1] or wanted[2]) if wanted else ""
        reason = (found[2].partition("because ")[2] or found[2]).rstrip(" .")
    else:
        return None
    told = f"{operation}{f' asked for on {short(device)}' if device else ''}: {reason}."
    if params.allow_soft_placement:
        return f"{told} Choose {another}."
    return (
        f"--noallow_soft_placement: {told} Pass --allow_soft_placement to let TensorFlow move what it cannot place, or "
        f"choose {another}."
    )


def out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, of a GPU or of the machine; libraries that fail to allocate are internal errors."""
    if isinstance(error, tf.errors.InternalError | tf.errors.UnknownError | tf.errors.AbortedError):
        return says_out_of_memory(error.message)
    return isinstance(error, tf.errors.ResourceExhaustedError | MemoryError)


def _first_line(error: Exception) -> str:
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no message"
