"""From what a run computes to the step that is measured, with its variables in place."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks import devices, learning_rate, optimizers, precision
from benchmarks.asynchronous_step import AsynchronousStep, by_worker
from benchmarks.cluster.cluster import MULTI_CLIENT
from benchmarks.collective_step import Average, CollectiveStep
from benchmarks.errors import UserError
from benchmarks.evaluator import Evaluator
from benchmarks.exchange import reduce_options
from benchmarks.forward_step import ForwardStep
from benchmarks.input_step import InputStep
from benchmarks.inputs.evaluation import open_evaluation
from benchmarks.inputs.towers import TowerInput
from benchmarks.looped_step import LoopedStep
from benchmarks.params.traced_steps import steps_in_pause
from benchmarks.step import TrainingStep
from benchmarks.verification import Verdict, verify, verify_in_turn
from benchmarks.workload import (
    Workload,
    images_per_update,
    inputs_of,
    is_asynchronous,
    step_options,
    tower_inputs,
    train_apart,
)
from models.declaration import Declaration
from variable_mgr import choice, horovod_all_reduce
from variable_mgr.asynchronous import SharedVariables
from variable_mgr.collective import mean_over_processes
from variable_mgr.exchange_plan import CannotReduceError
from variable_mgr.store import Store, on_one_device
from variable_mgr.strategies import VariableStrategy

_instances = itertools.count(1)  # exchanges of different graphs need different numbers, the same in all processes


def build_step(
    workload: Workload,
    inputs: Sequence[TowerInput] | None = None,
    make: Callable[..., TrainingStep] = TrainingStep,
) -> TrainingStep | AsynchronousStep:
    """The step of `workload`, with its variables in place and equal, not traced yet; `inputs` in place of its own.

    `make` is the kind of step, where one process makes it: several have kinds of their own.

    Raises UserError where the devices cannot compute in its layout and precision.
    """
    params, found = workload.params, workload.devices
    grouped = workload.network.grouped
    devices.check_layout(params.data_format, params.precision, found.towers[0], grouped=grouped)
    if is_asynchronous(params):
        shared = SharedVariables.on(workload.declarations, found.parameters, params.tf_random_seed)
        return by_worker(found.towers, partial(_step, workload), shared)
    strategy = make_strategy(workload, workload.declarations)
    average = _average_over_processes(workload)
    if average:
        make = partial(CollectiveStep, average=average)
    if params.steps_per_loop > 1:
        make = partial(LoopedStep, steps=params.steps_per_loop)
    return _step(workload, strategy, found.towers, found.first_tower, make, inputs)


def build_forward_step(workload: Workload) -> ForwardStep:
    """The forward pass of `workload` alone, with its variables in place and equal, not traced yet.

    Raises UserError where the devices cannot compute in its layout and precision.
    """
    params, found = workload.params, workload.devices
    devices.check_layout(params.data_format, params.precision, found.towers[0])
    return ForwardStep(
        workload.network,
        make_strategy(workload, workload.declarations),
        found.towers,
        tower_inputs(workload, found.towers, found.first_tower),
        step_options(params, workload.source.num_classes),
        _average_over_processes(workload),
    )


def build_evaluator(workload: Workload, store: Store) -> Evaluator:
    """What evaluates the variables of `store`. Raises UserError as settling does."""
    params = workload.params
    return Evaluator(
        workload.network,
        store,
        workload.devices.towers,
        open_evaluation(params, workload.network.image_size),
        step_options(params, workload.source.num_classes),
        params.num_eval_batches,
    )


def store_to_evaluate(workload: Workload) -> Store:
    """One set of the variables of `workload`, on its first tower, for checkpoints to be read into.

    Raises UserError where the devices cannot compute in its layout and precision.
    """
    params, device = workload.params, workload.devices.towers[0]
    devices.check_layout(params.data_format, params.precision, device, grouped=workload.network.grouped)
    declared = workload.declarations
    return Store(declared, on_one_device(declared, device), params.tf_random_seed)


def build_independent_step(workload: Workload) -> TrainingStep | AsynchronousStep:
    """The step of `workload` under `independent`: the same work on the same devices, and no exchange."""
    return build_step(workload.with_params(variable_update="independent"))


def build_input_step(workload: Workload) -> InputStep:
    """The step of `workload` without its model."""
    return InputStep(workload.devices.towers, inputs_of(workload))


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
            exchange=reduce_options(params, workload.topology),
            num_towers=found.num_towers,
            runtime=found.runtime,
            horovod_device=params.horovod_device,
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
    seed, rounded = params.tf_random_seed, params.precision == "tf32" or params.gradient_transfer != "fp32"
    if is_asynchronous(params):
        share = partial(SharedVariables.on, devices=found.parameters, seed=seed)
        return verify_in_turn(share, found.towers, seed=seed, rounded=rounded)
    return verify(
        lambda declared: make_strategy(workload, declared),
        found.towers,
        first_tower=found.first_tower,
        num_towers=found.num_towers,
        seed=seed,
        rounded=rounded,
    )


def _step(
    workload: Workload,
    strategy: VariableStrategy,
    towers: Sequence[str],
    first_tower: int,
    make: Callable[..., TrainingStep] = TrainingStep,
    inputs: Sequence[TowerInput] | None = None,
) -> TrainingStep:
    """The step over `towers`, which are those from number `first_tower` on."""
    params = workload.params
    return make(
        workload.network,
        strategy,
        towers,
        inputs or tower_inputs(workload, towers, first_tower),
        optimizers.make(params),
        precision.make_loss_scale(params),
        dataclasses.replace(step_options(params, workload.source.num_classes), first_tower=first_tower),
        _learning_rate(workload, len(towers)),
    )


def _average_over_processes(workload: Workload) -> Average | None:
    """What takes the mean of a step's figures over processes that run it together; None where they do not."""
    strategy, found = workload.params.variable_update, workload.devices
    if strategy in MULTI_CLIENT and found.processes > 1:
        return partial(mean_over_processes, processes=found.processes, instance=next(_instances))
    if strategy == "horovod":
        return partial(horovod_all_reduce.mean, found.runtime, name=f"figures{next(_instances)}", device="/cpu:0")
    return None


def _learning_rate(workload: Workload, towers_of_step: int) -> learning_rate.LearningRate:
    """That of the step over so many towers of this process."""
    params = workload.params
    updates = params.num_warmup_batches + params.num_batches + steps_in_pause(params)
    if is_asynchronous(params):  # a step of the run is one of each worker
        updates *= workload.devices.num_towers // towers_of_step
    examples: float = workload.source.examples or workload.source.dataset.train_examples
    if train_apart(params):
        examples /= workload.devices.num_towers  # its share is what a tower sees in an epoch
    return learning_rate.make(params, images_per_update(workload), updates, examples)
