from benchmarks.studies.telemetry_overhead import CASES, Case, look_seconds, look_text, one_pair, table
from tests.studies.runs import fresh_run, rows


def test_every_other_pair_is_made_the_other_way_round():
    asked = []

    def run(interval):
        asked.append(interval)
        return interval

    assert [one_pair(Case(1), number, run) for number in (1, 2)] == [(1, 0), (1, 0)]
    assert asked == [1, 0, 0, 1]


def test_the_default_is_judged_and_equal_runs_are_shown_beside_it():
    speeds = {1: ((99.6, 100), (98.5, 100), (99.8, 100)), 0.1: ((90, 100),) * 3, 0: ((101, 100),) * 3}
    pairs = {
        case: [
            (fresh_run(1, window_images_per_second=with_it), fresh_run(1, window_images_per_second=without))
            for with_it, without in speeds[case.interval]
        ]
        for case in CASES
    }
    assert rows(table(pairs)) == [
        ["every 1 s", "99.6", "100.0", "0.996 (0.985..0.998)", ">= 0.995", "met"],
        ["every 0.1 s", "90.0", "100.0", "0.900 (0.900..0.900)", "none", "for information"],
        ["A/A: never", "101.0", "100.0", "1.010 (1.010..1.010)", "none", "for information"],
    ]


def test_more_than_half_a_percent_is_too_much():
    assert not Case(1).target.met(0.994)
    assert "(target 0.5%: NOT met)" in look_text(0.0051)


def test_the_time_of_a_look_is_told_as_the_most_that_it_can_cost():
    now = [0.0]

    def look():
        now[0] += 0.003

    assert look_text(look_seconds(look, lambda: now[0])) == (
        "A look at the host takes 3.00 ms: at most 0.30% of the time, every second (target 0.5%: met).\n"
    )
