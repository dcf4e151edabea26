"""The ways in which the step of a run is made to find out what bounds it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

import models
from benchmarks.asynchronous_step import AsynchronousStep
from benchmarks.build import build_independent_step, build_step
from benchmarks.input_step import InputStep
from benchmarks.inputs import synthetic
from benchmarks.inputs.sources import Source, Synthetic, image_spec, pipeline_options
from benchmarks.inputs.tower_group import TowerGroup
from benchmarks.inputs.towers import TowerInput, reading_towers
from benchmarks.params import ResolvedParams
from benchmarks.step import TrainingStep
from benchmarks.workload import Workload, inputs_of
from models.layers import declarations
from variable_mgr.topology import is_gpu

_BATCHES_AHEAD = 2  # more would be made while other ways have their turn, and hide what the input costs


class HostBatch(Source):
    """One batch of made-up images a tower, in the host's memory, that is copied to the tower's device at each step."""

    def towers(
        self, params: ResolvedParams, image_size: int, towers: TowerGroup, passed_over: int = 0
    ) -> list[TowerInput]:
        """The same batch at every step, copied ahead as batches of a pipeline are."""
        del passed_over
        on_host = TowerGroup(("/cpu:0",) * len(towers.devices), towers.first, towers.total)
        batches = synthetic.batches(
            image_spec(params, image_size), self.dataset.num_classes, on_host, params.tf_random_seed
        )

        def dataset(tower: int, options: Any) -> tf.data.Dataset:
            del options
            return tf.data.Dataset.from_tensors(batches[tower - towers.first]).repeat()

        return reading_towers(towers, dataset, pipeline_options(params))


def build_ways(workload: Workload) -> dict[str, Callable[[], object]]:
    """The steps, ready to be called, by the names of results.diagnosis.WAYS.

    Those with real input are there if the run has it, "host_batch" if its towers are GPUs, "independent" if there is an
    exchange, and "two_images" in place of "one_image" where that is the batch. Ways with real input share one pipeline,
    which holds two batches ready.
    """
    held = held_ready(workload)
    made_up = with_made_up_input(held)
    ways: dict[str, Callable[[], object]] = {}
    inputs = inputs_of(held)
    if workload.params.data_dir:
        ways["real"] = traced(build_step(held, inputs))
        if any(is_gpu(tower) for tower in workload.devices.towers):
            ways["host_batch"] = traced(
                build_step(dataclasses.replace(held, source=_other(workload.source, HostBatch)))
            )
    ways["synthetic"] = traced(build_step(made_up))
    if exchanges(workload):
        ways["independent"] = traced(build_independent_step(made_up))
    way, images = ("one_image", 1) if workload.params.batch_size > 1 else ("two_images", 2)
    ways[way] = traced(build_independent_step(made_up.with_params(batch_size=images)))
    ways["trivial"] = traced(build_step(trivial(held), inputs))
    if workload.params.data_dir:
        ways["input_alone"] = traced(InputStep(workload.devices.towers, inputs))
    return ways


def held_ready(workload: Workload) -> Workload:
    """`workload` with few batches ready for each device, unless flags say how many."""
    params = workload.params
    return workload.with_params(
        datasets_prefetch_buffer_size=params.datasets_prefetch_buffer_size or _BATCHES_AHEAD,
        multi_device_iterator_max_buffer_size=params.multi_device_iterator_max_buffer_size or _BATCHES_AHEAD,
    )


def with_made_up_input(workload: Workload) -> Workload:
    """`workload` with one batch a tower that stays on its device."""
    return dataclasses.replace(workload, source=_other(workload.source, Synthetic))


def exchanges(workload: Workload) -> bool:
    """Whether a step moves variables or gradients between devices."""
    found = workload.devices
    return workload.params.variable_update != "independent" and len({*found.towers, *found.parameters}) > 1


def trivial(workload: Workload) -> Workload:
    """`workload` with the least network there is, on the same images."""
    network = models.get("trivial", workload.source.dataset.name)
    network = dataclasses.replace(network, image_size=workload.network.image_size)
    listed = declarations(network, workload.source.num_classes)
    return dataclasses.replace(workload, network=network, declarations=listed)


def traced(step: TrainingStep | AsynchronousStep | InputStep) -> Callable[[], object]:
    """`step`, ready to be called."""
    step.trace()
    return step


def _other(source: Source, kind: type[Source]) -> Source:
    """A source of another kind for the same data set."""
    return kind(source.dataset, source.num_classes, source.title, source.facts)
