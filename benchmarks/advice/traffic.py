"""What each strategy sends over which link in a step, and how long the busiest takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.advice import rings
from benchmarks.advice.machine import Machine
from benchmarks.errors import UserError

BETWEEN_MACHINES = ("horovod", "collective_all_reduce", "distributed_all_reduce")
SERVED = ("parameter_server", "distributed_replicated")
LOCAL = ("replicated", "sharded", "mirrored")
STRATEGIES = (*SERVED, *LOCAL, *BETWEEN_MACHINES, "independent")
_HOST = -1
_READ_IN_UPDATE = 3  # of a variable by its host, besides the gradients: variable and sum, and the variable written


@dataclass(frozen=True)
class Workload:
    """What each device trains on in a step, and how the devices keep in step.

    `gradient_bytes` of all variables as they travel, in `tensors` of them, the largest of `largest_bytes` (0: they are
    small); `batch_size` images a device and step. `strategy` is a value of --variable_update, `place` of
    --local_parameter_device ("" where it has none). `nccl`: whether `strategy` adds up by NCCL's rings, else by copies;
    `one_ring`: whether NCCL is a release before 2. `synthetic`: whether the host prepares no images meanwhile.
    `sliced`: whether servers share a large variable evenly, as MXNet's do and TensorFlow's do not.
    """

    model: str
    gradient_bytes: float
    tensors: int
    batch_size: int
    strategy: str
    place: str = ""
    nccl: bool = False
    largest_bytes: float = 0.0
    one_ring: bool = False
    synthetic: bool = True
    sliced: bool = False

    @property
    def in_kernels(self) -> bool:
        """Whether the exchange on a machine is done by kernels, which compete with those of the network."""
        return self.nccl or self.strategy in BETWEEN_MACHINES

    @property
    def reads(self) -> bool:
        """Whether towers read variables while they compute forward, and not only send gradients on their way back."""
        return self.strategy in SERVED


@dataclass(frozen=True, order=True)
class Layout:
    """`devices` in all, in equal parts on `machines`; `servers` processes hold variables, at most one a machine.

    `servers` matters between machines alone; 0: as many as machines.
    """

    devices: int
    machines: int = 1
    servers: int = 0

    @property
    def each(self) -> int:
        """Devices of the fullest machine."""
        return -(-self.devices // self.machines)


class Exchange(NamedTuple):
    """What a step exchanges: `local_seconds` on each machine, and what goes between machines.

    `network_bytes` cross the busiest machine's network in its busier direction, and `message_seconds` are those of the
    busiest server. `process_bytes` pass the busiest process of TensorFlow's servers, over the network or not.
    `busiest` names the link on a machine that takes longest, "" where there is none.
    """

    local_seconds: float = 0.0
    network_bytes: float = 0.0
    message_seconds: float = 0.0
    process_bytes: float = 0.0
    busiest: str = ""


def exchange(workload: Workload, machine: Machine, layout: Layout) -> Exchange:
    """What a step of `workload` exchanges on `layout` of `machine`. Raise UserError for what cannot be there."""
    _check(workload, machine, layout)
    if workload.strategy == "independent":
        return Exchange()
    if workload.strategy in SERVED and (layout.machines > 1 or workload.strategy == "distributed_replicated"):
        return _served(workload, machine, layout)
    local, busiest = _local(workload, machine, layout.each)
    if layout.machines == 1:
        return Exchange(local, busiest=busiest)
    # Rings between machines: 2 (m - 1) / m of the bytes pass each, in messages that are merged to few.
    passing = 2 * (layout.machines - 1) / layout.machines * workload.gradient_bytes
    latency = machine.network.latency_seconds if machine.network else 0.0
    return Exchange(local, passing, 2 * (layout.machines - 1) * latency, busiest=busiest)


def _check(workload: Workload, machine: Machine, layout: Layout) -> None:
    if workload.strategy not in STRATEGIES:
        raise UserError(f"The cost model knows no strategy {workload.strategy!r}: there are {', '.join(STRATEGIES)}.")
    if min(layout.devices, layout.machines) < 1 or layout.servers < 0:
        raise UserError(f"{layout}: devices and machines must be at least 1.")
    if layout.each > machine.gpus:
        raise UserError(
            f"{layout.devices} devices on {layout.machines} machine(s) are {layout.each} each; {machine.name} has "
            f"{machine.gpus}. Take more machines."
        )
    if layout.machines > 1 and workload.strategy in LOCAL:
        raise UserError(
            f"{workload.strategy} is for one machine; between {layout.machines} take {BETWEEN_MACHINES[1]}."
        )
    if layout.machines > 1 and machine.network is None and workload.strategy != "independent":
        raise UserError(f"The network between machines of {machine.name} is not known. Tell its bandwidth.")


def _local(workload: Workload, machine: Machine, gpus: int) -> tuple[float, str]:
    """Seconds of an exchange on one machine, and the link that takes longest."""
    size = workload.gradient_bytes
    if workload.strategy == "parameter_server" and workload.place == "cpu":
        both = [_busiest(machine, flows) for flows in (_from_host(size, gpus), _to_host(size, gpus))]
        adding = (gpus + _READ_IN_UPDATE) * size / machine.host_bytes_per_second
        return sum(seconds for seconds, _ in both) + adding, max(both)[1]
    if gpus == 1:
        return 0.0, ""
    if workload.in_kernels:
        rate = rings.rate(machine, gpus, one_ring=workload.one_ring)
        return 2 * (gpus - 1) / gpus * size / rate, f"ring at {rate / 1e9:.3g} GB/s"
    both = [_busiest(machine, flows) for flows in (_gathered(workload, gpus), _spread(workload, gpus))]
    return sum(seconds for seconds, _ in both), max(both)[1]


def _served(workload: Workload, machine: Machine, layout: Layout) -> Exchange:
    """Each machine adds up its towers' gradients, sends the sum to the servers, and reads all variables once.

    Servers stand on the first machines. One that shares its machine with a worker sends it nothing over the network.
    """
    servers = layout.servers or layout.machines
    whole = workload.gradient_bytes / servers
    share = whole if workload.sliced or servers == 1 else max(whole, workload.largest_bytes)
    parts = [
        _busiest(machine, _gathered(workload, layout.each)),
        _busiest(machine, _to_host(workload.gradient_bytes, 1)),
        _busiest(machine, _from_host(workload.gradient_bytes, layout.each)),
    ]
    adding = (layout.machines + _READ_IN_UPDATE) * share / machine.host_bytes_per_second
    local = sum(seconds for seconds, _ in parts) + adding
    # Its own machine's worker asks a server in the same way as the others. A worker sends, and reads, all variables.
    process = max(layout.machines * share, workload.gradient_bytes)
    if layout.machines == 1:
        return Exchange(local, process_bytes=process, busiest=max(parts)[1])
    beside = servers <= layout.machines
    over = (layout.machines - 1) * share + (workload.gradient_bytes - share) if beside else layout.machines * share
    # Of each tensor a gradient comes in and a value goes out for each worker.
    messages = 2 * layout.machines * workload.tensors / servers
    latency = machine.network.latency_seconds if machine.network else 0.0
    return Exchange(local, over, messages * latency, process, max(parts)[1])


def _owned(workload: Workload, gpus: int) -> list[float]:
    """Bytes that each GPU owns: equal shares, but the largest variable is in one piece."""
    first = max(workload.gradient_bytes / gpus, min(workload.largest_bytes, workload.gradient_bytes))
    return [first] + [(workload.gradient_bytes - first) / (gpus - 1)] * (gpus - 1) if gpus > 1 else [first]


Flows = Iterator[tuple[int, int, float]]  # from, to, bytes


def _gathered(workload: Workload, gpus: int) -> Flows:
    """Every GPU sends each owner its gradients."""
    owned = _owned(workload, gpus)
    return ((a, b, owned[b]) for a in range(gpus) for b in range(gpus) if a != b)


def _spread(workload: Workload, gpus: int) -> Flows:
    """Every owner sends each GPU what it owns."""
    owned = _owned(workload, gpus)
    return ((a, b, owned[a]) for a in range(gpus) for b in range(gpus) if a != b)


def _from_host(size: float, gpus: int) -> Flows:
    return ((_HOST, gpu, size) for gpu in range(gpus))


def _to_host(size: float, gpus: int) -> Flows:
    return ((gpu, _HOST, size) for gpu in range(gpus))


def _busiest(machine: Machine, flows: Flows) -> tuple[float, str]:
    """Seconds of the link that `flows` keep busy longest, and its name."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for source, target, size in flows:
        for link, rate in _way(machine, source, target).items():
            seconds[link] += size / rate
    return max(((time, link) for link, time in seconds.items()), default=(0.0, ""))


