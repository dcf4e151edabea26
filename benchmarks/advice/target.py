"""What is to be advised on: the GPUs of this machine, those of another, or towers on the CPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.advice import machine, wiring_file
from benchmarks.advice.machine import Machine
from benchmarks.advice.situation import Wired, of_machine, of_wiring
from benchmarks.errors import UserError
from benchmarks.telemetry import wiring
from benchmarks.telemetry.cuda_order import unloadable


@dataclass(frozen=True)
class Target:
    """A `kind` of device, "cpu" or "gpu"; `machine` is None where the links between devices are not known.

    `wired` tells how the first so many GPUs are wired.
    """

    kind: str
    machine: Machine | None
    wired: Callable[[int], Wired]

    def counts(self, text: str) -> list[int]:
        """The numbers of devices in `text`; where it has none, powers of two up to all, on the CPU two.

        Raise UserError for numbers that there are not.
        """
        most = self.machine.gpus if self.machine else None
        if not text:
            return [2] if most is None else sorted({most, *(2**power for power in range(most.bit_length()))})
        try:
            counts = sorted({int(each) for each in text.split(",")})
        except ValueError:
            counts = [0]
        if counts[0] < 1:
            raise UserError(f"--num_gpus={text} is no list of whole numbers from 1 on, as in 1,2,4.")
        if most is not None and counts[-1] > most:
            raise UserError(f"--num_gpus={text}: the machine has {most} devices. Ask for at most {most}.")
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
        return Target("cpu", None, lambda _: Wired())
    if platform:
        known = machine.of_platform(platform)
        return Target("gpu", known, lambda count: of_machine(known, count))
    if links:
        return _measured(machine.of_measurements(links), wiring_file.beside_links(links))
    return _wired(wiring_file.read(wires), str(wires), str(wires)) if wires else _at_hand(wiring.read())


def check_gpus(count: int) -> None:
    """Raise UserError where this machine surely has no `count` GPUs to make runs on."""
    found = wiring.read()
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


def _measured(links: Machine, found: wiring.Wiring | None) -> Target:
    """A machine whose links were measured; what cards it has, and which are peers, its wiring tells, if it is known."""
    if found and links.nvlinks and all(link.switched for link in found.links.values()):
        # Each pair was measured alone, and had all that a GPU has to the switches.
        links = dataclasses.replace(links, nvlinks={}, switched=min(links.nvlinks.values()))
    if found is None or len(found.gpus) != links.gpus:
        return Target("gpu", links, lambda count: of_machine(links, count))
    known = dataclasses.replace(links, accelerator=found.gpus[0].name or "")
    return dataclasses.replace(_wired(found, links.name), machine=known)


def _at_hand(found: wiring.Wiring | str) -> Target:
    if isinstance(found, str) or not found.gpus:
        why = found if isinstance(found, str) else "it shows none"
        raise UserError(
            f"The NVIDIA driver tells nothing of GPUs: {why}. Name another machine with --platform, --wiring or "
            "--links, or measure on the CPU with --device=cpu --measure."
        )
    return _wired(found, "this machine")


def _wired(found: wiring.Wiring, name: str, told_by: str = "NVML") -> Target:
    indices = [gpu.index for gpu in found.gpus]
    return Target(
        "gpu", machine.of_wiring(found, name=name, told_by=told_by), lambda count: of_wiring(found, indices[:count])
    )
