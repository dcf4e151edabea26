"""What the towers exchange in a step and how, settled before anything runs. Imports no TensorFlow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from variable_mgr import algorithms, all_reduce_spec, packs, topology
from variable_mgr.algorithms import Algorithm
from variable_mgr.all_reduce_spec import NEED_GPUS, Level, Range
from variable_mgr.balance import balanced_by_bytes
from variable_mgr.schedule import Schedule, mean_schedule
from variable_mgr.topology import Topology

TRANSFER_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}  # an element's, on its way
NCCL_FORMATS = ("float32", "float16")  # of those: the types that TensorFlow passes on to NCCL


class CannotReduceError(ValueError):
    """The exchange that was asked for cannot be had from these towers; the message names what can."""


@dataclass(frozen=True, kw_only=True)
class ReduceOptions:
    """How gradients are exchanged; the defaults are the plain exchange of each by itself.

    `spec` is an `--all_reduce_spec`; with None, each mean is taken on one tower's device, balanced by bytes, and copied
    to the others. `topology`, for hierarchical_copy, is "dgx1", "gcp_v100" or one that was derived for these towers;
    `ring`, for xring, is the order in which they are linked, () for that of their numbers. Of the packings at most one
    is asked for: `repacking` (number of packs, 0: none), `bytes_per_pack` (0: none), `small_bytes` (0: none; with
    `small_group`, the most gradients of at most that size to join) and `gradients_per_pack`. `transfer_format` is what
    numbers travel in: "float32", "float16" or "bfloat16".
    """

    spec: str | None = None
    topology: str | Topology = "dgx1"
    ring: tuple[int, ...] = ()
    repacking: int = 0
    bytes_per_pack: int = 0
    small_bytes: int = 0
    small_group: int = 10
    gradients_per_pack: int = 1
    transfer_format: str = "float32"


PLAIN = ReduceOptions()  # each gradient by itself, its mean taken on one tower


@dataclass(frozen=True)
class Exchange:
    """One all-reduce: of the gradients, or parts of them, in `pack`."""

    name: str
    pack: packs.Pack
    algorithm: str
    schedule: Schedule


@dataclass(frozen=True)
class Plan:
    """Every all-reduce of a step, among the devices `towers`."""

    options: ReduceOptions
    towers: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True)
class Traffic:
    """What a step sends: `exchanges` is their number, `sent_bytes` what leaves each device, zeros included.

    A device that is no tower's is there where it sends: the CPU that adds up for GPUs.
    """

    exchanges: int
    sent_bytes: dict[str, int]


def added_up(traffics: Iterable[Traffic]) -> Traffic:
    """What all of `traffics` send together."""
    exchanges = 0
    sent: Counter[str] = Counter()
    for traffic in traffics:
        exchanges += traffic.exchanges
        sent.update(traffic.sent_bytes)
    return Traffic(exchanges, dict(sent))


def make_plan(options: ReduceOptions, sizes: packs.Sizes, towers: Sequence[str]) -> Plan:
    """The plan for gradients of `sizes` (name -> elements) on the devices `towers`. Raises CannotReduceError."""
    _check(options, towers)
    chosen = packing(options, sizes)
    named = {packs.pack_name(index, pack, sizes): pack for index, pack in enumerate(chosen)}
    schedule = _Scheduler(options, towers, named)
    exchanges = tuple(
        Exchange(name, pack, *schedule(name, packs.elements(pack), turn))
        for turn, (name, pack) in enumerate(named.items())
    )
    return Plan(options, tuple(towers), exchanges)


def packing(options: ReduceOptions, sizes: packs.Sizes) -> list[packs.Pack]:
    """The packs that `options` ask for. Raises CannotReduceError where they ask for more than one way of packing."""
    asked: dict[str, Callable[[], list[packs.Pack]]] = {}
    if options.repacking:
        asked["repacking"] = lambda: packs.evenly(sizes, options.repacking)
    if options.bytes_per_pack:
        asked["bytes_per_pack"] = lambda: packs.by_bytes(sizes, options.bytes_per_pack)
    if options.small_bytes:
        asked["small_bytes"] = lambda: packs.small_together(sizes, options.small_bytes, options.small_group)
    if options.gradients_per_pack > 1:
        asked["gradients_per_pack"] = lambda: packs.by_count(sizes, options.gradients_per_pack)
    if len(asked) > 1:
        raise CannotReduceError(f"{' and '.join(asked)} each say what is exchanged together: give one of them.")
    return next(iter(asked.values()))() if asked else packs.one_by_one(sizes)


def exchange_bytes(plan: Plan) -> Traffic:
    """The bytes that leave each device in a step of `plan`, by its shapes, algorithms and packing alone.

    What NCCL and the collective send is taken as that of a ring, which is what they choose for large tensors.
    """
    sent: Counter[str] = Counter(dict.fromkeys(plan.towers, 0))
    for exchange in plan.exchanges:
        sent.update(exchange.schedule.sent_elements())
    width = TRANSFER_BYTES[plan.options.transfer_format]
    several = len(plan.towers) > 1
    return Traffic(len(plan.exchanges) if several else 0, {device: width * count for device, count in sent.items()})


class _Scheduler:
    """The schedule of each exchange: slots are the towers', then one for each group, on the CPU of its machine."""

    def __init__(self, options: ReduceOptions, towers: Sequence[str], named: dict[str, packs.Pack]) -> None:
        self._options = options
        self._spec = None if options.spec is None else all_reduce_spec.parse(options.spec)
        self._towers = tuple(range(len(towers)))
        self._groups = topology.groups_of(towers)
        self._hosts = tuple(range(len(towers), len(towers) + len(self._groups)))
        self._devices = (*towers, *(topology.host_of(towers[group[0]]) for group in self._groups))
        sizes = {name: packs.elements(pack) for name, pack in named.items()}
        self._meeting_place = balanced_by_bytes(sizes, self._towers)

    def __call__(self, name: str, elements: int, turn: int) -> tuple[str, Schedule]:
        """The algorithm's name, and its schedule for the exchange `name`."""
        width = TRANSFER_BYTES[self._options.transfer_format]
        if self._spec is None:
            title, algorithm = "one device", algorithms.gather((self._meeting_place[name],))
        else:
            chosen = self._spec.range_for(elements, width)
            title, algorithm = str(chosen), self._range(chosen)
        halves = algorithm(self._towers, 0, elements, turn)
        narrow = width < packs.GRADIENT_BYTES
        return title, mean_schedule(self._devices, len(self._towers), elements, halves, divide_first=narrow)

    def _range(self, chosen: Range) -> Algorithm:
        if len(chosen.levels) == 1:
            return self._level(chosen.levels[0])
        first, second = chosen.levels
        by_cpu = first.algorithm == "pscpu"
        leaders = [(host,) for host in self._hosts] if by_cpu else self._groups
        between = algorithms.two_levels(
            self._groups, leaders, "gather" if by_cpu else first.algorithm, self._level(second)
        )
        return algorithms.sharded(between, first.shards)

    def _level(self, level: Level) -> Algorithm:
        if level.algorithm == "collective":
            return algorithms.joint("collective", level.shards)
        return algorithms.sharded(self._unsharded(level.algorithm), level.shards)

    def _unsharded(self, name: str) -> Algorithm:
        if name == "hierarchical_copy":
            wiring = topology.topology(self._options.topology, len(self._towers))
            return algorithms.hierarchical_copy(wiring.groups, wiring.mains)
        return {
            "nccl": algorithms.joint("nccl"),
            "xring": algorithms.in_order(algorithms.ring, self._options.ring),
            "rechd": algorithms.halving_doubling,
            "tree": algorithms.tree,
            "pscpu": algorithms.gather(self._hosts),
            "psgpu": algorithms.gather(self._towers),
        }[name]


