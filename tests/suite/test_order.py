"""What runs next, and what follows a failure."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.errors import ExitCode
from benchmarks.suite.attempts import (
    CRASH,
    DONE,
    HANG,
    INTERRUPTED,
    INVALID,
    OUT_OF_MEMORY,
    UNUSABLE,
    Attempt,
    History,
    code_of,
    next_batch,
)
from benchmarks.suite.cells import Cell
from benchmarks.suite.journal import Header
from benchmarks.suite.order import left, shuffled, widest
from benchmarks.suite.summary import summary
from tests.results.records import record

NAN = "the loss is not finite from step 2 on"
RETRIES = {CRASH: 1, OUT_OF_MEMORY: 0, HANG: 2, INVALID: 1}


def cell(name="a", **facts):
    return Cell({"tag": name}, name, retries=RETRIES, **facts)


def history(of, *outcomes, repeat=1, batches=()):
    found = History()
    for number, outcome in enumerate(outcomes, 1):
        batch = batches[number - 1] if batches else 0
        found.add(Attempt(of.id, repeat, number, outcome, 0, 1.0, images_per_second=10.0, batch_size=batch))
    return found


@pytest.mark.parametrize(
    ("outcomes", "following"),
    [
        ((), 0),
        ((DONE,), None),
        ((UNUSABLE,), None),
        ((CRASH,), 0),
        ((CRASH, CRASH), None),
        ((CRASH, HANG), 0),
        ((HANG, HANG), 0),
        ((HANG, HANG, HANG), None),
        ((INVALID,), 0),
        ((INVALID, INVALID), None),
        ((OUT_OF_MEMORY,), None),
        ((INTERRUPTED,), 0),
        ((INTERRUPTED, CRASH, INTERRUPTED), 0),
    ],
)
def test_a_retry_for_each_class_of_failure(outcomes, following):
    assert next_batch(cell(), history(cell(), *outcomes), 1) == following


def test_the_batch_is_halved_until_it_fits_and_later_repeats_begin_there():
    halving = cell(halves_batch=True, batch_size=5)
    assert next_batch(halving, history(halving, OUT_OF_MEMORY), 1) == 2
    ran = history(halving, OUT_OF_MEMORY, OUT_OF_MEMORY, batches=(0, 2))
    assert next_batch(halving, ran, 1) == 1
    ran.add(Attempt(halving.id, 1, 3, DONE, 0, 1.0, images_per_second=3.0, batch_size=1))
    assert next_batch(halving, ran, 1) is None
    assert next_batch(halving, ran, 2) == 1
    assert ran.speeds(halving) == [3.0]
    nothing_fits = history(halving, OUT_OF_MEMORY, OUT_OF_MEMORY, OUT_OF_MEMORY, batches=(0, 2, 1))
    assert next_batch(halving, nothing_fits, 1) is None
    assert nothing_fits.given_up(halving)


def test_repeats_with_a_larger_batch_run_again_where_a_smaller_one_fitted():
    halving = cell(halves_batch=True, batch_size=4)
    ran = history(halving, DONE)
    for number, (outcome, batch) in enumerate(((OUT_OF_MEMORY, 0), (CRASH, 2)), 1):
        ran.add(Attempt(halving.id, 2, number, outcome, 0, 1.0, batch_size=batch))
        assert next_batch(halving, ran, 1) is None, "2 may not fit either"
    assert len(ran.last(halving)) == 1
    ran.add(Attempt(halving.id, 2, 3, DONE, 0, 1.0, images_per_second=3.0, batch_size=2))
    assert next_batch(halving, ran, 1) == 2
    assert [each.repeat for each in ran.last(halving)] == [2]
    ran.add(Attempt(halving.id, 1, 2, DONE, 0, 1.0, images_per_second=3.1, batch_size=2))
    assert next_batch(halving, ran, 1) is None
    assert ran.speeds(halving) == [3.1, 3.0]


def test_a_run_with_a_larger_batch_that_never_runs_again_is_counted_and_told():
    halving = cell(halves_batch=True, batch_size=32, repeats=3)
    ran = history(halving, DONE)
    for repeat, outcome, batch in ((2, OUT_OF_MEMORY, 0), (2, DONE, 8), (3, CRASH, 8), (3, CRASH, 8)):
        ran.add(Attempt(halving.id, repeat, 1, outcome, 1, 1.0, images_per_second=3.0, batch_size=batch))
    assert left([halving], [(0, 1), (0, 2), (0, 3)], ran) == []
    header = Header("sweep", "plan", "set", 0, [halving], [])
    lines = summary(header, ran, 0, Path("runs"))
    assert lines[1].split() == ["a", "3", "2", "1", "3.0", "-"]
    assert "a: 1 run with another batch, which its figure does not count" in lines
    assert any("2 runs done, 1 of them with another batch, 1 failed" in line for line in lines)


@given(repeats=st.lists(st.integers(1, 6), min_size=1, max_size=30), seed=st.integers(0, 2**32))
def test_the_order_is_random_whole_and_interleaved(repeats, seed):
    order = shuffled(repeats, seed)
    assert order == shuffled(repeats, seed)
    assert sorted(order) == [(index, n) for index, count in enumerate(repeats) for n in range(1, count + 1)]
    assert [repeat for _, repeat in order] == sorted(repeat for _, repeat in order)


def test_another_seed_is_another_order():
    assert len({tuple(shuffled([2] * 10, seed)) for seed in range(20)}) == 20


def test_what_is_left_after_failures():
    cells = [cell("done", repeats=2), cell("crashed", repeats=2), cell("doubtful", repeats=2)]
    ran = History(
        [
            *history(cells[0], DONE).all,
            *history(cells[1], CRASH, CRASH).all,
            *history(cells[2], INVALID, INVALID).all,
        ]
    )
    turns = left(cells, shuffled([2, 2, 2], 1), ran)
    assert Counter(turn.cell.name for turn in turns) == {"done": 1, "doubtful": 1}


def test_a_budget_is_spent_where_the_interval_is_widest_and_time_is_left():
    steady, noisy, slow, failed = cells = [cell(name) for name in ("steady", "noisy", "slow", "failed")]
    ran = History()
    for of, speeds in ((steady, (100, 101)), (noisy, (100, 130)), (slow, (100, 200))):
        for repeat, speed in enumerate(speeds, 1):
            ran.add(Attempt(of.id, repeat, 1, DONE, 0, 1.0, images_per_second=float(speed)))
    ran.add(Attempt(failed.id, 1, 1, UNUSABLE, 2, 1.0))
    seconds = {steady.id: 5.0, noisy.id: 5.0, slow.id: 50.0, failed.id: 1.0}
    assert widest(cells, ran, 60.0, lambda of: seconds[of.id]) == (slow, 3)
    assert widest(cells, ran, 20.0, lambda of: seconds[of.id]) == (noisy, 3)
    assert widest(cells, ran, 4.0, lambda of: seconds[of.id]) is None
    for repeat in (3, 4, 5):
        ran.add(Attempt(noisy.id, repeat, 1, DONE, 0, 1.0, images_per_second=113.0))
    assert widest([steady, noisy], ran, 20.0, lambda of: seconds[of.id]) == (noisy, 6)


def test_a_budget_goes_first_to_what_has_no_interval():
    steady, doubtful = cell("steady"), cell("doubtful")
    ran = History()
    for repeat, speed in enumerate((10.0, 11.0), 1):
        ran.add(Attempt(steady.id, repeat, 1, DONE, 0, 1.0, images_per_second=speed))

    def next_turn():
        return widest([steady, doubtful], ran, 60.0, lambda _: 1.0)

    for repeat in range(1, 4):
        ran.add(Attempt(doubtful.id, repeat, 1, INVALID, 0, 1.0, images_per_second=10.0))
        ran.add(Attempt(doubtful.id, repeat, 2, INVALID, 0, 1.0, images_per_second=10.0))
        assert next_turn() == (doubtful, repeat + 1)
    ran.add(Attempt(doubtful.id, 4, 1, DONE, 0, 1.0, images_per_second=10.0))
    assert next_turn() == (doubtful, 5), "one figure that is fit has no interval yet"
    ran.add(Attempt(doubtful.id, 5, 1, DONE, 0, 1.0, images_per_second=10.1))
    assert next_turn() == (steady, 3)


def test_what_never_gives_a_figure_does_not_get_all_of_a_budget():
    doubtful, tried = cell("doubtful"), 0
    ran = history(doubtful, INVALID, INVALID)
    while turn := widest([doubtful], ran, 60.0, lambda _: 1.0):
        ran.add(Attempt(doubtful.id, turn.repeat, 1, INVALID, 0, 1.0))
        ran.add(Attempt(doubtful.id, turn.repeat, 2, INVALID, 0, 1.0))
        tried += 1
        assert tried < 10
    assert tried == 5


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, ExitCode.VALID),
        ({"problems": ("too few steps",)}, ExitCode.VALID),
        ({"problems": ("unequal copies",), "wrong": ("unequal copies",)}, ExitCode.INVALID),
        ({"problems": (NAN,), "wrong": (NAN,)}, ExitCode.INVALID),
        ({"problems": (NAN,), "wrong": (NAN,), "params": {"allow_nonfinite_loss": True}}, ExitCode.VALID),
        ({"problems": (NAN,), "wrong": (NAN,), "status": "failed"}, ExitCode.FAILED),
    ],
)
def test_what_a_run_ended_with_is_in_its_record(facts, code):
    assert code_of(record(**facts)) == code
