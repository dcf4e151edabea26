"""The alpha-beta cost model: images/sec of a number of devices from figures of fewer and the machine's links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.advice.machine import Machine


@dataclass(frozen=True)
class Workload:
    """What each device trains on in a step, and how the devices keep in step.

    `gradient_bytes` of all variables as they travel, in `tensors` of them; `batch_size` images a device and step.
    `strategy` is a value of --variable_update, `place` of --local_parameter_device ("" where it has none).
    `nccl`: whether `strategy` adds up by NCCL's rings; else by copies.
    """

    model: str
    gradient_bytes: float
    tensors: int
    batch_size: int
    strategy: str
    place: str = ""
    nccl: bool = False


@dataclass(frozen=True, order=True)
class Layout:
    """`devices` in all, in equal parts on `machines`; `servers` processes hold variables, at most one a machine.

    `servers` matters between machines alone; 0: as many as machines.
    """

    devices: int
    machines: int = 1
    servers: int = 0


@dataclass(frozen=True)
class Prediction:
    """Images/sec of all devices together, with the bounds within which nine in ten are to be.

    `step_seconds` = `compute_seconds` + `exposed_seconds` (that part of `exchange_seconds` that no computation hides)
    + `waiting_seconds` (devices slow one another down and wait for the slowest). `busiest` names the link that takes
    longest, "" for one device.
    """

    layout: Layout
    images_per_second: float
    low: float
    high: float
    step_seconds: float
    compute_seconds: float
    exchange_seconds: float
    exposed_seconds: float
    waiting_seconds: float
    busiest: str


def predict(
    workload: Workload, machine: Machine, figures: Mapping[Layout, float], layouts: Sequence[Layout]
) -> tuple[Prediction, ...]:
    """What `workload` gives on `layouts` of `machine`, where `figures` has the images/sec of one or two other layouts.

    From one figure alone (of one device) the interval is wide: what is hidden of the exchange is then not known. Raise
    UserError for a layout that the machine cannot have.
    """
    raise NotImplementedError(workload, machine, figures, layouts)
