"""What there is time for, and in which order."""

import re
from itertools import cycle

import pytest

from benchmarks.studies.claims import command
from benchmarks.studies.claims.budget import Budget, BudgetSpentError
from benchmarks.studies.claims.claim import Case, Measured, Preparation, Way
from benchmarks.studies.claims.measuring import Measuring
from tests.studies.claims.planted import case, claim, two_cores


def test_the_budget_goes_to_the_most_telling_cases_first(tmp_path):
    first, second = case("first", 10), case("second", 10)
    other = case("other", 10)
    story = command.plan([claim(first, second, name="one"), claim(other, name="two")], two_cores(tmp_path))
    now = [0.0]

    def run(_):
        now[0] += 10
        return Measured(100 + now[0] % 7, {})

    command.measure(story, run, 5, Budget(125, clock=lambda: now[0]))
    assert {each.name: len(each.pairs) for each in story.cases} == {"one: first": 3, "one: second": 0, "two: other": 3}
    assert now[0] <= 125


class Clock:
    """Goes on while something is made or measured; each thing takes so many times as long as is expected of it."""

    def __init__(self, slow=1.0):
        self.now, self.slow = 0.0, slow

    def __call__(self):
        return self.now

    def run(self, seconds):
        def ran(way):
            del way
            self.now += self.slow * seconds
            return Measured(100 + self.now % 7, {})

        return ran

    def prepare(self, files):
        self.now += self.slow * files.seconds


FILES = Preparation(("-c", ""), 30.0)


def reading(name, seconds=10.0):
    return Case(name, Way("good", prepared_by=FILES), Way("bad", prepared_by=FILES), seconds=seconds)


def pairs_within(budget, clock, *cases):
    """How many pairs of each case, whose runs take 10 s, are made in so many seconds; and the story."""
    story = command.plan([claim(*cases)], two_cores(None))
    limit = Budget(budget, clock)
    command.measure(story, clock.run(10.0), 3, limit, prepare=clock.prepare)
    return [len(each.pairs) for each in story.cases], story


def test_files_that_have_to_be_made_first_are_counted_once_and_are_none_of_the_pairs():
    clock = Clock()
    assert pairs_within(89, clock, reading("one"), reading("two"))[0] == [0, 0]
    assert clock.now == 0
    counts, story = pairs_within(90, clock, reading("one"), reading("two"))
    assert (counts, clock.now) == ([3, 0], 90)
    assert story.cases[0].pair_seconds == 20
    assert pairs_within(150, Clock(), reading("one"), reading("two"))[0] == [3, 3]


def test_what_was_not_begun_is_expected_to_be_as_slow_as_what_was():
    clock = Clock(slow=4)
    counts, _ = pairs_within(400, clock, case("one", 10), case("two", 10))
    assert (counts, clock.now) == ([3, 0], 240)


def test_the_time_that_is_told_has_the_files_once_and_is_within_the_budget(capsys):
    for budget, told in ((1000, ["90", "40", "20"]), (95, ["90", "40", "20"]), (30 + 60 - 1, [])):
        pairs_within(budget, Clock(), reading("one"))
        assert re.findall(r"about (\d+) s left", capsys.readouterr().err) == told
    pairs_within(95, Clock(), reading("one"), reading("two"))
    assert re.findall(r"about (\d+) s left", capsys.readouterr().err) == ["95", "45", "25"]


def test_a_process_that_is_not_done_within_the_budget_is_ended_and_has_not_failed(tmp_path, stand_in):
    story = command.plan([claim(case(seconds=0.001, other="--hangs"), case("next"))], two_cores(tmp_path))
    budget = Budget(1)  # until the first run is done, on however busy a machine, or else it is ended
    measuring = Measuring(tmp_path / "runs", budget=budget, program=stand_in)
    command.measure(story, measuring.measure, 1, budget)
    assert [command.writing.outcome(each) for each in story.cases] == ["not measured", "not measured"]
    with pytest.raises(BudgetSpentError):
        measuring.prepare(FILES)


def test_a_pair_that_the_budget_cut_off_is_told_as_begun(tmp_path):
    clock = Clock()

    def run(way):
        clock.now += 14
        if way.name == "bad":
            raise BudgetSpentError
        return Measured(1.0, {})

    story = command.plan([claim(case("cut", seconds=5), case("next", seconds=5))], two_cores(tmp_path))
    command.measure(story, run, 1, Budget(20, clock))
    told = command.writing.text(story)
    assert "- cut: not measured, as its first pair was not done after 28 s, when the time was over." in told
    assert "- not measured, as its pairs do not fit in the time that was left: next" in told
    assert command.too_short(story, 1) == ("the first pair of stand_in: cut was not done after 28 s. Give more.")


def test_time_that_is_left_goes_to_what_is_not_told(tmp_path):
    clear = Case("clear", Way("quick"), Way("slow"))
    noisy = case("noisy")
    story = command.plan([claim(clear, noisy)], two_cores(tmp_path))
    wild = cycle([1, 2, 2, 1, 3])

    def run(way):
        return Measured({clear.advised: 2, clear.other: 1}.get(way) or next(wild), {})

    command.measure(story, run, 5, Budget())
    assert [len(each.pairs) for each in story.cases] == [3, 5]
    assert command.writing.BY_CHANCE in command.writing.text(story).replace("\n", " ")
