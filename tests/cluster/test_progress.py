"""Who keeps all others waiting, by a clock of the test's own."""

import itertools

import pytest

from benchmarks.cluster.cluster import Task
from benchmarks.cluster.progress import Mark, Progress, Standstill, Stuck, explain

SETUP, TIMEOUT = 1000.0, 60.0
FIRST, SECOND = Task("worker", 0), Task("worker", 1)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def progress(clock):
    return Progress(SETUP, TIMEOUT, clock=clock)


def test_stages_and_first_steps_may_take_long(progress):
    assert progress.mark == Mark(0, "starting", SETUP)
    progress.stage("building the model")
    assert progress.mark == Mark(1, "building the model", SETUP)
    seen = []
    step = progress.watched(lambda: seen.append(progress.mark))
    step()
    assert progress.mark == Mark(3, "past step 1", TIMEOUT)
    step()
    another = progress.watched(lambda: seen.append(progress.mark))
    another()
    assert seen == [Mark(2, "in step 1", SETUP), Mark(4, "in step 2", TIMEOUT), Mark(6, "in step 3", SETUP)]
    progress.stage("writing the record")
    assert progress.mark == Mark(8, "writing the record", SETUP)


def test_a_machine_whose_steps_are_slow_gets_the_time_that_it_needs(progress, clock):
    took = iter([500.0, 10.0, 12.0, 11.0])

    def slow():
        clock.now += next(took)

    step = progress.watched(slow)
    step()
    assert progress.mark.seconds == 20 * 500.0
    for _ in range(3):
        step()
    assert progress.mark.seconds == 20 * 11.5


def test_what_a_step_returns_is_passed_on(progress):
    numbers = itertools.count()
    step = progress.watched(lambda: next(numbers))
    assert [step(), step()] == [0, 1]


def test_who_waits_for_others_may_do_so_for_ever(progress):
    with progress.waiting():
        assert progress.mark == Mark(0, "starting", None)
    assert progress.mark == Mark(0, "starting", SETUP)


@pytest.mark.parametrize(
    ("first", "second", "stuck"),
    [
        (Mark(7, "in step 3", TIMEOUT), Mark(6, "past step 2", TIMEOUT), [SECOND]),
        (Mark(7, "in step 3", TIMEOUT), Mark(7, "in step 3", TIMEOUT), [FIRST, SECOND]),
        (Mark(0, "starting", None), Mark(0, "starting", 50.0), [SECOND]),
        (Mark(1, "building", TIMEOUT), Mark(9, "starting", None), [FIRST]),
        (Mark(7, "in step 3", TIMEOUT), Mark(5, "in step 2", SETUP), []),  # who is behind still has time
        (Mark(7, "in step 3", SETUP), Mark(7, "in step 3", TIMEOUT), []),
        (Mark(0, "starting", None), Mark(0, "starting", None), []),
    ],
)
def test_the_least_far_are_to_blame(clock, first, second, stuck):
    standstill = Standstill(clock)
    standstill.heard(FIRST, first)
    standstill.heard(SECOND, second)
    clock.now = TIMEOUT - 11
    assert standstill.stuck() == []
    clock.now = TIMEOUT + 1
    standstill.heard(FIRST, first)
    assert [each.task for each in standstill.stuck()] == stuck


def test_who_moves_is_not_stuck(clock):
    standstill = Standstill(clock)
    for number in range(10):
        standstill.heard(FIRST, Mark(number, "in a step", TIMEOUT))
        clock.now += TIMEOUT - 1
        assert standstill.stuck() == []
    clock.now += 2
    standstill.forgive()
    assert standstill.stuck() == []
    clock.now += TIMEOUT + 1
    assert standstill.stuck() == [Stuck(FIRST, Mark(9, "in a step", TIMEOUT), TIMEOUT + 1)]


def test_the_message():
    mark = Mark(7, "in step 3", TIMEOUT)
    names = {FIRST: "/job:worker/task:0 at a:1", SECOND: "/job:worker/task:1 at b:1"}
    assert explain([Stuck(SECOND, mark, 61.0)], names) == (
        "/job:worker/task:1 at b:1: it lives but does not get on: in step 3 for 61 s, where 60 s are allowed "
        "(--cluster_timeout_secs or 20 median steps; --setup_timeout_secs up to the end of the first step)"
    )
    both = explain([Stuck(FIRST, mark, 61.0), Stuck(SECOND, mark, 61.0)], names)
    assert both.startswith("/job:worker/task:0 at a:1, /job:worker/task:1 at b:1: they live but do not get on: in step")
