"""From the name of a strategy to the strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from variable_mgr.collective import CollectiveAllReduce
from variable_mgr.copies import DistributedReplicated, Independent, Replicated, Sharded
from variable_mgr.delay import Delayed
from variable_mgr.exchange_plan import PLAIN, ReduceOptions, exchange_bytes, make_plan
from variable_mgr.horovod_all_reduce import HorovodAllReduce
from variable_mgr.mirrored import Mirrored
from variable_mgr.reduction import gradient_sizes, reduce_of
from variable_mgr.shared_variables import ParameterServer, StagedParameterServer
from variable_mgr.store import Declaration
from variable_mgr.strategies import VariableStrategy


def make(
    name: str,
    declarations: Sequence[Declaration],
    towers: Sequence[str],
    parameter_devices: Sequence[str],
    seed: int,
    *,
    exchange: ReduceOptions = PLAIN,
    num_towers: int | None = None,
    runtime: Any = None,
    horovod_device: str = "",
    staged: bool = False,
    relaxed: bool = False,
) -> VariableStrategy:
    """The strategy called `name`, with its variables in place and equal.

    `towers` are the towers' devices; `parameter_devices` are where parameter_server and distributed_replicated keep
    the variables. `exchange` is how replicated takes the mean, `num_towers` is the number over all processes
    that take part in collective_all_reduce. `runtime` is what connects the processes of mirrored (TensorFlow's
    strategy) and of horovod (the module); `horovod_device` is where the latter adds up. `staged` (parameter_server)
    lets the towers read the variables a step late, `relaxed` (replicated) lets the gradients come a step late. Raises
    CannotReduceError where the towers cannot exchange gradients so.
    """
    shared = StagedParameterServer if staged else ParameterServer
    makers: dict[str, Callable[[], VariableStrategy]] = {
        "parameter_server": lambda: shared(declarations, towers, parameter_devices, seed),
        "replicated": lambda: _replicated(declarations, towers, seed, exchange),
        "distributed_replicated": lambda: DistributedReplicated(declarations, towers, parameter_devices, seed),
        "distributed_all_reduce": lambda: _replicated(declarations, towers, seed, exchange),
        "collective_all_reduce": lambda: CollectiveAllReduce(
            declarations, towers, seed, num_towers or len(towers), exchange
        ),
        "sharded": lambda: Sharded(declarations, towers, seed),
        "independent": lambda: Independent(declarations, towers, seed),
        "mirrored": lambda: Mirrored(declarations, towers, seed, runtime),
        "horovod": lambda: HorovodAllReduce(declarations, towers[0], seed, runtime, exchange, horovod_device),
    }
    strategy = makers[name]()
    if (name == "parameter_server" and staged) or (name == "replicated" and relaxed):
        strategy = Delayed(strategy)
    strategy.synchronize()
    return strategy


def _replicated(
    declarations: Sequence[Declaration], towers: Sequence[str], seed: int, exchange: ReduceOptions
) -> Replicated:
    plan = make_plan(exchange, gradient_sizes(declarations), towers)
    return Replicated(declarations, towers, seed, reduce_of(plan), exchange_bytes(plan))
