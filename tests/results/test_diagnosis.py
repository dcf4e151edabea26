"""The verdict, from step times whose story is known."""

import itertools

import numpy as np
import pytest

from results.checks import Facts, problems
from results.diagnosis import COMPUTE, EXCHANGE, INPUT, LAUNCH, TRANSFER, diagnose, report, savings

# Seconds of a step of 8 images: 10 ms launch overhead, 40 ms compute, 5 ms exchange, 3 ms transfer.
ALONE = {"host_batch": 0.058, "synthetic": 0.055, "independent": 0.050, "one_image": 0.015, "trivial": 0.030}


def times(input_alone, **changed):
    """A step whose input is made beside it: it takes as long as the slower of the two."""
    step = changed | ALONE
    real = max(input_alone, step["host_batch"])
    return step | {"real": real, "input_alone": input_alone, "trivial": max(input_alone, step["trivial"])}


def noisy(truth, rounds=5, spread=0.005):
    generator = np.random.default_rng(1)
    return [{way: t * (1 + spread * generator.standard_normal()) for way, t in truth.items()} for _ in range(rounds)]


def verdict(truth, **known):
    told = {"model": "resnet50", "gpu_utilisation": None} | known
    return diagnose(noisy(truth), batch_size=8, num_towers=2, **told)


def test_what_each_costs():
    saved = savings(times(0.010), batch_size=8)
    assert saved == pytest.approx({INPUT: 0, TRANSFER: 0.003, EXCHANGE: 0.005, LAUNCH: 0.010, COMPUTE: 0.040})


def test_nothing_gets_shorter_than_the_input():
    saved = savings(times(0.056), batch_size=8)
    assert saved == pytest.approx({INPUT: 0, TRANSFER: 0.002, EXCHANGE: 0.002, LAUNCH: 0.002, COMPUTE: 0.002})
    slow = savings(times(0.2), batch_size=8)
    assert slow == pytest.approx({INPUT: 0.142, TRANSFER: 0, EXCHANGE: 0, LAUNCH: 0, COMPUTE: 0})


@pytest.mark.parametrize(
    ("truth", "bound"),
    [
        (times(0.01), COMPUTE),
        (times(0.2), INPUT),
        (times(0.01) | {"host_batch": 0.255, "real": 0.255}, TRANSFER),
        (times(0.01) | {"synthetic": 0.255, "host_batch": 0.258, "real": 0.258}, EXCHANGE),
        (times(0.01) | {"one_image": 0.049}, LAUNCH),
    ],
)
def test_the_dearest_bounds_the_step(truth, bound):
    found = verdict(truth)
    assert found.verdict == f"{bound} bounds the step"
    assert found.gains[0].bound == bound
    assert [gain.seconds for gain in found.gains] == sorted((gain.seconds for gain in found.gains), reverse=True)


def test_the_gain_is_that_of_a_step_without_it():
    gain = verdict(times(0.2)).gains[0]
    assert gain.images_per_second == pytest.approx(16 / 0.058 - 16 / 0.2, rel=0.03)


def test_a_gain_has_a_limit():
    only_launch = {"synthetic": 0.001, "one_image": 0.0011, "trivial": 0.001}
    found = diagnose([only_launch] * 5, 8, 1, model="trivial", gpu_utilisation=None)
    assert found.verdict == "launch overhead bounds the step"
    assert found.gains[0].images_per_second == pytest.approx(8 / 0.001 * 99)
    assert found.input_share is None
    assert found.remarks == ()


def test_a_batch_of_one_is_held_against_two():
    saved = savings({"synthetic": 0.15, "two_images": 0.2, "trivial": 0.01}, batch_size=1)
    assert saved == pytest.approx({LAUNCH: 0.1, COMPUTE: 0.05})


# On a machine that something else kept busy in turn: no way is faster than another in every round.
DISTURBED = [
    {"real": 0.058, "synthetic": 0.228, "one_image": 0.060, "trivial": 0.03, "input_alone": 0.002},
    {"real": 0.240, "synthetic": 0.060, "one_image": 0.230, "trivial": 0.03, "input_alone": 0.250},
    {"real": 0.057, "synthetic": 0.230, "one_image": 0.010, "trivial": 0.03, "input_alone": 0.060},
]


def test_what_no_round_bears_out_is_not_measurable():
    found = diagnose(DISTURBED, 16, 1, model="resnet20", gpu_utilisation=0.5)
    assert found.verdict == "what bounds the step is not measurable: no part costs more than the rounds differ"
    assert {gain.doubt for gain in found.gains} == {"not measurable"}
    assert found.bound == ""
    assert found.remarks[1].endswith("; the experiment cannot tell")
    gained = report(recorded(found))[-5:-2]
    assert [line.split()[0] for line in gained if "not measurable (" in line and "images/sec" not in line] == [
        gain.bound.split()[0] for gain in found.gains
    ]


