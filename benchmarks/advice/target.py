"""What is to be advised on: the GPUs of this machine, those of another, or towers on the CPU."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.advice import machine, wiring_file
from benchmarks.advice.machine import Machine
from benchmarks.advice.situation import Wired, of_machine, of_wiring
from benchmarks.errors import UserError
from benchmarks.telemetry import wiring
from benchmarks.telemetry.cuda_order import shown, unloadable
from benchmarks.telemetry.wiring import Wiring


@dataclass(frozen=True)
class Target:
    """A `kind` of device, "cpu" or "gpu"; `machine` is None where nothing can be predicted, and `why_not` says why.

    `wired` tells how the first so many GPUs are wired, `devices` how many there are, None where as many as one asks
    for. `broken` names GPUs of which the driver does not tell: they are none of these.
    """

    kind: str
    machine: Machine | None
    wired: Callable[[int], Wired]
    devices: int | None
    why_not: str = ""
    broken: tuple[str, ...] = ()

    def counts(self, text: str) -> list[int]:
        """The numbers of devices in `text`; where it has none, powers of two up to all, on the CPU two.

        Raise UserError for numbers that there are not.
        """
        most = self.devices
        if not text:
            return [2] if most is None else sorted({most, *(2**power for power in range(most.bit_length()))})
        try:
            counts = sorted({int(each) for each in text.split(",")})
        except ValueError:
            counts = [0]
        if counts[0] < 1:
            raise UserError(f"--num_gpus={text} is no list of whole numbers from 1 on, as in 1,2,4.")
        if most is not None and counts[-1] > most:
            raise UserError(
                f"--num_gpus={text}: the machine has {most} devices. Ask for at most {most}; for several machines, "
                "python -m benchmarks.studies.cost_model has --devices."
            )
        return counts


def find(*, device: str, platform: str | None, links: Path | None, wires: Path | None) -> Target:
    """The target of the flags --device, --platform, --links and --wiring. Raise UserError where there is none."""
    given = {"--platform": platform, "--links": links, "--wiring": wires}
    named = [flag for flag, value in given.items() if value]
    if len(named) > 1:
        raise UserError(f"{' and '.join(named)} each say which machine it is about: give one of them.")
    if device == "cpu" and named:
        raise UserError(f"{named[0]} with --device=cpu: it tells how GPUs are linked. Leave one of them out.")
    if device == "cpu":
        return Target("cpu", None, lambda _: Wired(), None, "how fast logical CPU devices exchange is not known")
    if platform:
        known = machine.of_platform(platform)
        return _known(known)
    if links:
        return _measured(machine.of_measurements(links), wiring_file.beside_links(links))
    return _of_file(wires) if wires else _at_hand(wiring.read())


def check_gpus(count: int) -> None:
    """Raise UserError where this machine surely has no `count` GPUs to make runs on."""
    read = wiring.read()
    found = read if isinstance(read, str) else _shown(read)
    if isinstance(found, str):
        if unloadable():
            raise UserError(
                f"--measure makes its runs on this machine, which has no GPU: {found}. Leave it out, or measure on the "
                "CPU with --device=cpu and without --platform, --wiring and --links."
            )
    elif not found.broken and len(found.gpus) < count:
        raise UserError(
            f"--measure with {count} devices: it makes its runs on this machine, which has {len(found.gpus)}. Pass "
            "--num_gpus for fewer, or leave it out."
        )


def _known(machine: Machine) -> Target:
    return Target("gpu", machine, lambda count: of_machine(machine, count), machine.gpus)


def _measured(links: Machine, found: Wiring | None) -> Target:
    """A machine whose links were measured; what cards it has, and which are peers, its wiring tells, if it is known."""
    if found and links.nvlinks and all(link.switched for link in found.links.values()):
        # Each pair was measured alone, and had all that a GPU has to the switches.
        links = dataclasses.replace(links, nvlinks={}, switched=min(links.nvlinks.values()))
    if found is None or len(found.gpus) != links.gpus:
        return _known(links)
    target = _wired(found, links.name)
    known = dataclasses.replace(links, accelerator=found.gpus[0].name or "")
    return dataclasses.replace(target, machine=known if target.machine else None)


def _of_file(path: Path) -> Target:
    found = wiring_file.read(path)
    if not found.gpus:
        raise UserError(f"--wiring={path}: no GPU was told of there: {'; '.join(found.broken)}. Give another file.")
    return _wired(found, str(path), str(path))


def _at_hand(read: Wiring | str) -> Target:
    found = read if isinstance(read, str) else _shown(read)
    if isinstance(found, str) or not found.gpus:
        none = "CUDA_VISIBLE_DEVICES shows none" if isinstance(read, Wiring) and read.gpus else "it shows none"
        why = found if isinstance(found, str) else none
        raise UserError(
            f"The NVIDIA driver tells nothing of GPUs: {why}. Name another machine with --platform, --wiring or "
            "--links, or measure on the CPU with --device=cpu --measure."
        )
    return _wired(found, "this machine")


def _shown(found: Wiring) -> Wiring:
    """Those GPUs that CUDA_VISIBLE_DEVICES leaves, in its order; all where it is not known which these are."""
    seen = None if found.broken else shown(found.gpus, os.environ)
    return dataclasses.replace(found, gpus=tuple(seen.gpus)) if seen else found


def _wired(found: Wiring, name: str, told_by: str = "NVML") -> Target:
    """Nothing is predicted of a machine with several kinds of cards: the cost model knows machines of one.

    Nor is it known which of those are CUDA's first, as it puts the fastest there.
    """
    indices = [gpu.index for gpu in found.gpus]
    known = machine.of_wiring(found, name=name, told_by=told_by)
    target = Target("gpu", known, lambda count: of_wiring(found, indices[:count]), len(indices), broken=found.broken)
    kinds = dict.fromkeys(gpu.name for gpu in found.gpus if gpu.name)
    if len(kinds) < 2:
        return target
    why = (
        f"{name} has {' and '.join(kinds)}, whose steps wait for the slowest, and the cost model knows machines with "
        "one kind of card (CUDA_VISIBLE_DEVICES with CUDA_DEVICE_ORDER=PCI_BUS_ID chooses, where they are at hand)"
    )
    every = len(indices)
    return dataclasses.replace(
        target,
        machine=None,
        why_not=why,
        wired=lambda count: of_wiring(found, indices) if count == every else Wired(),
    )
