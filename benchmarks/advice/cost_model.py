"""The alpha-beta cost model: images/sec of a number of devices from figures of fewer and the machine's links.

A step of n devices takes

    compute + tail * exchange(n) + max(0, (1 - tail) * exchange(n) - window) + compute * company(n)

`exchange(n)` is what the busiest link needs (see `traffic`): bytes / bandwidth + messages * latency. Its tail, of the
gradients that come last, is in nobody's shadow; the rest is, as far as the window of computation goes. `company(n)` is
what devices cost one another beside their exchange: two on a board share its power, each waits for the slowest, and
the host that prepares images for many has less time for each.

One or two figures do not determine these unknowns. So each has a prior from what is known of it elsewhere (`UNKNOWNS`),
draws of all are weighed by how well they give the figures, and a prediction is their mean with the bounds of nine in
ten. Where the figures leave something open, the bounds are wide. Nothing here is fitted to published tables.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

from benchmarks.advice import rates
from benchmarks.advice.machine import Machine
from benchmarks.advice.traffic import Exchange, Layout, Workload, exchange
from benchmarks.errors import UserError

__all__ = ["Layout", "Prediction", "Workload", "predict"]

NOISE = 0.01  # of a published figure from run to run, relative
DOUBLING_ERROR = 0.03  # relative, of the model itself for each doubling beyond the figures: see `Prediction`
BOUND = NormalDist().inv_cdf(0.95)  # two sides of one in twenty each
_BASES = (2, 3, 5, 7, 11, 13, 17)  # of the Halton sequence, one for each unknown
_DRAWS = (2048, 32768)
_LEAST, _MOST = 1e-6, 1e12  # images/sec of what is a computer; beyond, squares of its seconds are none of a float
_ENOUGH = 60  # draws that carry the weight; else more are drawn
_BOARD_AT_MOST = 875 / 562 - 1  # K80: from its highest clock down to its base clock (hardware.csv)
_HOST_SECONDS = 2e-5


class Draw(NamedTuple):
    """One guess of the unknowns; see `UNKNOWNS`."""

    tail: float
    window: float
    grpc: float
    board: float
    straggling: float
    host: float
    share: float


def _heavy(median: float, shape: float = 1.0) -> Callable[[float], float]:
    """A prior for what is known to its order of magnitude: log-logistic by its median, the tail lighter by `shape`."""
    return lambda x: median * (x / (1 - x)) ** (1 / shape)


# From a number between 0 and 1, each equally likely, to an unknown:
UNKNOWNS: dict[str, Callable[[float], float]] = {
    # Share of the exchange that no computation can hide. Networks send most bytes early in the backward pass (VGG's and
    # AlexNet's dense layers) or evenly (ResNet), so it is rather small: density 3 (1 - tail)^2, a quarter in the mean.
    "tail": lambda x: 1 - (1 - x) ** (1 / 3),
    # Place in the range of windows: see `_window`.
    "window": lambda x: x,
    # Bytes/s of a process over gRPC.
    "grpc": lambda x: rates.GRPC[0] * (rates.GRPC[1] / rates.GRPC[0]) ** x,
    # What a second busy GPU on a board costs each, of the compute: 5 % in the mean, at most what the clock can fall.
    "board": lambda x: min(-0.05 * math.log(1 - x), _BOARD_AT_MOST),
    # What waiting for the slower of two costs, of the compute: steps of a GPU vary by about a hundredth.
    "straggling": _heavy(0.007, shape=2),
    # Seconds of every other device's step that a host spends for an image, if it prepares images: a processor core
    # decodes and distorts 150 a second, a host has 32 to 40 of them, and an eighth of that is at others' expense.
    "host": _heavy(_HOST_SECONDS),
    # What GPUs have of their links where it is not known who shares them: down to a fourth, of a host bridge with four
    # GPUs, or of a switch with two whose copies pass it twice.
    "share": lambda x: 4.0**-x,
}


@dataclass(frozen=True)
class Prediction:
    """Images/sec of all devices together, with the bounds within which nine in ten are to be.

    The bounds hold what the figures leave open, the noise of a figure, and an error of the model of 3 % for each
    doubling of the devices: with it 86 % of the 57 figures of `parameter_servers_2017.csv` are within, and 97 % of the
    105 of `tf_benchmarks_2017.csv`. What no figure of a few devices foretells is not in them: a disk that is too slow
    for eight.

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


