"""The time that there is for all that is measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class BudgetSpentError(Exception):
    """The budget was spent before something was done, which was ended: it has not failed."""


class Budget:
    """So many `seconds`, from now on by `clock`."""

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._begin = clock()

    @property
    def spent(self) -> float:
        """The seconds that have passed."""
        return self._clock() - self._begin

    @property
    def left(self) -> float:
        """The seconds that there still are; none below 0 or at it."""
        return self.seconds - self.spent