def _check(options: ReduceOptions, towers: Sequence[str]) -> None:
    """Raise CannotReduceError where `towers` lack what the options need."""
    if options.spec is None:
        return
    spec = all_reduce_spec.parse(options.spec)
    used = spec.algorithms
    lacking = [name for name in used if name in NEED_GPUS]
    if lacking and not all(map(topology.is_gpu, towers)):
        raise CannotReduceError(
            f"--all_reduce_spec={options.spec}: {lacking[0]} needs GPUs, and the towers are on {', '.join(towers)}. "
            "Without GPUs there are xring, rechd, tree, pscpu, hierarchical_copy and collective."
        )
    by_nccl = [name for name in used if name == "nccl" or (name == "collective" and topology.is_gpu(towers[0]))]
    if by_nccl and options.transfer_format not in NCCL_FORMATS:
        raise CannotReduceError(
            f"--all_reduce_spec={options.spec}: TensorFlow's NCCL, which {by_nccl[0]} uses, does not add up "
            f"{options.transfer_format}. Pass --gradient_transfer=fp32 or fp16, or --all_reduce_spec=xring."
        )
    count = len(topology.machines(towers))
    if count > 1 and any([level.algorithm for level in each.levels] == ["nccl"] for each in spec.ranges):
        raise CannotReduceError(
            f"--all_reduce_spec={options.spec}: nccl joins the GPUs of one machine, and the towers are on {count}. "
            "Between machines there are nccl/xring, nccl/rechd, nccl/pscpu and collective."
        )
    if "hierarchical_copy" in used:
        try:
            topology.topology(options.topology, len(towers))
        except ValueError as error:
            raise CannotReduceError(str(error)) from error
