"""What a run computes, and on what: from its parameters to the step that is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

import models
from benchmarks import devices, optimizers, precision
from benchmarks.asynchronous_step import AsynchronousStep, by_worker
from benchmarks.collective_step import CollectiveStep
from benchmarks.errors import UserError
from benchmarks.exchange import reduce_options
from benchmarks.inputs.sources import Source, open_source
from benchmarks.inputs.tower_group import TowerGroup
from benchmarks.params import Params, ResolvedParams, resolve
from benchmarks.step import StepOptions, TrainingStep
from benchmarks.verification import Verdict, verify
from models.layers import Declaration, declarations
from models.network import Network
from variable_mgr import choice
from variable_mgr.asynchronous import SharedVariables
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
    params, found = workload.params, workload.devices
    devices.check_layout(params.data_format, params.precision, found.towers[0])
    if is_asynchronous(params):
        shared = SharedVariables.on(workload.declarations, found.parameters, params.tf_random_seed)
        return by_worker(found.towers, partial(_step, workload), shared)
    strategy = make_strategy(workload, workload.declarations)
    collective = params.variable_update == "collective_all_reduce"
    make = partial(CollectiveStep, processes=found.processes) if collective else TrainingStep
    return _step(workload, strategy, found.towers, found.first_tower, make)


def build_independent_step(workload: Workload) -> TrainingStep | AsynchronousStep:
    """The step of `workload` under `independent`: the same work on the same devices, and no exchange."""
    return build_step(
        dataclasses.replace(workload, params=dataclasses.replace(workload.params, variable_update="independent"))
    )


def is_asynchronous(params: ResolvedParams) -> bool:
    """Whether each worker updates the variables on its own."""
    return bool(params.job_name) and not params.cross_replica_sync


def make_strategy(workload: Workload, declared: Sequence[Declaration]) -> VariableStrategy:
    """The strategy of `workload` over its devices, for a network that has declared these variables.

    Raises UserError where the devices cannot exchange gradients as asked for.
    """
    params, found = workload.params, workload.devices
    try:
        return choice.make(
            params.variable_update,
            declared,
            found.towers,
            found.parameters,
            params.tf_random_seed,
            exchange=reduce_options(params),
            num_towers=found.num_towers,
            staged=params.staged_vars,
            relaxed=params.variable_consistency == "relaxed",
        )
    except CannotReduceError as error:
        raise UserError(str(error)) from error


def verify_update(workload: Workload) -> Verdict:
    """Whether the strategy of `workload` computes on its devices what one device alone would.

    Where several processes run the step together, all of them must call it.
    """
    params, found = workload.params, workload.devices
    return verify(
        lambda declared: make_strategy(workload, declared),
        found.towers,
        first_tower=found.first_tower,
        num_towers=found.num_towers,
        seed=params.tf_random_seed,
        rounded=params.precision == "tf32" or params.gradient_transfer != "fp32",
    )


def _step(
    workload: Workload,
    strategy: VariableStrategy,
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
        workload.source.towers(params, image_size, TowerGroup(tuple(towers), first_tower, workload.devices.num_towers)),
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
