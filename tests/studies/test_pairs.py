import pytest

from benchmarks.studies.pairs import Spread, Target, differences, interleaved, ratios, spread


def test_the_two_sides_take_turns():
    calls = []

    def side(name):
        return lambda: calls.append(name) or f"{name}{len(calls)}"

    pairs = interleaved(side("a"), side("b"), 3, on_pair=calls.append)
    assert calls == [1, "a", "b", 2, "a", "b", 3, "a", "b"]
    assert pairs == [("a2", "b3"), ("a5", "b6"), ("a8", "b9")]


def test_ratios_are_of_neighbours():
    drifting = [(100.0, 50.0), (10.0, 5.0), (40.0, 10.0)]
    assert ratios(drifting) == Spread(median=2.0, low=2.0, high=4.0)


def test_differences_are_of_neighbours():
    assert differences([(5.0, 4.0), (9.0, 3.0), (2.0, 3.0)]) == Spread(1.0, -1.0, 6.0)


def test_the_median_of_an_even_number_is_between():
    assert spread([4.0, 1.0, 2.0, 3.0]).median == 2.5


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target(0.98), 0.98, True),
        (Target(0.98), 0.979, False),
        (Target(2.0, at_most=True), 2.0, True),
        (Target(2.0, at_most=True), 2.1, False),
    ],
)
def test_a_target_includes_its_bound(target, value, met):
    assert target.met(value) is met
