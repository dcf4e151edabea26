"""The measured window, with pauses in it, and what is seen beside it."""

import time
from collections.abc import Callable
from types import SimpleNamespace

from benchmarks.devices import Devices
from benchmarks.measure import Recording
from benchmarks.step import StepOutcome
from benchmarks.window import measure_with_pauses, watching
from results.checks import Facts, problems
from tests.telemetry.stand_in import HERE, put_in_place


class Clock:
    """One second goes by with every look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class Break:
    """A pause of a thousand seconds after each of the steps `points`, which ends the training at step `end`."""

    def __init__(self, clock: Clock, *points: int, end: int = 0) -> None:
        self.clock, self.points, self.end = clock, points, end
        self.taken: list[int] = []

    def due(self, recording: Recording) -> bool:
        return len(recording.step_seconds) in self.points

    def __call__(self, recording: Recording) -> bool:
        self.clock.now += 1000.0
        self.taken.append(len(recording.step_seconds))
        return self.taken[-1] == self.end


def nothing(_: Recording) -> None:
    pass


def measured(clock: Clock, *pauses: Break, step: Callable[[], StepOutcome] = lambda: StepOutcome(0.0)) -> Recording:
    recording = Recording(batch_size=1, num_towers=1, started=0.0, clock=clock)
    measure_with_pauses(step, recording, 5, nothing, pauses)
    return recording


def test_a_pause_happens_after_its_steps_and_is_in_no_window():
    clock = Clock()
    pause = Break(clock, 2, 5)
    recording = measured(clock, pause)
    assert pause.taken == [2, 5]
    assert len(recording.step_seconds) == 5
    assert recording.window_seconds < 20


def test_all_that_is_due_happens_though_the_first_ends_the_training():
    clock = Clock()
    first, second, later = Break(clock, 3, end=3), Break(clock, 1, 3), Break(clock, 4)
    recording = measured(clock, first, second, later)
    assert (first.taken, second.taken, later.taken) == ([3], [1, 3], [])
    assert len(recording.step_seconds) == 3


def test_what_gpus_went_through_in_the_window_counts_and_not_how_they_are_after_it(tmp_path, monkeypatch):
    h200 = put_in_place((HERE / "h200.txt").read_text(), tmp_path, monkeypatch)
    recording = Recording(batch_size=1, num_towers=1, started=0.0, clock=time.perf_counter)
    params = SimpleNamespace(telemetry_interval=0.02)
    draft = SimpleNamespace(params=params, recording=recording, checks={}, sections={}, primitives=None)
    said: list[str] = []
    with watching(
        draft,
        SimpleNamespace(devices=Devices("gpu", ("/gpu:0",), ())),
        SimpleNamespace(alone=True),
        SimpleNamespace(notice=said.append),
    ) as part:
        h200.set("gpu0.throttle_reasons", 0x44)
        with part():
            h200.set("gpu0.ecc_uncorrected", 2)
            h200.set("gpu0.power", "!999")
        h200.set("gpu0.throttle_reasons", 0x4)
    state = draft.checks["gpus"]["GPU 0"]
    assert (state["slowed_for"], state["other_processes"], state["uncorrected_ecc_errors"]) == ([], 0, 2)
    assert list(state["slowed_shares"]) == ["its temperature (hardware limit)"]  # its power limit makes no doubt
    (slowed, memory) = map(str, problems(Facts(gpus=draft.checks["gpus"])))
    assert slowed.startswith("throttled clocks: GPU 0 ran slower for its temperature (hardware limit) in 100% of the")
    assert memory.startswith("memory errors: GPU 0 had 2")
    assert said == ["WARNING: telemetry of GPU 0 is not whole: NVML did not always tell power_watts: Unknown Error."]
