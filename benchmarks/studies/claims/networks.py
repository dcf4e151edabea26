"""Networks in training that several claims are about, in sizes that a machine takes seconds for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.studies.claims.claim import Case, Promise, Way
from benchmarks.studies.claims.evidence import Tell, reasons
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.runs import way


class Size(NamedTuple):
    """Images and steps of a run, and the seconds that one takes from start to end."""

    batch: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class Trained:
    """A network, the data set of its images, and how long it is trained on two cores of a CPU or on a GPU."""

    model: str
    data: str
    cpu: Size
    gpu: Size

    def way(self, name: str, machine: Machine, *flags: str) -> Way:
        """A way to train it, whose record tells the operations of the step."""
        size = self._size(machine)
        flags = ("--log_device_placement", *flags)
        return way(name, machine, self.model, size.batch, size.steps, *flags, data=self.data)

    def case(
        self,
        machine: Machine,
        advised: tuple[str, ...],
        other: tuple[str, ...],
        *both: str,
        promise: Promise,
        tells: Sequence[Tell],
        called: str = "",
        slower: float = 1.0,
    ) -> Case:
        """A case of it: each way is its name and its flags, `both` are flags of both. `tells` give the reasons.

        `called` says what it is beside its model, `slower` how many times as long as usual its runs take.
        """
        first, second = (self.way(name, machine, *both, *flags) for name, *flags in (advised, other))
        name = f"{self.model} {called}" if called else self.model
        seconds = slower * self._size(machine).seconds
        return Case(name, first, second, promise, seconds, reasons=reasons(first.name, second.name, tells))

    def _size(self, machine: Machine) -> Size:
        return self.gpu if machine.gpus else self.cpu


RESNET20 = Trained("resnet20", "cifar10", Size(32, 40, 12), Size(256, 200, 25))
RESNET50 = Trained("resnet50", "imagenet", Size(4, 8, 20), Size(64, 100, 35))
INCEPTION3 = Trained("inception3", "imagenet", Size(4, 8, 25), Size(64, 100, 45))
ALEXNET = Trained("alexnet", "imagenet", Size(16, 10, 20), Size(256, 100, 30))
VGG16 = Trained("vgg16", "imagenet", Size(2, 6, 25), Size(32, 100, 35))
