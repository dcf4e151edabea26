"""What an exchange costs, by a clock that the steps move."""

import pytest

from benchmarks.exposed_exchange import WARMUP_PAIRS, ExposedExchange, measure_exposed


def test_the_exposed_part_is_the_median_of_the_pairs():
    found = ExposedExchange(((2.0, 1.5), (9.0, 1.0), (4.0, 3.0)))
    assert found.exposed_seconds == 1.0
    assert found.exposed_share == 0.25


def test_the_two_take_turns_in_going_first():
    now, calls = [0.0], []

    def taking(name, seconds):
        def step():
            calls.append(name)
            now[0] += seconds

        return step

    told = []
    found = measure_exposed(
        taking("step", 3.0), taking("alone", 2.0), pairs=3, clock=lambda: now[0], on_pair=told.append
    )
    assert calls[2 * WARMUP_PAIRS :] == ["step", "alone", "alone", "step", "step", "alone"]
    assert told == [1, 2, 3]
    facts = found.facts()
    assert facts["exposed_seconds"] == 1.0
    assert facts["exposed_share"] == pytest.approx(1 / 3)
    assert (facts["step_seconds"], facts["independent_step_seconds"]) == ([3.0] * 3, [2.0] * 3)
