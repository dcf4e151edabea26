"""A run of several processes, one tower each, that Horovod has started and connects."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchmarks import devices
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.identity import differences, identity
from benchmarks.cluster.place import Place
from benchmarks.collective_step import digest
from benchmarks.devices import Devices
from benchmarks.errors import UserError
from benchmarks.params import Params
from benchmarks.step import Step


class HorovodPlace(Place):
    """One of the processes; all of them must make each call together."""

    def __init__(self) -> None:
        """Join the others. Raises UserError where Horovod cannot be had."""
        try:
            import horovod.tensorflow as horovod
        except ImportError as error:
            raise UserError(
                f"--variable_update=horovod: the package horovod is installed, but not for this TensorFlow: {error}. "
                "Install it again with HOROVOD_WITH_TENSORFLOW=1, which shows what it lacks."
            ) from error
        horovod.init()
        self._horovod: Any = horovod
        self._told: list[dict[str, Any]] = []

    @property
    def leaves_record(self) -> bool:
        """Whether this is the first process: its record tells of all."""
        return bool(self._horovod.rank() == 0)

    @property
    def alone(self) -> bool:
        """Whether Horovod has started no other."""
        return bool(self._horovod.size() == 1)

    def set_up(self, params: Params) -> Devices:
        """Configure this process's device, and see whether all processes run the same."""
        local = devices.set_up(self._with_own_gpu(params))
        rank = self._horovod.rank()
        own = identity(params, Cluster({}, Task("worker", rank), "Horovod"))
        self._told = self._horovod.allgather_object(own, name="identity")
        unlike = [
            f"process {number} of {len(self._told)} on {told['hostname']} does not run what process 0 runs: "
            + "; ".join(found)
            for number, told in enumerate(self._told)
            if (found := differences(self._told[0], told))
        ]
        if unlike:
            raise UserError("\n".join(unlike))
        return Devices(local.kind, local.towers, local.parameters, self._horovod.size(), rank, self._horovod)

    def sections(self) -> dict[str, Any]:
        """What the record says of the processes."""
        shown = ("hostname", "tensorflow", "python", "commit", "source")
        return {
            "cluster": {
                "driver": "horovod/0",
                "hosts": {"horovod": [told["hostname"] for told in self._told]},
                "source": "Horovod",
                "processes": {
                    f"horovod/{number}": {name: told[name] for name in shown} for number, told in enumerate(self._told)
                },
            }
        }

    def agree(self, step: Step, towers: Sequence[str], check: Callable[[], None]) -> dict[str, Any]:
        """Begin only where all variables of all processes are equal, bit by bit."""
        sections = super().agree(step, towers, check)
        told = self._horovod.allgather_object((sections, digest(step.strategy.stores)), name="beginning")
        unlike = [number for number, (_, variables) in enumerate(told) if variables != told[0][1]]
        if unlike:
            raise RuntimeError(f"processes {unlike} begin with other values of the variables than process 0")
        names: list[str] = []
        variables: dict[str, Any] = {}
        sent: dict[str, int] = {}
        for number, (each, _) in enumerate(told):
            name = f"horovod/{number}"
            names += [f"{name}{tower}" for tower in each["placement"]["towers"]]
            variables |= {f"{name}{device}": on for device, on in each["placement"]["variables"].items()}
            sent |= {f"{name}{device}": count for device, count in each["exchange"]["sent_bytes"].items()}
        return {
            "placement": {"towers": names, "variables": variables},
            "exchange": sections["exchange"] | {"sent_bytes": sent},
        }

    def _with_own_gpu(self, params: Params) -> Params:
        """`params` for the one GPU that is this process's: that with its number among the processes of its machine."""
        gpus = tf.config.list_physical_devices("GPU")
        own = self._horovod.local_rank()
        if params.device == "cpu" or not gpus:
            return params
        if own >= len(gpus):
            raise UserError(
                f"--variable_update=horovod: this is process {own} (from 0) of its machine, where TensorFlow sees "
                f"{len(gpus)} GPU(s). Start no more processes a machine than it has GPUs, or pass --device=cpu."
            )
        return dataclasses.replace(params, gpu_indices=str(own))
