"""What a run computes, and on what, settled from its parameters before the first variable exists."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow as tf

import models
from benchmarks import devices, precision
from benchmarks.inputs.sources import FromFiles, Source, open_source, pipeline_options
from benchmarks.inputs.tower_group import TowerGroup
from benchmarks.inputs.towers import TowerInput, on_device
from benchmarks.params import Params, ResolvedParams, resolve
from benchmarks.step import StepOptions
from benchmarks.topology.tower_wiring import topology_of_run
from models.declaration import Declaration
from models.layers import declarations
from models.network import Network
from variable_mgr.link_graph import Derived
from variable_mgr.topology import is_gpu


@dataclass(frozen=True)
class Workload:
    """Everything that is settled before the first variable exists.

    `topology` is what --network_topology=auto was found to mean; None where it was not asked for, or does not matter.
    `batches_seen` is how many batches of each tower are not to come again: earlier processes have trained on them.
    """

    params: ResolvedParams
    devices: devices.Devices
    source: Source
    network: Network
    declarations: tuple[Declaration, ...]
    batches_seen: int = 0
    topology: Derived | None = None

    def with_params(self, **changed: Any) -> Workload:
        """The same, but for what is `changed` of its parameters."""
        return dataclasses.replace(self, params=dataclasses.replace(self.params, **changed))


def settle(params: Params, set_up: Callable[[Params], devices.Devices] = devices.set_up) -> Workload:
    """Find devices, by `set_up`, and data, and resolve `params` for them.

    Raises UserError where something cannot be used.
    """
    tf.random.set_seed(params.tf_random_seed)
    found = set_up(params)
    source = open_source(params)
    resolved = resolve(params, device=found.kind, examples=source.examples, num_towers=found.num_towers)
    network = models.get(resolved.model, source.dataset.name)
    return Workload(
        resolved,
        found,
        source,
        network,
        declarations(network, source.num_classes),
        topology=topology_of_run(params, found.towers, partial(devices.numbers, params)),
    )


def inputs_of(workload: Workload) -> list[TowerInput]:
    """The inputs of all towers of `workload`, which this process has to itself."""
    return tower_inputs(workload, workload.devices.towers, 0)


def input_stages(workload: Workload) -> dict[str, tf.data.Dataset]:
    """The pipeline of the first tower up to the end of each of its stages, on its device at last."""
    params, device = workload.params, workload.devices.towers[0]
    assert isinstance(workload.source, FromFiles), "other sources have no pipeline; a rule says so"
    options, parts = pipeline_options(params), (params, workload.network.image_size, workload.devices.num_towers)
    last = "prefetch and transfer" if is_gpu(device) else "prefetch"
    if params.input_method == "service":
        last = f"service, {last}"
    complete = on_device(partial(workload.source.dataset_of(*parts), tower=0), device, options)
    return {**workload.source.pipeline(*parts).stages(tower=0, options=options), last: complete}


def is_asynchronous(params: ResolvedParams) -> bool:
    """Whether each worker updates the variables on its own."""
    return bool(params.job_name) and not params.cross_replica_sync


def images_per_update(workload: Workload) -> int:
    """Images of which one update of the variables is made."""
    params = workload.params
    if train_apart(params):
        return params.batch_size
    return params.batch_size * (params.num_gpus if is_asynchronous(params) else workload.devices.num_towers)


def train_apart(params: ResolvedParams) -> bool:
    """Whether each tower has updates of its own."""
    return params.variable_update == "independent"


def tower_inputs(workload: Workload, towers: Sequence[str], first_tower: int) -> list[TowerInput]:
    """The inputs of `towers`, which are those from number `first_tower` on."""
    group = TowerGroup(tuple(towers), first_tower, workload.devices.num_towers)
    return workload.source.towers(workload.params, workload.network.image_size, group, workload.batches_seen)


def step_options(params: ResolvedParams, num_classes: int) -> StepOptions:
    """How a step of `params` is computed."""
    return StepOptions(
        num_classes=num_classes,
        data_format=params.data_format,
        dtype=precision.COMPUTE_DTYPE[params.precision],
        weight_decay=params.weight_decay,
        report_total_loss=params.loss_type_to_report == "total_loss",
        single_l2_loss_op=params.single_l2_loss_op,
        fused_batch_norm=params.fused_batch_norm,
        accuracy=params.print_training_accuracy,
        xla=params.xla_compile,
        label_smoothing=params.label_smoothing,
        largest_gradient=params.gradient_clip,
        largest_norm=params.gradient_clip_norm,
        seed=params.tf_random_seed,
    )
