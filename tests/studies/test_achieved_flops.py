import pytest

from benchmarks.studies.achieved_flops import Result, compare, table, timed
from tests.studies.runs import in_turn, rows


def test_a_timed_call_gives_operations_a_second():
    assert timed(lambda: None, 100, clock=in_turn(3.0, 7.0))() == 25.0


def test_the_warm_up_is_left_out():
    result = compare(in_turn(1.0, 1.0, 8.0, 9.0), in_turn(1.0, 1.0, 10.0, 10.0), 2, warmup=2)
    assert result.pairs == [(8.0, 10.0), (9.0, 10.0)]
    assert result.share.median == pytest.approx(0.85)


def test_the_share_is_judged():
    result = Result([(79e9, 100e9), (70e9, 100e9), (90e9, 100e9)])
    assert rows(table(result)) == [
        ["training step", "79.0 (70.0..90.0)", "", "", ""],
        ["matrix product", "100.0 (100.0..100.0)", "", "", ""],
        ["step / product", "", "0.790 (0.700..0.900)", ">= 0.8", "NOT met"],
    ]
