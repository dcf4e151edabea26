"""What the ways to feed and to measure input need, and where they cannot work."""

from __future__ import annotations

from benchmarks.params.cluster_rules import ROLES, in_cluster
from benchmarks.params.params import Params
from benchmarks.params.rules import rule


@rule("input_only", "data_dir")
def input_to_measure(params: Params) -> str | None:
    """Synthetic images are on the device from the start."""
    if not params.input_only or params.data_dir is not None:
        return None
    return (
        "--input_only without --data_dir: synthetic images stay on the device, there is no input to measure. Give one."
    )


@rule("input_only", "variable_update", *ROLES)
def input_of_one_process(params: Params) -> str | None:
    """The input alone is measured where it is made."""
    if not params.input_only:
        return None
    if params.variable_update == "horovod" or in_cluster(params):
        return (
            "--input_only with several processes: each makes the input of its own towers. Measure one of them by "
            "itself, with neither roles nor TF_CONFIG."
        )
    return None


@rule("input_only", "measure_exchange")
def exchange_to_measure(params: Params) -> str | None:
    """Without a model nothing is exchanged."""
    if params.input_only and params.measure_exchange:
        return "--input_only and --measure_exchange: without a model nothing is exchanged. Leave one of them out."
    return None
