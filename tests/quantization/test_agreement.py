"""How often two models say the same, counted by hand; and latencies by a clock that is set."""

import numpy as np
import pytest

from benchmarks.quantization.agreement import Agreement, compare, top_five
from benchmarks.quantization.latency import CALLS, MOST_SECONDS, latencies, percentiles

PLAIN = np.array([[9, 1, 0, 0, 0, 0], [9, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 9], [1, 0, 0, 0, 0, 9]], float)
NARROW = np.array([[9, 1, 0, 0, 0, 0], [1, 9, 0, 0, 0, 0], [0, 0, 0, 0, 0, 9], [0, 0, 0, 0, 9, 1]], float)


def test_shares_of_images_counted_by_hand():
    found = Agreement()
    found.add(PLAIN, NARROW, np.array([0, 1, 4, 4]))
    assert found.facts(labelled=True) == {
        "images": 4,
        "top_1_agreement": 0.5,
        "accuracy": {
            "float": {"top_1": 0.25, "top_5": 0.5},  # of equal logits the lower come first, and 4 is the sixth
            "quantized": {"top_1": 0.75, "top_5": 0.75},
        },
    }
    assert "accuracy" not in found.facts(labelled=False)


def test_of_equal_logits_the_lower_class_comes_first():
    assert top_five(np.zeros((1, 7))).tolist() == [[0, 1, 2, 3, 4]]
    assert top_five(np.array([[0.0, 2.0]])).tolist() == [[1, 0]]


def test_what_fills_up_a_batch_is_not_counted():
    batches = [(PLAIN, np.array([0, 0, 0, 0])), (PLAIN, np.array([5, -1, -1, -1]))]
    found = compare(lambda images: images, lambda images: images, batches, -1, lambda: None)
    assert (found.images, found.agreed) == (5, 5)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def taking(self, seconds):
        def call():
            self.now += seconds

        return call


def test_models_take_turns_and_slow_ones_make_fewer_calls():
    clock, blocks = Clock(), []
    calls = {"fast": clock.taking(0.01), "slow": clock.taking(MOST_SECONDS / 4)}
    found = latencies(calls, rounds=2, clock=clock, on_block=lambda *block: blocks.append(block))
    assert blocks == [("fast", 1), ("slow", 1), ("slow", 2), ("fast", 2)]
    assert {name: len(seconds) for name, seconds in found.items()} == {"fast": 2 * CALLS, "slow": 2 * 4}
    assert set(found["slow"]) == {MOST_SECONDS / 4}


def test_percentiles_of_a_hundred_calls():
    found = percentiles([float(number) for number in range(101)])
    assert found == pytest.approx({"calls": 101, "p50_seconds": 50.0, "p90_seconds": 90.0, "p99_seconds": 99.0})
