"""What the hardware did during the measured window: looked at beside the run, by a thread of its own."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.load import HELD, SLOWED
from benchmarks.telemetry.gpus import Gpus
from benchmarks.telemetry.host import Host

PATIENCE_SECONDS = 30.0  # with a driver: that of 16 GPUs which are all to be woken takes a few
MOST_KEPT = 1000  # samples of a series in a record

Sample = Mapping[str, float | None]


class Source(Protocol):
    """Something to be looked at."""

    def sample(self) -> Sample:
        """Quantities now."""

    def counters(self) -> Sample:
        """Counters as they stand."""


@dataclass
class Series:
    """What was seen of one source: `times` in seconds of the window, and a value of each quantity at each of them.

    `counted` is None of what was not known at the begin or the end of some part: the rest is not what was counted.
    """

    source: Source
    times: list[float] = field(default_factory=list)
    values: dict[str, list[float | None]] = field(default_factory=dict)
    counted: dict[str, float | None] = field(default_factory=dict)
    _begin: Sample = field(default_factory=dict)

    def look(self, seconds: float, given_up: threading.Event | None = None) -> None:
        """Take a sample, `seconds` into the window; it does not count if it was `given_up` meanwhile."""
        if given_up and given_up.is_set():
            return
        sample = self.source.sample()
        if given_up and given_up.is_set():
            return
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
        """Least, mean and most of each quantity that was told, the counters, and samples: of a long run every n-th."""
        known = {
            name: [value for value in values if value is not None]
            for name, values in self.values.items()
            if name != "throttle_reasons"
        }
        summary = {
            name: {"least": min(values), "mean": math.fsum(values) / len(values), "most": max(values)}
            for name, values in known.items()
            if values
        }
        every = -(-len(self.times) // MOST_KEPT) or 1
        kept = {name: values[::every] for name, values in self.values.items() if name in summary}
        series = {
            "seconds": [_rounded(seconds) for seconds in self.times[::every]],
            **{name: [_rounded(value) for value in values] for name, values in kept.items()},
        }
        counted = {name: value for name, value in self.counted.items() if value is not None}
        return {"samples": len(self.times), "summary": summary, "counted": counted, "series": series}


class Telemetry:
    """Looks at the host and at this process's GPUs every `interval` seconds while a part of the window goes on.

    There is always a sample at the end of a part, outside the window. Nothing is looked at between parts. `clock` is
    that of the window; `addresses` are those of the GPUs, as for `own_gpus`.
    """

    def __init__(
        self,
        interval: float,
        clock: Callable[[], float] = time.perf_counter,
        addresses: Sequence[str] | None = None,
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._gpus = Gpus(addresses)
        self._host = Series(Host())
        self._series = {name: Series(gpu) for name, gpu in self._gpus.by_name.items()}
        self._window = 0.0  # seconds of it in the parts that are over
        self._begin = self._end = 0.0  # of the part, by the clock

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """While this is entered, a part of the window goes on.

        NVML is asked by the thread alone: a driver that does not answer any more holds up that, and not the run.
        """
        begun, timed, ended, given_up = (threading.Event() for _ in range(4))
        events = (begun, timed, ended, given_up)
        sampler = threading.Thread(target=self._sample, args=events, name="telemetry", daemon=True)
        self._host.begin()
        self._host.source.sample()  # rates begin here
        sampler.start()
        if not begun.wait(PATIENCE_SECONDS):
            self._give_up(given_up)
        self._begin = self._clock()
        timed.set()
        try:
            yield
        finally:
            self._end = self._clock()
            ended.set()
            self._host.end()
            sampler.join(0.0 if given_up.is_set() else PATIENCE_SECONDS)
            if sampler.is_alive() and not given_up.is_set():
                self._give_up(given_up)
            if given_up.is_set():
                self._look_last()  # which says only that nothing is known
            self._window += self._end - self._begin
            self._host.look(self._window)

    def _sample(
        self, begun: threading.Event, timed: threading.Event, ended: threading.Event, given_up: threading.Event
    ) -> None:
        for series in self._series.values():
            series.begin()
        begun.set()
        timed.wait()  # the looks are told by the time since then
        while not ended.wait(self._interval):
            for series in (self._host, *self._series.values()):
                series.look(self._window + self._clock() - self._begin, given_up)
        if not given_up.is_set():
            self._look_last()

    def _look_last(self) -> None:
        """Look at the GPUs at the end of a part, first at what goes on counting."""
        for series in self._series.values():
            series.end()
        for series in self._series.values():
            series.look(self._window + self._end - self._begin)

    def _give_up(self, given_up: threading.Event) -> None:
        given_up.set()
        self._gpus.give_up(f"NVML did not answer for {PATIENCE_SECONDS:g} s, and is asked no more")

    def facts(self, images: int | None) -> dict[str, Any]:
        """What was seen, as the record keeps it. Nothing is looked at after.

        `images` were computed in the window; None where other processes computed some of them. Their energy is known
        where that of all GPUs of this process is, and of no others.
        """
        self._gpus.close()
        gpus = {name: self._of_gpu(name, series) for name, series in self._series.items()}
        facts = {"interval_seconds": self._interval, "nvml": self._gpus.nvml, "host": self._host.facts(), "gpus": gpus}
        energies = [gpu["energy_joules"] for gpu in gpus.values()]
        if energies and images and self._gpus.sure and None not in energies:
            facts["joules_per_image"] = math.fsum(energies) / images
        return facts

    def _of_gpu(self, name: str, series: Series) -> dict[str, Any]:
        """Facts of a GPU. Its energy is the driver's count where it has one, else its power over the samples' times."""
        energy, source = series.counted.pop("energy_joules", None), "counted by the driver"
        if energy is None:
            energy, source = _integral(series.times, series.values.get("power_watts", [])), "power over time"
        return {
            **series.facts(),
            "slowed_shares": _slowed_shares(series.values.get("throttle_reasons", [])),
            "energy_joules": energy,
            "energy_source": None if energy is None else source,
            "failure": self._gpus.by_name[name].failure,
        }


def _slowed_shares(reasons: Sequence[float | None]) -> dict[str, float] | None:
    """By each reason for which clocks were held down (idleness is none), the share of samples; None if not known."""
    known = [int(mask) for mask in reasons if mask is not None]
    counts = {word: sum(bool(mask & bit) for mask in known) for bit, word in (SLOWED | HELD).items()}
    return {word: count / len(known) for word, count in counts.items() if count} if known else None


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
