"""Many steps in one call."""

from functools import partial

import pytest

from benchmarks.looped_step import LoopedStep
from benchmarks.measure import Recording, measure_in_calls, warm_up_in_calls
from benchmarks.step import StepOutcome
from tests.engine.training import SmallNet, build_training


@pytest.mark.parametrize("strategy", ["parameter_server", "replicated"])
def test_steps_in_a_loop_train_as_steps_by_themselves(batch, strategy):
    network = SmallNet(normalised=True, drops=True)
    build = partial(build_training, strategy, 2, *batch, network=network, weight_decay=0.01, accuracy=True)
    looped, single = build(kind=partial(LoopedStep, steps=4)), build()
    outcomes = [*looped.step.outcomes(), *looped.step.outcomes()]
    expected = [single.step() for _ in range(8)]
    assert [each.loss for each in outcomes] == pytest.approx([each.loss for each in expected], rel=1e-5)
    assert [each[1:] for each in outcomes] == [each[1:] for each in expected]
    for name, value in single.values().items():
        assert looped.values()[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_each_step_has_its_share_of_its_call():
    now = [0.0]

    def call():
        now[0] += 3.0
        return [StepOutcome(float(number)) for number in range(3)]

    recording = Recording(8, 1, started=0.0, clock=lambda: now[0], steps_per_call=3)
    warm_up_in_calls(call, recording, 1)
    measure_in_calls(call, recording, 2)
    found = recording.measurement()
    assert found.warmup_step_seconds == (1.0,) * 3
    assert found.step_seconds == (1.0,) * 6
    assert (found.window_seconds, found.first_step_seconds, found.time_to_first_step_seconds) == (6.0, 3.0, 3.0)
    assert found.losses == (0.0, 1.0, 2.0) * 2
    assert recording.training_began == 0.0
