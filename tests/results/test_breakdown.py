"""The parts of a step, from step times whose story is known."""

import numpy as np
import pytest

from results.breakdown import BELOW_ZERO, NOT_MEASURABLE, WAYS, break_down, in_short, report
from results.statistics.between_runs import Interval

# Seconds of a step by way: the differences are 1 ms input, 2 ms update, 5 ms exchange, 60 ms backward, 30 ms forward.
TRUTH = dict(zip(WAYS, [0.0985, 0.0975, 0.0955, 0.0905, 0.0305, 0.0005], strict=True))
PARTS = {"input": 1e-3, "forward": 30e-3, "backward": 60e-3, "exchange": 5e-3, "update": 2e-3, "call": 0.5e-3}


def rounds(truth, number=10, spread=0.0002, drift=0.1, seed=1):
    """Times that scatter, on a machine that slows down by `drift` from the first round to the last."""
    generator = np.random.default_rng(seed)
    slower = np.linspace(1, 1 + drift, number)
    return {way: list(t * slower + spread * generator.standard_normal(number)) for way, t in truth.items()}


def parts(facts):
    return {part["part"]: Interval(**part["seconds"]) for part in facts["parts"]}


def doubts(facts):
    return {part["part"]: part["doubt"] for part in facts["parts"]}


def test_each_part_is_what_the_step_is_longer_with_it():
    found = parts(break_down({way: [t, t] for way, t in TRUTH.items()}, None, "none"))
    assert {name: part.value for name, part in found.items()} == pytest.approx(PARTS)
    assert all(part.high - part.low == pytest.approx(0, abs=1e-12) for part in found.values())


@pytest.mark.parametrize("without", [[], ["real"], ["gradients"], ["real", "gradients"]])
def test_the_parts_add_up_to_the_step_exactly(without):
    times = {way: seconds for way, seconds in rounds(TRUTH, spread=0.005).items() if way not in without}
    facts = break_down(times, None, "none")
    first = next(iter(times))
    assert sum(part.value for part in parts(facts).values()) == pytest.approx(np.mean(times[first]))
    assert sum(part["share"] for part in facts["parts"]) == pytest.approx(1)
    assert facts["step"]["value"] == pytest.approx(np.mean(times[first]))
    lacking = {"real": "input", "gradients": "exchange"}
    assert set(parts(facts)) == set(PARTS) - {lacking[way] for way in without}


def test_intervals_cover_what_is_true():
    covered = 0
    for seed in range(200):
        found = parts(break_down(rounds(TRUTH, drift=0, seed=seed), None, "none"))
        covered += found["update"].low <= PARTS["update"] <= found["update"].high
    assert 182 <= covered <= 198  # of 200 with 95 %: three standard deviations around 190


def test_a_drift_of_the_machine_is_in_no_difference():
    found = parts(break_down(rounds(TRUTH, spread=1e-6, drift=0.1), None, "none"))
    assert found["update"].high - found["update"].low < 0.1 * PARTS["update"]


def test_a_part_that_the_noise_covers_is_said_not_to_be_measurable():
    facts = break_down(rounds(TRUTH | {"real": TRUTH["synthetic"]}), None, "none")
    assert doubts(facts)["input"] == NOT_MEASURABLE
    assert not any(doubt for name, doubt in doubts(facts).items() if name != "input")


def test_a_step_that_is_slower_without_a_part_is_said_to_be():
    facts = break_down(rounds(TRUTH | {"without_update": TRUTH["synthetic"] + 0.001}), None, "none")
    assert doubts(facts)["update"] == BELOW_ZERO
    assert any(line.startswith("  update ") and line.endswith(BELOW_ZERO) for line in report(facts))


@pytest.mark.parametrize(("own", "agrees"), [(0.0986, True), (0.090, False)])
def test_the_sum_is_held_against_the_steps_of_the_run(own, agrees):
    run = Interval(own, own - 0.0002, own + 0.0002)
    facts = break_down(rounds(TRUTH, drift=0), run)
    assert facts["agrees"] is agrees
    assert f"The run's own steps took {1e3 * own:.2f} +/- 0.20 ms: the parts " in report(facts)[-1]
    assert ("do NOT add up" in report(facts)[-1]) is not agrees


def test_a_report_has_a_line_a_part_and_the_sum():
    facts = break_down({way: [t, t] for way, t in TRUTH.items()}, None, "12 steps, and an interval needs 50")
    assert report(facts) == [
        "Step breakdown (2 rounds; 95 % intervals):",
        "  part         ms a step      +/-    share",
        "  input             1.00     0.00     1.0%",
        "  forward          30.00     0.00    30.5%",
        "  backward         60.00     0.00    60.9%",
        "  exchange          5.00     0.00     5.1%",
        "  update            2.00     0.00     2.0%",
        "  call              0.50     0.00     0.5%",
        "  together         98.50     0.00   100.0%",
        "No comparison with the run's own steps: 12 steps, and an interval needs 50.",
    ]
    assert in_short(facts).startswith("input 1.00 ms (1%), forward 30.00 ms (30%), backward 60.00 ms (61%), ")


@pytest.mark.parametrize(
    "junk",
    [{}, {"parts": 1}, {"parts": [1, None]}, {"parts": [{"part": 2}]}, {"parts": [{"part": "x", "seconds": {}}]}],
)
def test_what_is_no_breakdown_is_passed_over(junk):
    assert in_short(junk) == ""
