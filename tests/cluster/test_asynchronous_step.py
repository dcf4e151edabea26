"""Workers that do not wait for each other, with steps that stand in for theirs."""

import threading
import time

import pytest

from benchmarks.asynchronous_step import AsynchronousStep, by_worker, mean
from benchmarks.step import StepOutcome


class Step:
    """A step that the test lets end, so many times; it fails after `fails_after` of them."""

    def __init__(self, loss, times=0, fails_after=10_000):
        self.strategy, self.updates, self.rate = object(), object(), object()
        self.made = 0
        self.left = threading.Semaphore(times)
        self._loss = loss
        self._fails_after = fails_after

    def trace(self):
        return 0.5

    def __call__(self):
        self.left.acquire()
        if self.made >= self._fails_after:
            raise ValueError("gone")
        self.made += 1
        return StepOutcome(self._loss)


def test_a_call_waits_for_as_many_steps_as_there_are_workers():
    quick, slow = Step(1.0, times=36), Step(3.0, times=4)
    step = AsynchronousStep([quick, slow])
    assert step.trace() == 1.0
    losses = [step().loss for _ in range(20)]
    assert (quick.made, slow.made) == (36, 4)
    assert sum(losses) == pytest.approx((36 * 1.0 + 4 * 3.0) / 2)
    assert all(1.0 <= loss <= 3.0 for loss in losses)


def test_a_call_waits_for_the_last_of_them():
    quick, slow = Step(1.0, times=1), Step(3.0)
    step, ended = AsynchronousStep([quick, slow]), threading.Event()
    waits = threading.Thread(target=lambda: (step(), ended.set()), daemon=True)
    waits.start()
    assert not ended.wait(0.2)
    slow.left.release()
    assert ended.wait(60)


def test_who_is_slow_to_call_holds_the_workers_back():
    worker = Step(1.0, times=1_000)
    step = AsynchronousStep([worker])
    step()
    end = time.monotonic() + 60
    while worker.made < 3:  # one is taken, one is ended, and one waits to be
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.1)
    assert worker.made == 3


def test_what_fails_in_a_worker_s_thread_is_raised():
    step = AsynchronousStep([Step(1.0, times=1_000), Step(1.0, times=1_000, fails_after=3)])
    with pytest.raises(ValueError, match="gone"):
        [step() for _ in range(1000)]


def test_threads_do_not_keep_the_process_alive():
    AsynchronousStep([Step(1.0, times=1)])()
    assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


def test_figures_are_means_over_what_was_told():
    assert mean([StepOutcome(1.0, True), StepOutcome(2.0, False)]) == StepOutcome(1.5, False, None, None)
    assert mean([StepOutcome(1.0, True, 0.0, 0.5), StepOutcome(1.0, True, 0.5, 1.0)]) == StepOutcome(
        1.0, True, 0.25, 0.75
    )


def test_each_process_s_towers_are_a_worker_and_they_share_everything():
    made = []

    class Shared:
        def for_worker(self, towers):
            return ("view", towers)

    def make_step(strategy, towers, first):
        made.append((strategy, towers, first, Step(1.0)))
        return made[-1][-1]

    towers = [f"/job:worker/replica:0/task:{task}/cpu:{cpu}" for task in (0, 1) for cpu in (0, 1)]
    by_worker(towers, make_step, Shared())
    assert [(strategy, own, first) for strategy, own, first, _ in made] == [
        (("view", towers[:2]), towers[:2], 0),
        (("view", towers[2:]), towers[2:], 2),
    ]
    assert made[0][3].updates is made[1][3].updates
    assert made[0][3].rate is made[1][3].rate
