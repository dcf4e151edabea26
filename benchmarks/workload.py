"""What a run computes, and on what: from its parameters to the step that is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

import models
from benchmarks import devices, optimizers, precision
from benchmarks.errors import UserError
from benchmarks.exchange import reduce_options
from benchmarks.inputs.sources import Source, open_source
from benchmarks.params import Params, ResolvedParams, resolve
from benchmarks.step import StepOptions, TrainingStep
from benchmarks.verification import Verdict, verify
from models.layers import Declaration, declarations
from models.network import Network
from variable_mgr import choice
from variable_mgr.exchange_plan import CannotReduceError
from variable_mgr.strategies import VariableStrategy


@dataclass(frozen=True)
class Workload:
    """Everything that is settled before the first variable exists."""

    params: ResolvedParams
    devices: devices.Devices
    source: Source
    network: Network
    declarations: tuple[Declaration, ...]


def settle(params: Params) -> Workload:
    """Find devices and data, and resolve `params` for them. Raises UserError where something cannot be used."""
    tf.random.set_seed(params.tf_random_seed)
    found = devices.set_up(params)
    source = open_source(params)
    resolved = resolve(params, device=found.kind, examples=source.examples)
    network = models.get(resolved.model, source.dataset.name)
    return Workload(resolved, found, source, network, declarations(network, source.num_classes))


def build_step(workload: Workload) -> TrainingStep:
    """The step of `workload`, with its variables in place and equal, not traced yet.

    Raises UserError where the devices cannot compute in its layout and precision.
    """
    params, towers = workload.params, workload.devices.towers
    devices.check_layout(params.data_format, params.precision, towers[0])
    return TrainingStep(
        workload.network,
        make_strategy(workload, workload.declarations),
        towers,
        workload.source.towers(params, workload.network.image_size, towers),
        optimizers.make(params),
        precision.make_loss_scale(params),
        _step_options(params, workload.source.num_classes),
    )


def make_strategy(workload: Workload, declared: Sequence[Declaration]) -> VariableStrategy:
    """The strategy of `workload` over its devices, for a network that has declared these variables.

    Raises UserError where the devices cannot exchange gradients as asked for.
    """
    params = workload.params
    try:
        return choice.make(
            params.variable_update,
            declared,
            workload.devices.towers,
            workload.devices.parameters,
            params.tf_random_seed,
            exchange=reduce_options(params),
            staged=params.staged_vars,
            relaxed=params.variable_consistency == "relaxed",
        )
    except CannotReduceError as error:
        raise UserError(str(error)) from error


def build_independent_step(workload: Workload) -> TrainingStep:
    """The step of `workload` under `independent`: the same work on the same devices, and no exchange."""
    params = dataclasses.replace(
        workload.params, variable_update="independent", staged_vars=False, variable_consistency="strong"
    )
    return build_step(dataclasses.replace(workload, params=params))


def verify_update(workload: Workload) -> Verdict:
    """Whether the strategy of `workload` computes on its devices what one device alone would."""
    return verify(
        lambda declared: make_strategy(workload, declared),
        workload.devices.towers,
        seed=workload.params.tf_random_seed,
        rounded=workload.params.precision == "tf32" or workload.params.gradient_transfer != "fp32",
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
