"""Flags that the runs of many claims share: short ones, whose update is proven elsewhere."""

from __future__ import annotations

from benchmarks.studies.claims.claim import Way
from benchmarks.studies.claims.machine import Machine

WARMUP_STEPS = 3


def way(name: str, machine: Machine, model: str, batch: int, steps: int, *flags: str, data: str = "") -> Way:
    """A way to train `model` for so many `steps` on one device of `machine`, with `flags` besides."""
    words = [
        f"--model={model}",
        f"--batch_size={batch}",
        f"--num_batches={steps}",
        f"--num_warmup_batches={WARMUP_STEPS}",
        f"--device={machine.device}",
        "--noverify_variable_update",
    ]
    if data:
        words.append(f"--data_name={data}")
    return Way(name, (*words, *flags))
