"""From the name of a strategy to the strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from variable_mgr.copies import DistributedReplicated, Independent, Replicated, Sharded
from variable_mgr.delay import Delayed
from variable_mgr.mirrored import Mirrored
from variable_mgr.shared_variables import ParameterServer, StagedParameterServer
from variable_mgr.store import Declaration
from variable_mgr.strategies import Reduce, VariableStrategy


def make(
    name: str,
    declarations: Sequence[Declaration],
    towers: Sequence[str],
    parameter_devices: Sequence[str],
    seed: int,
    *,
    reduce: Reduce,
    staged: bool = False,
    relaxed: bool = False,
) -> VariableStrategy:
    """The strategy called `name`, with its variables in place and equal.

    `towers` are the towers' devices; `parameter_devices` are where parameter_server and distributed_replicated keep
    the variables. `reduce` is how replicated takes the mean. `staged` (parameter_server) lets the towers read the
    variables a step late, `relaxed` (replicated) lets the gradients come a step late.
    """
    shared = StagedParameterServer if staged else ParameterServer
    makers: dict[str, Callable[[], VariableStrategy]] = {
        "parameter_server": lambda: shared(declarations, towers, parameter_devices, seed),
        "replicated": lambda: Replicated(declarations, towers, seed, reduce),
        "distributed_replicated": lambda: DistributedReplicated(declarations, towers, parameter_devices, seed),
        "sharded": lambda: Sharded(declarations, towers, seed),
        "independent": lambda: Independent(declarations, towers, seed),
        "mirrored": lambda: Mirrored(declarations, towers, seed),
    }
    strategy = makers[name]()
    if staged or relaxed:
        strategy = Delayed(strategy)
    strategy.synchronize()
    return strategy
