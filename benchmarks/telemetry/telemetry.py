"""What the hardware did during the measured window: looked at beside the run, by threads of their own."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.telemetry.gpus import Gpus
from benchmarks.telemetry.host import Host
from benchmarks.telemetry.series import Part, Series

PATIENCE_SECONDS = 30.0  # with a driver: that of 16 GPUs which are all to be woken takes a few


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
        self._at_host = threading.Lock()  # rates are those since the look before, whoever took it
        self._series = {name: Series(gpu) for name, gpu in self._gpus.by_name.items()}
        self._window = 0.0  # seconds of it in the parts that are over
        self._begin = self._end = 0.0  # of the part, by the clock

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """While this is entered, a part of the window goes on.

        NVML is asked by other threads alone: a driver that does not answer any more holds up those, and not the run.
        """
        part = Part()
        for gpu in self._gpus.by_name.values():
            gpu.forget()
        sampler, listener = self._thread(self._sample, part), self._thread(self._listen, part)
        sampler.start()
        if not part.counted.wait(PATIENCE_SECONDS):
            self._give_up(part)
        self._host.begin()
        self._host.source.sample()  # rates begin here
        self._begin = self._clock()
        part.begun.set()
        if self._series and not part.given_up.is_set():
            listener.start()
        try:
            yield
        finally:
            part.ended.set()
            self._end = self._clock()
            with self._at_host:
                self._host.end()
                self._host.look_last(self._seconds(self._end))
            self._await(part, sampler)
            if part.given_up.is_set():
                self._look_last()  # which says only that nothing is known
            self._await(part, listener)
            self._window = self._seconds(self._end)

    def _seconds(self, now: float) -> float:
        """Seconds of the window at a moment of the part."""
        return self._window + now - self._begin

    def _thread(self, work: Callable[[Part], None], part: Part) -> threading.Thread:
        return threading.Thread(target=work, args=(part,), name="telemetry", daemon=True)

    def _await(self, part: Part, thread: threading.Thread) -> None:
        """Wait for a thread to see that the part has ended; give up if it doesn't."""
        if thread.ident is None:
            return  # it was never needed
        thread.join(0.0 if part.given_up.is_set() else PATIENCE_SECONDS)
        if thread.is_alive() and not part.given_up.is_set():
            self._give_up(part)

    def _sample(self, part: Part) -> None:
        for series in self._series.values():
            series.begin()
        part.counted.set()
        part.begun.wait()
        due = self._begin + self._interval
        while not part.ended.wait(max(0.0, due - self._clock())):
            self._look_at_host(part)
            for series in self._series.values():
                series.look(self._seconds(self._clock()), part)
            due = next_due(due, self._clock(), self._interval)
        self._look_last(part)

    def _listen(self, part: Part) -> None:
        """Ask for what NVML takes its time for, over and over: samples have the latest of it."""
        due = self._begin
        while not part.ended.wait(max(0.0, due - self._clock())):
            for gpu in self._gpus.by_name.values():
                gpu.listen(part)
            due = next_due(due, self._clock(), self._interval)

    def _look_at_host(self, part: Part) -> None:
        with self._at_host:
            seconds = self._seconds(self._clock())
            if not part.over:  # its rates begin anew then, so it counts if the part ends meanwhile; the last waits
                self._host.look(seconds)

    def _look_last(self, part: Part | None = None) -> None:
        """Look at the GPUs at the end of a part, first at what goes on counting; not where the `part` is given up."""
        for series in self._series.values():
            series.end()
        for series in self._series.values():
            series.look_last(self._seconds(self._end), part)

    def _give_up(self, part: Part) -> None:
        part.given_up.set()
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
            energy, source = series.over_time("power_watts"), "power over time"
        return {
            **series.facts(),
            "slowed_shares": series.slowed_shares(),
            "energy_joules": energy,
            "energy_source": None if energy is None else source,
            "failure": self._gpus.by_name[name].failure,
        }


def next_due(due: float, now: float, interval: float) -> float:
    """When to look after the look that was due at `due`: those whose time has passed by `now` are left out."""
    return due + (1 + max(0.0, (now - due) // interval)) * interval
