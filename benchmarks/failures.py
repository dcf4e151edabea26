"""What to tell the user of an exception that ended a run: one message, with the way out where there is one."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.checkpoints import SavingError
from benchmarks.errors import UserError
from benchmarks.inputs import record_errors
from benchmarks.memory import says_out_of_memory
from benchmarks.params import Params
from benchmarks.params.data_set import data_name


def explain(error: Exception, params: Params) -> str:
    """One line or a few on `error`, which ended a run of `params`."""
    if isinstance(error, UserError | SavingError):
        return str(error)
    if out_of_memory(error):
        return (
            f"out of memory with --model={params.model} --batch_size={params.batch_size} on each of {params.num_gpus} "
            f"device(s): {_first_line(error)}. Pass a smaller --batch_size, or --precision=bf16 or fp16."
        )
    return (
        record_errors.explain(error, str(data_name(params)), params.data_dir)
        or f"{type(error).__name__}: {_first_line(error)} (--debug shows the traceback)"
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
