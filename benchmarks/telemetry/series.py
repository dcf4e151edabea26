"""What was seen of one source beside the measured window, and what follows from it. Units stand in the names."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from results.telemetry import HELD, SLOWED

MOST_KEPT = 1000  # samples of a series in a record
REASONS = "throttle_reasons"  # a mask, which has neither mean nor extremes

Sample = Mapping[str, float | None]


class Source(Protocol):
    """Something to be looked at."""

    def sample(self) -> Sample:
        """Quantities now."""

    def counters(self) -> Sample:
        """Counters as they stand."""


@dataclass(frozen=True)
class Part:
    """How far a part of the window is: its counters are known, it has `begun`, it has `ended`; or it was given up."""

    counted: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be seen of it."""
        return self.ended.is_set() or self.given_up.is_set()


@dataclass
class Series:
    """What was seen of one source: `times` in seconds of the window, and a value of each quantity at each of them.

    A sample stands for the time since the one before, which `covered` has. `counted` is None of what was not known at
    the begin or the end of some part: the rest is not what was counted.
    """

    source: Source
    times: list[float] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)
    values: dict[str, list[float | None]] = field(default_factory=dict)
    counted: dict[str, float | None] = field(default_factory=dict)
    _begin: Sample = field(default_factory=dict)
    _due: list[float] = field(default_factory=list)  # what samples cover that are not the last of a part

    def look(self, seconds: float, part: Part | None = None) -> None:
        """Take a sample, `seconds` into the window; it does not count if the `part` has ended meanwhile."""
        if part and part.over:
            return
        sample = self.source.sample()
        if not (part and part.over):
            self._add(seconds, sample)
            self._due.append(self.covered[-1])

    def look_last(self, seconds: float, part: Part | None = None) -> None:
        """Take the sample at the end of a part; it does not count if the `part` is given up meanwhile."""
        sample = self.source.sample()
        if not (part and part.given_up.is_set()):
            self._add(seconds, sample)

    def _add(self, seconds: float, sample: Sample) -> None:
        self.covered.append(max(0.0, seconds - (self.times[-1] if self.times else 0.0)))
        self.times.append(seconds)
        for name, value in sample.items():
            self.values.setdefault(name, []).append(value)

    def begin(self) -> None:
        """See how the counters stand."""
        self._begin = self.source.counters()

    def end(self) -> None:
        """Add what they have counted since."""
        for name, value in self.source.counters().items():
            before, counted = self._begin.get(name), self.counted.get(name, 0.0)
            if value is None or before is None or counted is None or value < before:
                self.counted[name] = None
            else:
                self.counted[name] = counted + value - before

    def facts(self) -> dict[str, Any]:
        """Least, mean over time and most of each quantity that was told, the counters, and samples.

        Of a long run they are every n-th. `every_seconds` is the mean time from look to look, where there were some
        before the end of a part.
        """
        summary = {
            name: {"least": min(known), "mean": self._mean(name), "most": max(known)}
            for name in self.values
            if name != REASONS and (known := [value for _, value in self._known(name)])
        }
        every = -(-len(self.times) // MOST_KEPT) or 1
        kept = {name: values[::every] for name, values in self.values.items() if name in summary}
        series: dict[str, list[Any]] = {
            "seconds": [_rounded(seconds) for seconds in self.times[::every]],
            **{name: [_rounded(value) for value in values] for name, values in kept.items()},
        }
        if any(True for _ in self._known(REASONS)):
            series[REASONS] = self.values[REASONS][::every]
        found = {"samples": len(self.times), "summary": summary, "series": series}
        found["counted"] = {name: value for name, value in self.counted.items() if value is not None}
        return found | ({"every_seconds": math.fsum(self._due) / len(self._due)} if self._due else {})

    def slowed_shares(self) -> dict[str, float] | None:
        """By each reason for which clocks were held down (idleness is none), the share of time; None if not known."""
        known = [(seconds, int(mask)) for seconds, mask in self._known(REASONS)]
        shares = {
            word: _over_time((seconds, bool(mask & bit)) for seconds, mask in known)
            for bit, word in (SLOWED | HELD).items()
            if any(mask & bit for _, mask in known)
        }
        return shares if known else None

    def over_time(self, name: str) -> float | None:
        """The integral of a quantity over the window, by trapezoids; None where one of its values is not known."""
        return _integral(self.times, self.values.get(name, []))

    def _mean(self, name: str) -> float:
        return _over_time(self._known(name))

    def _known(self, name: str) -> Iterator[tuple[float, float]]:
        """The values of a quantity that are known, each after the seconds that it stands for."""
        for seconds, value in zip(self.covered, self.values.get(name, []), strict=False):
            if value is not None:
                yield seconds, value


def _over_time(samples: Iterator[tuple[float, float]]) -> float:
    """The mean of values, each with the seconds that it stands for; where these are none, each counts alike."""
    known = list(samples)
    whole = math.fsum(seconds for seconds, _ in known)
    if not whole:
        return math.fsum(value for _, value in known) / len(known)
    return math.fsum(seconds * value for seconds, value in known) / whole


def _rounded(value: float | None) -> float | None:
    """To six digits: more says nothing, and makes records long."""
    return None if value is None else float(f"{value:.6g}")


def _integral(times: Sequence[float], values: Sequence[float | None]) -> float | None:
    """The integral of `values` over `times`, by trapezoids, from 0 on; None where a value is not known."""
    if not values or None in values:
        return None
    known = [value for value in values if value is not None]
    begin = [0.0, *times], [known[0], *known]
    return math.fsum(
        (later - earlier) * (first + second) / 2
        for earlier, later, first, second in zip(begin[0], times, begin[1], known, strict=False)
    )
