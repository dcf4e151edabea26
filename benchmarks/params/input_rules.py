"""What the ways to feed and to measure input need, and where they cannot work."""

from __future__ import annotations

from benchmarks.cluster.addresses import is_host_and_port
from benchmarks.params.cluster_rules import ROLES, in_cluster
from benchmarks.params.data_set import data_name
from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule


@rule("input_only", "data_dir")
def input_to_measure(params: Params) -> str | None:
    """Synthetic images are on the device from the start."""
    if not params.input_only or params.data_dir is not None:
        return None
    return (
        "--input_only without --data_dir: synthetic images stay on the device, there is no input to measure. Give one."
    )


@rule("input_method", "data_name", "data_dir")
def method_for_data_set(params: Params) -> str | None:
    """CIFAR-10 has never been a file an image."""
    if params.input_method != "small_files" or not params.data_dir or data_name(params) != "cifar10":
        return None
    return (
        "--input_method=small_files with cifar10: only imagenet is read from one file an image. Take --input_method="
        "dataset."
    )


@rule("input_method", *ROLES, "variable_update")
def method_of_one_process(params: Params) -> str | None:
    """What this process hands over does not reach the towers of others."""
    if params.input_method not in ("feed", "service") or not params.data_dir or not in_cluster(params):
        return None
    return (
        f"--input_method={params.input_method} in a cluster: the images would be this process's, and the towers are "
        "not. Take --input_method=dataset, which reads on the machine of each tower, or a single process."
    )


@rule("preprocess_device", "data_name", "data_dir", "input_method", "input_only", "diagnose")
def preprocessing_in_step(params: Params) -> list[str]:
    """What the step is given must be batches of one size, and is then no longer apart from the step."""
    if params.preprocess_device == "cpu" or not params.data_dir:
        return []
    reasons = {
        " with imagenet": (
            data_name(params) == "imagenet",
            "its images have sizes of their own, and are decoded and cut one by one, as the CPU does",
        ),
        f" with --input_method={params.input_method}": (
            params.input_method not in ("dataset", "memory"),
            "that hands over images that are prepared",
        ),
        " with --input_only": (params.input_only, "there is no step to do it"),
        " with --diagnose": (params.diagnose, "what the step prepares cannot be told from what it computes"),
    }
    return [
        f"--preprocess_device={params.preprocess_device}{what}: {reason}. Take --preprocess_device=cpu."
        for what, (holds, reason) in reasons.items()
        if holds
    ]


@rule("data_service_address", "input_method")
def address_of_service(params: Params) -> str | None:
    """An address has two parts."""
    address = params.data_service_address
    if address is None or is_host_and_port(address):
        return None
    return f"--data_service_address={address} is not host:port, as in --data_service_address=127.0.0.1:5050."


@rule("input_only", "measure_exchange", "diagnose", "measure_peak")
def step_to_look_into(params: Params) -> list[str]:
    """Without a model there is no step, and nothing is exchanged."""
    reasons = {
        "measure_exchange": "without a model nothing is exchanged",
        "diagnose": "without a model there is no step that something could bound",
        "measure_peak": "without a model nothing is multiplied that could be held against it",
    }
    return excluded(params, "input_only", reasons) if params.input_only else []
