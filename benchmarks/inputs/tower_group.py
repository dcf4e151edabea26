"""The towers that one process makes input for. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TowerGroup:
    """Towers on `devices`: those from number `first` on of the run's `total`."""

    devices: tuple[str, ...]
    first: int
    total: int

    @classmethod
    def of_all(cls, devices: Sequence[str]) -> TowerGroup:
        """All towers of a run."""
        return cls(tuple(devices), 0, len(devices))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Number and device of each."""
        return iter(enumerate(self.devices, self.first))
