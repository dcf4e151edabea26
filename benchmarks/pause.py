"""What a training pauses for: it happens between two measured steps, and in no window."""

from __future__ import annotations

from typing import Protocol

from benchmarks.measure import Recording


class Pause(Protocol):
    """An evaluation, a checkpoint: whatever is not a step."""

    def due(self, recording: Recording) -> bool:
        """Whether to pause now, after the latest measured step; asked after every one, within the window."""

    def __call__(self, recording: Recording) -> bool:
        """Do it; returns whether the training is to end here."""