class _Weighed(NamedTuple):
    """A draw, the compute that it needs for the figures to be right, and how much it counts."""

    draw: Draw
    compute: float
    weight: float


def predict(
    workload: Workload, machine: Machine, figures: Mapping[Layout, float], layouts: Sequence[Layout]
) -> tuple[Prediction, ...]:
    """What `workload` gives on `layouts` of `machine`, where `figures` has the images/sec of one or two other layouts.

    From one figure alone (of one device) the interval is wide: what is hidden of the exchange is then not known. Raise
    UserError for a layout that the machine cannot have, and for figures that are none.
    """
    if not figures or not all(_LEAST <= figure <= _MOST for figure in figures.values()):
        raise UserError(
            f"To predict from, images/sec from {_LEAST:g} to {_MOST:g} are needed; there are {list(figures.values())}."
        )
    seconds = {layout: layout.devices * workload.batch_size / figure for layout, figure in figures.items()}
    model = _Model(workload, machine, seconds[min(seconds)])
    weighed = model.weigh(seconds)
    largest = max(layout.devices for layout in figures)
    return tuple(model.predict(weighed, layout, largest) for layout in layouts)


class _Model:
    """The formula for one workload on one machine; `scale` is about the seconds of one device's step."""

    def __init__(self, workload: Workload, machine: Machine, scale: float) -> None:
        self._workload, self._machine, self._scale = workload, machine, scale
        self._exchanges: dict[Layout, Exchange] = {}

    def weigh(self, seconds: Mapping[Layout, float]) -> list[_Weighed]:
        """Draws by how well they explain the `seconds` of a step that were measured."""
        for count in _DRAWS:
            found = [self._weighed(draw, seconds) for draw in draws(count)]
            top = max(each.weight for each in found)
            if not top:
                raise UserError(
                    f"The links of {self._machine.name} cannot be: exchanges over them take longer than the steps of "
                    f"the figures, {', '.join(f'{time:.3g} s' for time in seconds.values())}. Correct the links."
                )
            kept = [each for each in found if each.weight > 1e-6 * top]
            total = sum(each.weight for each in kept)
            # Kish's effective number of draws.
            if total**2 > _ENOUGH * sum(each.weight**2 for each in kept):
                break
        return [each._replace(weight=each.weight / total) for each in kept]

    def _weighed(self, draw: Draw, seconds: Mapping[Layout, float]) -> _Weighed:
        """The compute that fits the figures best, all with the same relative noise, and the likelihood of the rest."""
        precisions = [(NOISE * measured) ** -2 for measured in seconds.values()]
        left = [measured - sum(self._added(draw, layout)) for layout, measured in seconds.items()]
        compute = sum(w * x for w, x in zip(precisions, left, strict=True)) / sum(precisions)
        misfit = sum(w * (x - compute) ** 2 for w, x in zip(precisions, left, strict=True))
        possible = compute > 0
        return _Weighed(draw, compute, math.exp(-min(misfit, 1000.0) / 2) if possible else 0.0)

    def _added(self, draw: Draw, layout: Layout) -> tuple[float, float]:
        """Seconds of a step beside its compute: the exposed exchange, and waiting."""
        total = self._exchange_seconds(draw, layout)
        hidden = min((1 - draw.tail) * total, self._window(draw))
        return total - hidden, self._scale * self._company(draw, layout)

    def _exchange_seconds(self, draw: Draw, layout: Layout) -> float:
        if layout not in self._exchanges:
            self._exchanges[layout] = exchange(self._workload, self._machine, layout)
        found = self._exchanges[layout]
        network = self._machine.network
        over = found.network_bytes / network.bytes_per_second if network else 0.0
        local = found.local_seconds / (1.0 if self._machine.sharing_known else draw.share)
        return local + max(over, found.process_bytes / draw.grpc) + found.message_seconds

    def _window(self, draw: Draw) -> float:
        """Seconds of computation behind which the exchange can hide.

        Gradients have the backward pass, two of the three matrix products of a layer; variables that are read have the
        forward pass, too. Copies and networks run beside the kernels and find half of it at least. NCCL's rings are
        kernels: what they take the others lose, so theirs may be anything down to nothing.
        """
        whole = 1.0 if self._workload.reads else 2 / 3
        least = 0.0 if self._workload.in_kernels else 1 / 2
        return self._scale * whole * (least + (1 - least) * draw.window)

    def _company(self, draw: Draw, layout: Layout) -> float:
        """What devices cost one another beside the exchange, as a share of one device's compute."""
        board = draw.board if self._machine.boards and layout.each > 1 else 0.0
        waiting = draw.straggling * slowest(layout.devices) / slowest(2)
        images = 0.0 if self._workload.synthetic else self._workload.batch_size / self._scale * (layout.each - 1)
        return board + waiting + draw.host * images

    def predict(self, weighed: Sequence[_Weighed], layout: Layout, largest: int) -> Prediction:
        """The mean of the draws, and their bounds with the noise of a figure and the error of the model added."""
        added = [self._added(each.draw, layout) for each in weighed]
        compute = sum(each.weight * each.compute for each in weighed)
        total = sum(each.weight * self._exchange_seconds(each.draw, layout) for each in weighed)
        exposed, waiting = (sum(e.weight * x[i] for e, x in zip(weighed, added, strict=True)) for i in (0, 1))
        step = compute + exposed + waiting
        steps = sorted((each.compute + sum(more), each.weight) for each, more in zip(weighed, added, strict=True))
        model = DOUBLING_ERROR * max(0.0, math.log2(layout.devices / largest))
        own = BOUND * math.hypot(NOISE, model)
        slow = 1 + math.hypot(max(0.0, _quantile(steps, 0.95) / step - 1), own)
        fast = 1 + math.hypot(max(0.0, step / _quantile(steps, 0.05) - 1), own)
        images = layout.devices * self._workload.batch_size
        found = self._exchanges[layout]
        return Prediction(
            layout, images / step, images / step / slow, images / step * fast, step, compute, total, exposed, waiting,
            "the network" if total > 2 * found.local_seconds and found.network_bytes else found.busiest,
        )  # fmt: skip


def slowest(devices: int) -> float:
    """How many standard deviations the slowest of `devices` is above their mean, if normal (Blom 1958)."""
    return NormalDist().inv_cdf((devices - 0.375) / (devices + 0.25))


@functools.cache
def draws(count: int) -> tuple[Draw, ...]:
    """Guesses of the unknowns by their priors, spread evenly, and always the same (Halton 1960)."""
    priors = tuple(UNKNOWNS[name] for name in Draw._fields)
    return tuple(
        Draw(*(prior(_mirrored(i, base)) for prior, base in zip(priors, _BASES, strict=True)))
        for i in range(1, count + 1)
    )


def _mirrored(number: int, base: int) -> float:
    """`number`'s digits in `base` behind the point, in reverse."""
    value, place = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        place /= base
        value += digit * place
    return value


def _quantile(ordered: Sequence[tuple[float, float]], share: float) -> float:
    """The value below which `share` of the weight lies."""
    passed = 0.0
    for value, weight in ordered:
        passed += weight
        if passed >= share:
            return value
    return ordered[-1][0]
