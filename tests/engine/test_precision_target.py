import itertools

import numpy as np

from benchmarks.measure import Recording, measure
from benchmarks.precision_target import PrecisionTarget
from results.statistics.within_run import describe
from tests.engine.test_measure import Told


def recorded(seconds, target, most):
    """A measurement by a clock that steps of `seconds` turn."""
    times, now = iter(seconds), [0.0]

    def step():
        now[0] += next(times)
        return Told(1.0)

    recording = Recording(8, 1, started=0.0, clock=lambda: now[0])
    measure(step, recording, most, enough=target.due)
    return recording


def noisy(spread, seed=1):
    generator = np.random.default_rng(seed)
    return (max(0.01, 1 + spread * generator.standard_normal()) for _ in itertools.count())


def test_it_ends_where_the_interval_is_narrow_enough_and_still_covers_the_truth():
    ended = [recorded(noisy(0.1, seed), PrecisionTarget(0.01), most=10_000) for seed in range(60)]
    lengths = [len(recording.step_seconds) for recording in ended]
    assert 350 < np.median(lengths) < 900  # 2.26 * 0.1 / sqrt(n) is 0.01 at 512
    found = [describe(recording.step_seconds) for recording in ended]
    assert max(each.relative_half_width for each in found) <= 0.01
    assert np.mean([each.low_seconds < 1 < each.high_seconds for each in found]) >= 0.9
    verdict = PrecisionTarget(0.01).verdict(ended[0].step_seconds, 10_000)
    assert verdict.startswith(f"reached after {lengths[0]} of at most 10000 steps (half width 0.")


def test_it_ends_at_the_limit_and_says_why():
    target = PrecisionTarget(0.001)
    recording = recorded(noisy(0.1), target, most=100)
    assert len(recording.step_seconds) == 100
    assert target.verdict(recording.step_seconds, 100).startswith("not reached within 100 steps (half width ")


def test_it_does_not_end_where_nothing_is_steady():
    target = PrecisionTarget(0.2)
    drifting = (1 + 0.01 * step for step in itertools.count())
    recording = recorded(drifting, target, most=150)
    assert len(recording.step_seconds) == 150
    assert "drifted by" in target.verdict(recording.step_seconds, 150)


def test_steady_steps_are_enough_after_two_looks():
    target = PrecisionTarget(0.01)
    assert len(recorded(noisy(0.001), target, most=1000).step_seconds) == 56


def test_a_slow_start_does_not_hold_it_up():
    target = PrecisionTarget(0.01)
    slow_first = itertools.chain([5.0] * 5, noisy(0.005))
    assert len(recorded(slow_first, target, most=1000).step_seconds) <= 70


def test_it_does_not_end_before_one_can_tell_what_others_did():
    recording = recorded((0.001 * each for each in noisy(0.001)), PrecisionTarget(0.01), most=1000)
    assert 0.5 <= sum(recording.step_seconds) < 0.65