# Rounds in which the input took nothing, or most of the step; compute is the same in all.
STEADY = {"real": 0.0295, "synthetic": 0.030, "one_image": 0.003, "trivial": 0.005, "input_alone": 0.001}
WAITING = STEADY | {"real": 0.130}


def test_what_cost_something_in_every_round_is_told_beside_what_cost_more_in_some():
    found = diagnose([WAITING] * 4 + [STEADY], 32, 1, model="resnet20", gpu_utilisation=None)
    assert [gain.bound for gain in found.gains if not gain.doubt] == [COMPUTE, LAUNCH]
    assert found.verdict == (
        "compute and launch overhead cost something in every round; input may cost more, but not in every round"
    )
    assert found.bound == ""
    found = diagnose([STEADY] * 4 + [WAITING], 32, 1, model="resnet20", gpu_utilisation=None)
    assert found.verdict == "compute bounds the step; input may cost more, but not in every round"
    assert found.bound == COMPUTE


def test_what_was_slower_without_it_in_every_round_is_below_zero():
    slower = times(0.01) | {"host_batch": 0.2}
    gains = {gain.bound: gain for gain in verdict(slower).gains}
    assert gains[INPUT].doubt.startswith("below zero")
    assert gains[COMPUTE].doubt == ""
    assert gains[COMPUTE].least_seconds < gains[COMPUTE].seconds < gains[COMPUTE].most_seconds


def test_none_clearly_more_than_the_other():
    balanced = {"synthetic": 0.1, "one_image": 0.0125, "trivial": 0.1, "input_alone": 0.1, "real": 0.11}
    found = verdict(balanced)
    assert {found.gains[0].bound, *found.rivals} >= {INPUT, COMPUTE}
    assert "bound the step: none of them clearly more than the others" in found.verdict


@pytest.mark.parametrize(
    ("truth", "utilisation", "told"),
    [
        (times(0.2), 0.25, "25% of the time, under 80%: by the rule of thumb the input is the bottleneck, as the"),
        (times(0.01), 0.95, "not under 80%: by the rule of thumb the input is not the bottleneck, as the experiment"),
        (
            times(0.01) | {"one_image": 0.049},
            0.3,
            "is the bottleneck, but the experiment says that it is not: it is la",
        ),
        (times(0.2), 0.9, "is not the bottleneck, but the experiment says that it is input"),
    ],
)
def test_the_rule_of_thumb_is_held_against_the_experiment(truth, utilisation, told):
    assert told in verdict(truth, gpu_utilisation=utilisation).remarks[1]


def test_the_trivial_model_is_held_against_the_experiment():
    assert "takes 100% of its time: what feeds it bounds it, as the" in verdict(times(0.2)).remarks[0]
    assert verdict(times(0.01)).remarks[0].endswith("takes 52% of its time")
    odd = times(0.01) | {"trivial": 0.058}
    assert "bounds it, but the experiment says that compute does" in verdict(odd).remarks[0]
    assert verdict(times(0.2), model="trivial").remarks == ()


def test_an_input_bound_figure_is_not_the_models():
    share = verdict(times(0.2)).input_share
    assert share == pytest.approx(0.725, abs=0.01)
    (problem,) = problems(Facts(input_wait_share=share))
    assert (
        str(problem) == "input-bound: 72% of a step goes to its input (limit 5%): the figure is not that of the model"
    )
    assert problems(Facts(input_wait_share=verdict(times(0.01)).input_share)) == [] or share > 0.05


def recorded(found):
    """What a record has of `found`."""
    usage = {"cpus": 1.5, "read_bytes_per_second": 2e6, "gpu_utilisation": 0.25}
    ways = {
        way: {"step_seconds": [seconds] * 5, "whole_batch": way != "one_image", **usage}
        for way, seconds in found.step_seconds.items()
    }
    return {
        "verdict": found.verdict,
        "ways": ways,
        "gains": [vars(gain) | {"doubt": gain.doubt} for gain in found.gains],
        "remarks": found.remarks,
        "images_per_step": 16,
    }


def test_the_report_has_every_way_and_gain():
    found = verdict(times(0.2), gpu_utilisation=0.25)
    lines = report(recorded(found))
    assert lines[0] == "Diagnosis: input bounds the step (5 rounds)."
    (real,) = [line for line in lines if line.startswith("  step of the run")]
    assert " images/sec  1.5 CPUs busy, 2.0 MB/s read, GPU 25%" in real
    (single,) = [line for line in lines if "one image a tower" in line]
    assert "images/sec" not in single
    assert all(len(list(group)) == 1 for _, group in itertools.groupby(lines))
    assert any(line.startswith("  input ") and line.endswith("images/sec") for line in lines)
