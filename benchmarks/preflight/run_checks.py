"""Checks of what a run needs against what there is: memory, disk, data."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.preflight.facts import Facts
from benchmarks.preflight.finding import Finding, in_bytes, stops, tells, warns
from benchmarks.preflight.gpu_checks import named

_LEAST_RECORD = 30e3  # bytes of a record; its steps come on top
_BYTES_A_STEP = 60
_ROOM = 100e6  # bytes free below which the next runs may find none
_ESTIMATED = "an estimate, without what kernels need while they run"


def host_memory(facts: Facts) -> Iterator[Finding]:
    """Towers on the CPU fit into the host's memory."""
    free = facts.host.available_bytes
    if facts.need is None or not facts.surely_on_cpu or free is None or facts.need.of_the_host <= free:
        return
    yield warns(
        f"{_run(facts)} takes about {in_bytes(facts.need.of_the_host)} of memory, and {in_bytes(free)} are free",
        f"the run may be ended, or wait for the disk ({_ESTIMATED})",
        "Pass a smaller --batch_size (--find_batch_size finds the largest), or --precision=bf16",
    )


def gpu_memory(facts: Facts) -> Iterator[Finding]:
    """A tower fits into its GPU's memory."""
    if facts.need is None:
        return
    # Of one that is split by MIG, a part alone is the run's, and how large that is depends on which.
    known = [gpu for gpu in facts.gpus.used if gpu.memory_bytes is not None and not gpu.mig]
    short = [gpu for gpu in known if (gpu.memory_bytes or 0) - (gpu.memory_used_bytes or 0) < facts.need.of_a_tower]
    if short:
        free = min((gpu.memory_bytes or 0) - (gpu.memory_used_bytes or 0) for gpu in short)
        yield warns(
            f"{_run(facts)} takes about {in_bytes(facts.need.of_a_tower)} of a GPU's memory, and {named(short)} "
            f"{'has' if len(short) == 1 else 'have'} {in_bytes(free)} free",
            f"the run may end with memory that is out ({_ESTIMATED})",
            "Pass a smaller --batch_size (--find_batch_size finds the largest), or --precision=fp16 or bf16",
        )


def disk(facts: Facts) -> Iterator[Finding]:
    """Records and checkpoints can be written."""
    for place in facts.disks:
        least, enough, what = _wanted(facts, place.flag)
        told = f"--{place.flag}={place.folder}: {in_bytes(place.free_bytes)} are free"
        if place.free_bytes < least:
            yield stops(
                f"{told}, and {what} takes {in_bytes(least)}",
                "what the run leaves behind could not be written",
                f"Make room, or give another folder with --{place.flag}",
            )
        elif place.free_bytes < enough:
            yield warns(
                f"{told}, and {in_bytes(enough)} would be safe",
                "the disk may be full before the run is over",
                f"Make room, or give another folder with --{place.flag}",
            )


def data_in_memory(facts: Facts) -> Iterator[Finding]:
    """Whether files are read from memory from the second epoch on is known of."""
    size, free = facts.data_bytes, facts.host.available_bytes
    if size is not None and free is not None and size > free:
        yield tells(
            f"The files to train on have {in_bytes(size)}, and {in_bytes(free)} of memory are free",
            "every epoch reads them from the disk or the network anew",
            "--input_only measures whether that is fast enough",
        )


def _run(facts: Facts) -> str:
    assert facts.need is not None, "asked of runs that train"
    return f"{facts.params.model} with {facts.need.batch} images a tower"


def _wanted(facts: Facts, flag: str) -> tuple[float, float, str]:
    """Bytes that have to be free, those that should be, and what the former are for."""
    if flag == "results_dir":
        return _LEAST_RECORD + _BYTES_A_STEP * (facts.params.num_batches or 0), _ROOM, "a record"
    one = facts.need.of_a_checkpoint if facts.need else 0.0
    return one, (facts.params.max_ckpts_to_keep + 1) * one + _ROOM, "a checkpoint"
