"""What a run computes, and on what: from its parameters to the step that is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

import models
from benchmarks import devices, optimizers, precision
from benchmarks.collective_step import CollectiveStep
from benchmarks.inputs.sources import Source, open_source
from benchmarks.params import Params, ResolvedParams, resolve
from benchmarks.step import StepOptions, TrainingStep
from models.layers import Declaration, declarations
from models.network import Network
from variable_mgr import strategies
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


def build_step(workload: Workload) -> TrainingStep:
    """The step of `workload`, with its variables in place and equal, not traced yet.

    Raises UserError where the devices cannot compute in its layout and precision.
    """
    params, towers = workload.params, workload.devices.towers
    devices.check_layout(params.data_format, params.precision, towers[0])
    found = workload.devices
    make_step: Callable[..., TrainingStep] = TrainingStep
    strategy: strategies.VariableStrategy
    if params.variable_update == "collective_all_reduce":
        strategy = CollectiveAllReduce(workload.declarations, towers, params.tf_random_seed, found.num_towers)
        make_step = partial(CollectiveStep, processes=found.processes)
    else:
        strategy = strategies.make(
            params.variable_update, workload.declarations, towers, found.parameters, params.tf_random_seed
        )
    return make_step(
        workload.network,
        strategy,
        towers,
        workload.source.towers(params, workload.network.image_size, towers, found.first_tower, found.num_towers),
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
