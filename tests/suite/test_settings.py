"""What a flag or a word of a suite may be set to, and where it stands."""

import pytest

from benchmarks.suite.plan import read_plan
from tests.suite.conftest import cells, problems


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('"a\\0b"', "has a NUL character"),
        ('"a\\uD800b"', "has half of a character"),
        (100_001 * "x", "has 100,001 bytes, and a command line takes 100,000"),
    ],
)
def test_a_value_that_no_process_can_take(value, told, described):
    (problem,) = problems(f"model: trivial\ncells:\n  - {{tag: {value}}}\n  - {{tag: ok}}\n", described)
    assert problem.startswith("sweep.yaml:3: tag: its value " + told)


def test_what_is_set_without_effect_is_told(described):
    studies = str(described("studies: [xla, threads]\n"))
    assert read_plan(studies, ["num_gpus=2"], 9).notices == [
        "--set: num_gpus concerns no cell: all are studies, whose flags stand in the study."
    ]
    (notice,) = read_plan(studies, ["repeats=1,2"], 9).notices
    assert "repeats has 2 values, of which studies take none" in notice
    assert read_plan(studies, ["repeats=2"], 9).notices == []
    assert read_plan(str(described("model: lenet\n")), ["repeats=2", "num_gpus=2"], 9).notices == []


def test_a_cell_writes_over_no_file_of_another(described):
    (problem,) = problems("quantize: int8\nforward_only: true\nquantized_file: q.tflite\n", described)
    assert problem == "sweep.yaml:3: quantized_file: each run would write over the file of the one before."


def test_equal_values_are_one_cell_however_they_are_written(described):
    plan = read_plan(str(described("grid: {num_batches: [5, 05], forward_only: [true, True]}\n")), [], 9)
    assert [cell.flags["num_batches"] for cell in plan.cells] == ["5"]
    assert plan.notices[0] == "3 cells stand more than once: each is one cell."
    (problem,) = problems("cells: [{num_batches: 5}, {num_batches: 05, repeats: 2}]\n", described)
    assert "stands at sweep.yaml:1 too, with other repeats" in problem


@pytest.mark.parametrize("tag", ["!foo", "!!binary", "!!str", "!"])
def test_a_tag_is_no_value(tag, described):
    (problem,) = problems(f"model: lenet\nnum_batches: {tag} 5\n", described)
    assert problem.startswith(f"sweep.yaml:2: the tag {tag}: values are what is typed.")
    assert cells("model: lenet\ntag: 'a !b'\n", described)


def test_a_wrong_exclusion_hides_no_other_problem(described):
    found = problems("model: lenett\nexclude: [{pairs: 3}]\n", described)
    assert len(found) == 2
    assert "lenett" in found[0]
    assert "pairs" in found[1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("budget: 30m", "is given on the command line, as in python -m benchmarks.suite SUITE.yaml --budget=30m"),
        ("seed: 3", "SUITE.yaml --seed=N"),
        ("max_cells: 3", "SUITE.yaml --max_cells=N"),
        ("pairs: 3", "stands beside one, as in {study: xla, pairs: 3}"),
        ("study: xla", "as in cells: [{study: xla}]"),
    ],
)
def test_a_word_that_stands_elsewhere(line, told, described):
    (problem,) = problems(f"model: lenet\n{line}\n", described)
    assert problem.startswith(f"sweep.yaml:2: {line.split(':')[0]} ")
    assert told in problem
    assert "Did you mean" not in problem
