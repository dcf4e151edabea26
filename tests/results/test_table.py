import pytest

from results.frame import frame
from results.table import table
from tests.results.records import measurement, record


def row_of(text, made):
    return next(line for line in text.splitlines() if line.startswith(made.record_id[:8]))


def test_common_conditions_stand_above_and_figures_in_rows():
    one, two = record(minute=1), record(minute=2, settings={"variable_update": "independent"})
    text = table(frame([one, two]))
    assert text.startswith("2 records, all with: model resnet20, data set cifar10 (sample), device cpu, towers 2,")
    assert row_of(text, one).split() == [one.record_id[:8], "replicated", "10", "500.0", "125.00", "0.0", "5.0", "ok"]
    assert "Not valid" not in text


@pytest.mark.parametrize(
    ("changes", "state", "why"),
    [
        ({"problems": ("the loss is NaN from step 3 on",)}, "UNFIT [1]", "the loss is NaN from step 3 on"),
        ({"status": "failed", "message": "out of memory"}, "FAILED [1]", "out of memory"),
        ({"status": "interrupted"}, "INTERRUPTED [1]", "status interrupted, no reason given"),
    ],
)
def test_a_record_that_is_not_valid_never_looks_clean(changes, state, why):
    bad = record(**changes)
    text = table(frame([record(), bad]))
    assert "(500.0)" in row_of(text, bad)
    assert row_of(text, bad).endswith(state)
    assert f"[1] {bad.record_id[:8]}: {why}" in text


def test_a_run_without_figures_has_dashes():
    bad = record(status="failed", message="no GPU", measurement=None)
    assert row_of(table(frame([bad])), bad).split() == [bad.record_id[:8], *"-----", "FAILED", "[1]"]


def test_repeats_stand_together():
    first, other, again = record(minute=1), record(minute=2, settings={"batch_size": 1}), record(minute=3)
    lines = table(frame([again, other, first])).splitlines()
    rows = [line[:8] for line in lines if line.endswith(" ok")]
    assert rows == [made.record_id[:8] for made in (first, again, other)]


def test_only_the_columns_that_stand_there_are_explained():
    legend = "images/s: images in the measured window"
    bare, counted = table(frame([record()])), table(frame([record(cost={"flops_per_second": 1e12})]))
    assert legend in bare
    assert "GFLOP/s" not in bare
    assert "GFLOP/s: of convolutions and" in counted
    narrow = table(frame([record(cost={"flops_per_second": 1e12})]), width=60)
    assert legend[:10] in narrow
    assert "GFLOP/s:" not in narrow


@pytest.mark.parametrize("width", [100, 120])
def test_the_table_keeps_to_its_width_and_says_what_it_left_out(width):
    names = ("model", "device", "variable_update", "data_format", "precision", "optimizer")
    made = [
        record(
            n,
            {name: f"{name}_" * 2 + f"with_a_long_value_{n}" for name in names},
            hardware={"cpu": {"model": f"Processor {n} with a name that is far too long"}},
            environment={"packages": {"tensorflow": f"2.{n}"}},
            problems=("a reason that needs more than one line " * 5,),
        )
        for n in range(3)
    ]
    text = table(frame(made), width)
    assert max(map(len, text.splitlines())) <= width
    assert "Not shown for want of width: first s, tensorflow" in text


def test_control_characters_of_a_record_do_not_reach_the_terminal():
    text = table(frame([record(problems=("red \x1b[31m\nline",), model={"name": "a\x1b[2Jb"})]))
    assert "\x1b" not in text
    assert "red ?[31m line" in text


def test_wide_characters_keep_columns_below_each_other():
    one, two = record(settings={"optimizer": "动量"}), record(minute=1)
    lines = table(frame([one, two])).splitlines()
    heading = next(line for line in lines if line.startswith("record "))
    assert row_of("\n".join(lines), one).index(" 10 ") + 1 == heading.index("steps") + len("steps") - 2 - 2


def test_partial_measurements_show_what_they_have():
    cut = record(
        status="interrupted", message="Ctrl-C", measurement=measurement(step_seconds=(0.5,), window_seconds=0.5)
    )
    assert "(128.0)" in row_of(table(frame([cut])), cut)


def test_trials_of_a_search_share_a_footnote_that_counts_them():
    trial = "a trial of --find_batch_size, made to find what to run and not to be compared"
    made = [
        record(1, problems=("foreign load",)),
        *(record(2 + n, problems=("too few steps: 5", trial)) for n in range(3)),
        record(9, problems=("no steady state",)),
    ]
    lines = table(frame(made), 200).splitlines()
    notes = [line for line in lines if line.startswith("[")]
    assert [note[:4] for note in notes] == ["[1] ", "[2] ", "[3] "]
    assert notes[1] == f"[2] 3 records, {made[1].record_id[:8]} first: each {trial}"
    assert sum("UNFIT [2]" in line for line in lines) == 3


def test_trials_that_went_wrong_each_say_how():
    trial = "a trial of --find_batch_size, made to find what to run and not to be compared"
    made = [
        record(1, problems=(trial,)),
        record(2, problems=("the loss is not finite", trial), wrong=("the loss is not finite",)),
        record(3, problems=(trial,), status="failed", message="out of memory"),
        record(4, problems=(trial,)),
    ]
    text = table(frame(made), 200)
    notes = [line for line in text.splitlines() if line.startswith("[")]
    assert notes == [
        f"[1] 2 records, {made[0].record_id[:8]} first: each {trial}",
        f"[2] {made[1].record_id[:8]}: the loss is not finite; {trial}",
        f"[3] {made[2].record_id[:8]}: out of memory; {trial}",
    ]
    assert [text.count(f"{word}]") for word in ("UNFIT [1", "WRONG [2", "FAILED [3")] == [2, 1, 1]


def test_what_tells_machines_apart_has_a_column_where_it_does():
    small, large = ({"cpu": {"model": "Testium 9000", "usable_cores": cores}, "gpus": []} for cores in (2, 64))
    one = table(frame([record(hardware=small), record(minute=1, hardware=small)]))
    assert "cores" not in one
    two = table(frame([record(hardware=small), record(minute=1, hardware=large)]))
    heading, _, first, second = two.split("\n\n")[1].splitlines()
    at = heading.index("cores") + len("cores")
    assert [first[:at].split()[-1], second[:at].split()[-1]] == ["2", "64"]
