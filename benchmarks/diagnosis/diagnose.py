"""`--diagnose`: after a run, find out by experiment what bounds its step."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.devices import addresses_in_use
from benchmarks.diagnosis.rounds import Block, measure_rounds
from benchmarks.diagnosis.ways import build_ways
from benchmarks.telemetry.gpus import Gpus
from benchmarks.workload import Workload
from results.diagnosis import FEW_IMAGES, WAYS, diagnose


def measured_diagnosis(workload: Workload, on_block: Callable[[str, int], None], **lengths: Any) -> dict[str, Any]:
    """The `diagnosis` section of the record of `workload`.

    `on_block` is told what is measured next, and in which round; it may raise. `lengths` are measure_rounds'.
    """
    ways = build_ways(workload)
    gpus = Gpus(addresses_in_use(workload.devices)) if workload.devices.kind == "gpu" else None
    try:
        blocks = measure_rounds(ways, gpus=gpus.utilisation if gpus else None, on_block=on_block, **lengths)
    finally:
        if gpus:
            gpus.close()
    return section(blocks, workload)


def section(blocks: Mapping[str, Sequence[Block]], workload: Workload) -> dict[str, Any]:
    """What the record keeps of `blocks`: the times as they were, and the verdict."""
    params, num_towers = workload.params, workload.devices.num_towers
    rounds = [
        {way: each.step_seconds for way, each in zip(blocks, of_round, strict=True)}
        for of_round in zip(*blocks.values(), strict=True)
    ]
    ways = {way: _facts(way, of_way) for way, of_way in blocks.items()}
    step = ways.get("real", ways["synthetic"])
    found = diagnose(rounds, params.batch_size, num_towers, model=params.model, gpu_utilisation=step["gpu_utilisation"])
    return {
        "verdict": found.verdict,
        "bound": found.bound,
        "rivals": list(found.rivals),
        "gains": [vars(gain) | {"doubt": gain.doubt} for gain in found.gains],
        "input_share": found.input_share,
        "remarks": list(found.remarks),
        "images_per_step": params.batch_size * num_towers,
        "ways": {way: ways[way] for way in WAYS if way in ways},
    }


def _facts(way: str, blocks: Sequence[Block]) -> dict[str, Any]:
    usage = {
        name: _mean([getattr(block.usage, name) for block in blocks])
        for name in ("cpus", "read_bytes_per_second", "gpu_utilisation")
    }
    return {
        "step_seconds": [block.step_seconds for block in blocks],
        "whole_batch": way not in FEW_IMAGES,
        **usage,
    }


def _mean(found: Sequence[float | None]) -> float | None:
    known = [each for each in found if each is not None]
    return statistics.fmean(known) if known else None