def _way(machine: Machine, source: int, target: int) -> Mapping[str, float]:
    """The links from one GPU or the host to another, each with its bytes/s."""
    between_gpus = _HOST not in (source, target)
    if between_gpus and machine.switched:
        one, other = machine.number(source), machine.number(target)
        return {f"NVSwitch from GPU {one}": machine.switched, f"NVSwitch to GPU {other}": machine.switched}
    if between_gpus and machine.nvlink(source, target):
        one, other = machine.number(source), machine.number(target)
        return {f"NVLink from GPU {one} to GPU {other}": machine.nvlink(source, target)}
    way = {}
    for link in machine.shared:
        inside = source in link.gpus and target in link.gpus
        name = _named(link.what, [machine.number(gpu) for gpu in link.gpus])
        if source in link.gpus and not (inside and machine.peers):
            way[f"{name}, outward"] = link.bytes_per_second
        if target in link.gpus and not (inside and machine.peers):
            way[f"{name}, inward"] = link.bytes_per_second
    if between_gpus and machine.apart(source, target):
        near = next(socket for socket in machine.sockets if source in socket)
        way[f"between processors, from that of GPU {machine.number(near[0])}"] = machine.between_sockets
    return way


def _named(what: str, gpus: Sequence[int]) -> str:
    return f"{what} of GPU{'s' if len(gpus) > 1 else ''} {', '.join(map(str, gpus))}"
