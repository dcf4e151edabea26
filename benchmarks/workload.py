"""What a run computes, and on what: from its parameters to the step that is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

import models
from benchmarks import devices, optimizers, precision
from benchmarks.asynchronous_step import AsynchronousStep, by_worker
from benchmarks.collective_step import CollectiveStep
from benchmarks.inputs.sources import Source, open_source
from benchmarks.params import Params, ResolvedParams, resolve
from benchmarks.step import StepOptions, TrainingStep
from models.layers import Declaration, declarations
from models.network import Network
from variable_mgr import strategies
from variable_mgr.asynchronous import SharedVariables
from variable_mgr.collective import CollectiveAllReduce


@dataclass(frozen=True)
class Workload:
    """Everything that is settled before the first variable exists."""

    params: ResolvedParams
    devices: devices.Devices
    source: Source
    network: Network
    declarations: tuple[Declaration, ...]


def settle(params: Params, set_up: Callable[[Params], devices.Devices] = devices.set_up) -> Workload:
    """Find devices, by `set_up`, and data, and resolve `params` for them.

    Raises UserError where something cannot be used.
    """
    tf.random.set_seed(params.tf_random_seed)
    found = set_up(params)
    source = open_source(params)
    resolved = resolve(params, device=found.kind, examples=source.examples, num_towers=found.num_towers)
    network = models.get(resolved.model, source.dataset.name)
    return Workload(resolved, found, source, network, declarations(network, source.num_classes))


def build_step(workload: Workload) -> TrainingStep | AsynchronousStep:
    """The step of `workload`, with its variables in place and equal, not traced yet.

    Raises UserError where the devices cannot compute in its layout and precision.
    """
    params, towers = workload.params, workload.devices.towers
    devices.check_layout(params.data_format, params.precision, towers[0])
    declared, found, seed = workload.declarations, workload.devices, params.tf_random_seed
    if params.variable_update == "collective_all_reduce":
        make = partial(CollectiveStep, processes=found.processes)
        collective = CollectiveAllReduce(declared, towers, seed, found.num_towers)
        return _step(workload, collective, towers, found.first_tower, make)
    if params.job_name and not params.cross_replica_sync:
        return by_worker(towers, partial(_step, workload), SharedVariables.on(declared, found.parameters, seed))
    strategy = strategies.make(params.variable_update, declared, towers, found.parameters, seed)
    return _step(workload, strategy, towers, found.first_tower)


def _step(
    workload: Workload,
    strategy: strategies.VariableStrategy,
    towers: Sequence[str],
    first_tower: int,
    make: Callable[..., TrainingStep] = TrainingStep,
) -> TrainingStep:
    """The step over `towers`, which are those from number `first_tower` on."""
    params, image_size = workload.params, workload.network.image_size
    return make(
        workload.network,
        strategy,
        towers,
        workload.source.towers(params, image_size, towers, first_tower, workload.devices.num_towers),
        optimizers.make(params),
        precision.make_loss_scale(params),
        _step_options(params, workload.source.num_classes),
    )


def _step_options(params: ResolvedParams, num_classes: int) -> StepOptions:
    return StepOptions(
        num_classes=num_classes,
        data_format=params.data_format,
        dtype=precision.COMPUTE_DTYPE[params.precision],
        weight_decay=params.weight_decay,
        report_total_loss=params.loss_type_to_report == "total_loss",
        single_l2_loss_op=params.single_l2_loss_op,
        accuracy=params.print_training_accuracy,
        xla=params.xla_compile,
    )
