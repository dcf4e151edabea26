import math

import pytest

from results.checks import Facts, Problem, losses_of, problems, reported_problems
from results.reported import Reported, ReportedRow
from results.statistics.within_run import describe
from tests.results.records import measurement


def texts(**facts):
    return [str(problem) for problem in problems(Facts(**facts))]


def losses(*values):
    return list(enumerate(values, 1))


def test_nothing_known_nothing_said():
    assert problems(Facts()) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_wrong(value):
    found = problems(Facts(losses=[(-1, 2.0), (1, 2.0), (2, value), (3, value)]))
    assert found == [Problem("the loss is not finite from step 2 on", wrong=True)]
    assert texts(losses=[(-2, value), (-1, 1.0)]) == ["the loss is not finite from warm-up step -2 on"]


def test_a_loss_that_explodes_is_a_doubt():
    (found,) = problems(Facts(losses=losses(*[2.0] * 10, *[40.0] * 10)))
    assert (found.text, found.wrong) == ("the loss explodes: it rose from 2 to 40", False)


@pytest.mark.parametrize("course", [[2.0] * 20, [2.0, 50.0, *[1.0] * 18], [2.0, 3.0, 5.9], [0.0] * 20, [7.4, 0.01]])
def test_a_loss_may_rise_for_a_while(course):
    assert texts(losses=losses(*course)) == []


def test_what_is_wrong_comes_before_doubts():
    found = problems(Facts(steps=3, losses=losses(math.nan), copies={"problem": "copies differ"}))
    assert [problem.wrong for problem in found] == [True, True, False]


def test_wrong_updates_and_copies_speak_for_themselves():
    assert texts(update={"problem": "the update"}, copies={"problem": "the copies"}) == ["the update", "the copies"]
    assert texts(update={"problem": None}, copies={"problem": None}) == []


def test_steps_without_a_steady_state_or_too_few_say_so_with_numbers():
    assert texts(statistics=describe([0.1] * 30)) == ["too few steps: 30 steps, and an interval needs 50"]
    assert texts(statistics=describe([0.1, 0.102] * 50 + [0.2, 0.204] * 50)) == [
        "no steady state: step times changed by +100.0% at step 101"
    ]
    assert texts(statistics=describe([0.1, 0.102] * 50)) == []


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ({"cpu_share_of_others": 0.25, "stolen_share": 0.0}, ["foreign load: other processes took 25% of the CPUs"]),
        (
            {"cpu_share_of_others": 0.05, "stolen_share": 0.03},
            ["foreign load: the hypervisor took 3% of"],
        ),
        ({"cpu_share_of_others": 0.05, "stolen_share": 0.01}, []),
        ({"cpu_share_of_others": None, "stolen_share": None}, []),
    ],
)
def test_load_of_others(load, said):
    found = texts(load=load)
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))


def test_gpus_that_are_slowed_or_shared():
    gpus = {
        "GPU 0": {"slowed_for": ["its temperature"], "other_processes": 0},
        "GPU 1": {"slowed_for": [], "other_processes": 2},
        "GPU 2": {"slowed_for": None, "other_processes": None},
    }
    assert texts(gpus=gpus) == [
        "throttled clocks: GPU 0 ran slower for its temperature",
        "foreign load: 2 other process(es) computed on GPU 1",
    ]


def test_gpus_that_were_slowed_for_a_part_of_the_window():
    heat, brake = "its temperature (hardware limit)", "the power brake"
    shares = {heat: 0.97, brake: 0.04}
    assert texts(gpus={"GPU 0": {"slowed_for": [heat, brake], "slowed_shares": shares}}) == [
        "throttled clocks: GPU 0 ran slower for its temperature (hardware limit) in 97% of the window (limit 5%)",
        "throttled clocks: GPU 0 ran slower for the power brake",
    ]
    assert texts(gpus={"GPU 0": {"slowed_for": [], "slowed_shares": {brake: 0.04}}}) == []
    assert texts(gpus={"GPU 0": {"slowed_shares": {}, "slowed_for": None}}) == []


def test_memory_errors_that_were_not_corrected():
    assert texts(gpus={"GPU 0": {"uncorrected_ecc_errors": 2}, "GPU 1": {"uncorrected_ecc_errors": 0}}) == [
        "memory errors: GPU 0 had 2 in the window that ECC could not correct"
    ]


def test_a_step_that_goes_to_its_input():
    assert texts(input_wait_share=0.3)[0].startswith("input-bound: 30% of a step goes to its input (limit 5%)")
    assert texts(input_wait_share=0.04) == []


def test_losses_of_a_measurement_have_the_warm_up_before_the_window():
    assert losses_of(measurement(warmup_losses=(3.0, 2.0), losses=(1.0,))) == [(-2, 3.0), (-1, 2.0), (1, 1.0)]


def test_figures_from_elsewhere_go_through_the_same_checks():
    rows = [ReportedRow(step=1, loss=7.0), ReportedRow(step=10, loss=math.nan), ReportedRow(step=20)]
    assert [
        str(problem) for problem in reported_problems(Reported(images_per_second=50.0, rows=tuple(rows)), steps=20)
    ] == [
        "the loss is not finite from step 10 on",
        "too few steps: 20, and a figure needs 50",
    ]
    assert reported_problems(Reported(images_per_second=50.0)) == []
