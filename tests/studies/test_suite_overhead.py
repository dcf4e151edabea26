from benchmarks.studies.suite_overhead import Pair, one_pair, table
from tests.studies.runs import rows


def test_every_other_pair_is_made_the_other_way_round():
    asked = []

    def suite():
        asked.append("suite")
        return 11.0, 10.0

    def plain():
        asked.append("plain")
        return 9.0

    assert [one_pair(number, suite, plain) for number in (1, 2)] == [Pair(11.0, 10.0, 9.0)] * 2
    assert asked == ["suite", "plain", "plain", "suite"]


def test_both_ways_to_see_the_cost_are_judged():
    pairs = [Pair(105, 100, 100), Pair(106, 102, 90), Pair(104, 101, 101)]
    assert rows(table(pairs, 50)) == [
        ["plain runs", "105.0", "100.0", "1.050 (1.030..1.178)", "<= 1.1", "met"],
        ["in the suite", "105.0", "101.0", "1.039 (1.030..1.050)", "<= 1.1", "met"],
    ]
