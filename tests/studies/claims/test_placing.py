"""The study of devices measures what it says: copies and slow operations are planted, and found, or are not there."""

import pytest
import tensorflow as tf

from benchmarks.params import Params
from benchmarks.studies.claims.claim import Measured
from benchmarks.studies.claims.measuring import Measuring
from benchmarks.studies.claims.placing import PLACEMENT
from benchmarks.studies.claims.programs import placing
from benchmarks.studies.claims.programs.placed_ways import WAYS, Work, alternating, one, several, together
from tests.studies.claims.planted import two_cores, two_h100

WORK = Work(side=16)
MATRIX = 4 * 16 * 16  # bytes
DEVICES = ("/cpu:0", "/cpu:1")
LOOK = Params(log_device_placement=True)


class Clock:
    """Goes on only when an operation of a step says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def goes_on(self, seconds):
        """An operation that takes so many of its seconds."""

        def passes():
            self.now += seconds

        tf.py_function(passes, [], [])


def measured(compute, clock=None):
    """Figure and facts of `compute`, by the clock of an operation that takes 10 ms in every step."""
    clock = clock or Clock()

    def timed(devices, work):
        clock.goes_on(0.01)
        return compute(devices, work)

    return placing.measure(LOOK, timed, DEVICES, WORK, clock, seconds=1.0)


def placed(compute):
    """Where the operations of `compute` are."""
    return placing.placed(LOOK, placing.SmallStep(lambda: compute(DEVICES, WORK)))


def crossing(compute):
    """Tensors and bytes that go from device to device in a step."""
    return {(each["from"], each["to"]): (each["tensors"], each["bytes"]) for each in placed(compute)["crossing"]}


def test_a_slow_operation_is_found_in_full():
    clock = Clock()

    def slowed(devices, work):
        clock.goes_on(0.03)
        return one(devices, work)

    quick, _ = measured(one)
    slow, _ = measured(slowed, clock)
    assert quick / slow == pytest.approx(4)


def test_where_nothing_differs_nothing_is_found():
    assert measured(several) == measured(several)
    assert measured(several)[0] == measured(one)[0]  # on a clock for which no operation of theirs counts


def test_what_the_cpu_adds_up_has_crossed():
    assert crossing(one) == {}
    assert crossing(several) == {("/cpu:1", "/cpu:0"): (1, MATRIX)}


def test_a_planted_copy_is_found_with_its_bytes():
    def with_a_copy(devices, work):
        found = together(devices, work)
        with tf.device("/cpu:5"):
            return tf.reverse(found, [1])

    assert crossing(together) == {}
    assert crossing(with_a_copy) == {("/cpu:0", "/cpu:5"): (1, MATRIX)}


def test_every_link_of_the_alternating_chain_crosses():
    assert crossing(alternating) == {
        ("/cpu:0", "/cpu:1"): (4, 4 * MATRIX),
        ("/cpu:1", "/cpu:0"): (3, 3 * MATRIX),
    }


@pytest.mark.parametrize(
    ("way", "devices"),
    [
        ("pinned", {"/cpu:1"}),
        ("free", {"/cpu:0"}),
        ("host", {"/cpu:0"}),
        ("several", set(DEVICES)),
        ("one", {"/cpu:0"}),
    ],
)
def test_products_are_where_the_way_says(way, devices):
    operations = placed(WAYS[way])["operations"]
    assert {device for device, kinds in operations.items() if any("MatMul" in kind for kind in kinds)} == devices


def test_a_missing_device_is_moved_from_or_ends_the_step():
    try:
        tf.config.set_soft_device_placement(True)
        moved = placing.asked_for_a_missing_device(LOOK, WORK)
        tf.config.set_soft_device_placement(False)
        strict = Params(log_device_placement=True, allow_soft_placement=False)
        failed = placing.asked_for_a_missing_device(strict, WORK)
    finally:
        tf.config.set_soft_device_placement(True)
    assert moved["asked_for"] == failed["asked_for"] == "/gpu:0"
    assert {each["device"] for each in moved["moved"]} == {"/cpu:0"}
    assert "which is not there, only /cpu:0" in failed["failed"]


@pytest.mark.parametrize("name", ["add_n", "copies between devices"])
def test_what_takes_devices_of_their_own_is_claimed_of_gpus(name, tmp_path):
    claimed = [
        str(case.promise)
        for machine in (two_cores, two_h100)
        for case in PLACEMENT.cases(machine(tmp_path))
        if case.name == name
    ]
    assert claimed == ["either", "better"]


def told_of_copies(folder, *runs):
    """What is told of ways to place, of which each of `runs` of the other way measured these copies."""
    cases = {case.name: case for case in PLACEMENT.cases(two_cores(folder))}
    one_device, in_turn = placed(together), placed(alternating)
    sides = [Measured(100.0, one_device)] * len(runs), [Measured(100.0, in_turn | {"copies": run}) for run in runs]
    return " ".join(cases["copies between devices"].reasons(*sides))


def copy(*seconds, copied=True, target="/cpu:1", **more):
    return {"from": "/cpu:0", "to": target, "bytes": MATRIX, "copied": copied, "seconds": list(seconds)} | more


def test_the_reasons_tell_where_what_was(tmp_path):
    failed = copy(target="/cpu:2", problem="no such device")
    told = told_of_copies(tmp_path, [copy(0.9e-4, 1.1e-4, copied=False), failed])
    assert "nothing crosses; two in turn: /cpu:0: " in told
    assert "from device to device in a step: 7,168 B" in told
    assert "to /cpu:1: what it takes by itself is lost in the noise (no bytes are copied" in told, "of two so different"
    told = told_of_copies(tmp_path, [copy(0.99e-4, 1.01e-4, copied=False), failed])
    assert "from /cpu:0 to /cpu:1 takes 0.10 ms by itself (no bytes are copied" in told
    assert "7 of them are 7% of the step." in told
    assert "to /cpu:2 was not measured: no such device." in told
    assert told.endswith("which share its cores: of other devices this says nothing.")


def test_what_copies_take_is_told_of_all_pairs_and_never_below_nothing(tmp_path):
    noise = [-8e-5, 3e-5, 1e-5, -2e-5]
    told = told_of_copies(tmp_path, [copy(*noise)], [copy(*noise)])
    assert "from /cpu:0 to /cpu:1: what it takes by itself is lost in the noise." in told
    assert "of the step." not in told
    told = told_of_copies(tmp_path, [copy(1e-4, 1.1e-4)], [copy(2.9e-4, 3e-4)])
    assert "takes 0.20 ms by itself. 7 of them are 14% of the step." in told


def test_one_copy_that_failed_hides_none_that_were_measured(tmp_path):
    failed = copy(problem="no such device")
    told = told_of_copies(tmp_path, [failed], [copy(0.99e-4, 1.01e-4)])
    assert "to /cpu:1 takes 0.10 ms by itself, not measured in 1 of 2 runs (no such device)." in told


def test_a_copy_is_measured_some_times():
    found = placing._copy(*DEVICES, MATRIX)
    assert (found["copied"], len(found["seconds"])) == (False, placing.REPEATS)


def test_the_program_tells_its_figure_and_what_became_of_a_missing_device(tmp_path):
    (case,) = [case for case in PLACEMENT.cases(two_cores(tmp_path)) if case.name == "soft or strict"]
    measured = Measuring(tmp_path).measure(case.other)
    assert measured.figure > 0
    told = " ".join(case.reasons([measured], [measured]))
    assert "Placed either way: /cpu:0: " in told
    assert "for /gpu:0, which is not there, ended the step (strict): --noallow_soft_placement: MatMul" in told
