"""What is measured of a quantised model after its window: latency, and whether it agrees with the float model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.inputs.evaluation import NO_IMAGE
from benchmarks.quantization.agreement import compare
from benchmarks.quantization.images import ToCompare, images_to_compare
from benchmarks.quantization.interpreter import LiteModel
from benchmarks.quantization.latency import ROUNDS, latencies, percentiles
from benchmarks.quantization.quantize import Quantized
from benchmarks.quantization.quantized_step import QuantizedStep
from benchmarks.step import Step
from benchmarks.workload import Workload
from results import quantization as told


def measure_quantized(
    draft: Draft, workload: Workload, step: Step, console: Console, check: Callable[[], None]
) -> None:
    """Measure the models of `step`; what is found is in the record of `draft`, and told."""
    assert isinstance(step, QuantizedStep), "a run that quantises makes such steps"
    section = draft.sections["quantization"]
    given = images_to_compare(workload)
    image = next(iter(images_to_compare(workload).batches))[0][:1]

    def on_block(name: str, number: int) -> None:
        console.progress(f"latency: {told.WAYS[name]}, round {number}/{ROUNDS}")
        check()

    calls = single_calls(step.quantized, step.threads, image)
    section["latency"] = {name: percentiles(found) for name, found in latencies(calls, on_block=on_block).items()}
    console.progress(f"agreement: {given.source}")
    section["agreement"] = agreement(step, given, check)
    for line in (*told.in_short(section), told.REST):
        console.notice(line)


def single_calls(quantized: Quantized, threads: int, image: Any) -> Mapping[str, Callable[[], object]]:
    """A call with `image`, [1, height, width, 3], of each way to compute its logits."""
    plain, narrow = (LiteModel(each.model, 1, threads) for each in (quantized.plain, quantized.narrow))
    return {
        "tensorflow": lambda: quantized.inference(image),
        "float": lambda: plain(image),
        "quantized": lambda: narrow(image),
    }


def agreement(step: QuantizedStep, given: ToCompare, check: Callable[[], None]) -> dict[str, Any]:
    """How often the models of `step` say the same, and how often each is right."""
    narrow = LiteModel(step.quantized.narrow.model, given.batch_size, step.threads)
    found = compare(step.quantized.inference, narrow, given.batches, NO_IMAGE, check)
    return {"source": given.source, **found.facts(labelled=given.labelled)}
