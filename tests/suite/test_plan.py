"""What a suite's file says, and everything that is wrong with it at once."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.errors import UserError
from benchmarks.suite.cells import Cell, plan_id, shard
from benchmarks.suite.plan import read_plan
from tests.suite.conftest import cells, problems

SWEEP = """\
model: resnet20
data_name: cifar10
repeats: 3
retries: {crash: 2}
grid:
  num_gpus: [1, 2, 4]
  batch_size: [8, 16]
exclude:
  - {num_gpus: 4, batch_size: [16, 32]}
overrides:
  - where: {num_gpus: [2, 4]}
    set: {variable_update: replicated, repeats: 5, time_limit: 90s, on_out_of_memory: halve_batch}
cells:
  - {model: trivial, num_batches: 7}
"""


def test_grid_exclusions_overrides_and_explicit_cells(described):
    found = cells(SWEEP, described)
    asked = [(cell.flags.get("num_gpus"), cell.flags.get("batch_size")) for cell in found]
    assert asked == [("1", "8"), ("1", "16"), ("2", "8"), ("2", "16"), ("4", "8"), (None, None)]
    first, third, last = found[0], found[2], found[-1]
    assert (first.repeats, first.time_limit, first.retries["crash"], first.halves_batch) == (3, 3600.0, 2, False)
    assert (third.repeats, third.time_limit, third.halves_batch, third.batch_size) == (5, 90.0, True, 8)
    assert third.flags["variable_update"] == "replicated"
    assert last.flags == {"model": "trivial", "data_name": "cifar10", "num_batches": "7"}
    assert last.name == "trivial num_batches=7"
    assert len({cell.id for cell in found}) == 6


def test_what_is_set_on_the_command_line_goes_before_the_file(described):
    found = cells(SWEEP, described, sets=["num_gpus=1,2", "repeats=1", "variable_update=null"])
    assert {cell.flags["num_gpus"] for cell in found} == {"1", "2"}
    assert {cell.repeats for cell in found} == {1}
    assert not any("variable_update" in cell.flags for cell in found)
    assert len(found) == 2 * 2 + 2


def test_a_sweep_needs_no_file():
    plan = read_plan(None, ["model=resnet18,vgg16", "num_gpus=1,2,4"], 200)
    asked = [(cell.flags["model"], cell.flags["num_gpus"]) for cell in plan.cells]
    assert asked == list(itertools.product(["resnet18", "vgg16"], ["1", "2", "4"]))


def test_a_cell_of_two_grids_is_one(described):
    plan = read_plan(str(described("model: lenet\ngrid: [{num_gpus: [1, 2]}, {num_gpus: [2, 4]}]")), [], 200)
    assert [cell.flags["num_gpus"] for cell in plan.cells] == ["1", "2", "4"]
    assert plan.notices == ["1 cells stand more than once: each is one cell."]


def test_values_are_what_was_typed(described):
    (cell,) = cells("tag: on\nnum_batches: 010\ninit_learning_rate: 1e-3\nmodel: &m trivial\n", described)
    assert cell.flags == {"tag": "on", "num_batches": "010", "init_learning_rate": "1e-3", "model": "trivial"}


def test_a_merge_is_followed_and_may_be_overridden(described):
    text = "cells:\n  - &base {model: trivial, batch_size: 4}\n  - {<<: *base, batch_size: 8}\n"
    assert [cell.flags["batch_size"] for cell in cells(text, described)] == ["4", "8"]


def test_a_cell_that_has_a_merge_may_come_again(described):
    text = "cells:\n  - &a {model: lenet, batch_size: 4}\n  - &b {<<: *a, batch_size: 8}\n  - *b\n"
    assert [cell.flags["batch_size"] for cell in cells(text, described)] == ["4", "8"]


def test_everything_wrong_is_told_at_once_with_its_line(described):
    text = """\
model: resnet20
num_gpu: 2
repeats: none
time_limit: soon
retries: {crsh: 1}
on_out_of_memory: halve
grid:
  num_gpus: [1, two]
  batch_size: {a: 1}
exlude: []
cells:
  - {model: resnt20, data_name: cifar10}
  - {device: cpu,
     local_parameter_device: gpu}
  - {find_batch_size: max}
  - {train_dir: /tmp/x}
  - [lenet]
model: lenet
overrides:
  - {where: {model: lenet}}
"""
    found = problems(text, described)
    assert found == sorted(found, key=lambda line: int(line.split(":")[1]))
    for line, *words in [
        (2, "num_gpu=2: unknown flag", "Did you mean num_gpus?"),
        (3, "repeats: 'none' is no whole number from 1 to 1000"),
        (4, "time_limit: 'soon' is no length of time", "30m"),
        (5, "retries are of crash, out_of_memory, hang, invalid, and not of crsh"),
        (6, "on_out_of_memory: 'halve' is none of fail, halve_batch"),
        (8, "--num_gpus=two is not a whole number"),
        (9, "batch_size takes a text, a number or a truth value"),
        (10, "exlude: unknown flag", "Did you mean exclude?"),
        (12, "Unknown model 'resnt20'", "Did you mean 'resnet20'?"),
        (14, "--local_parameter_device=gpu needs GPUs"),
        (15, "find_batch_size: a cell is one run and no search"),
        (16, "--train_dir=/tmp/x: each run would go on with the training of the one before"),
        (17, "here stand flags with their values"),
        (18, "model stands twice, first in line 1"),
        (20, "an override has where and set"),
    ]:
        told = [text for text in found if text.startswith(f"sweep.yaml:{line}: ")]
        assert any(all(word in text for word in words) for text in told), (line, words, found)


def test_one_wrong_value_of_a_grid_is_told_once(described):
    found = problems("grid: {model: [nix, lenet], num_gpus: [1, 2, 4], batch_size: [1, 2]}\n", described)
    assert found == ["sweep.yaml:1: --model=nix: Unknown model 'nix'. See --list_models. (6 cells)"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: [a", "sweep.yaml:1: no YAML: "),
        ("{model: lenet, model: vgg16}", "sweep.yaml:1: model stands twice, first in line 1"),
        ("model: lenet\nretries: {crash: 1, crash: 2}", "sweep.yaml:2: crash stands twice, first in line 2"),
        ("model: lenet\nexclude: [{model: lenet}]", "sweep.yaml:2: the exclusions leave no cell"),
        ("model: lenet\nrepeats: 99999999999", "'99999999999' is no whole number from 1 to 1000"),
        ("model: lenet\nretries: {hang: 1001}", "retries.hang: '1001' is no whole number from 0 to 1000"),
        ("model: lenet\nstudies: {xla: 1}", "sweep.yaml:2: studies has names of studies"),
        ("model: lenet\nstudies:", "sweep.yaml:2: studies has names of studies"),
        ('model: lenet\nname: "a\\nb"', "sweep.yaml:2: a suite's name is one line of text"),
        ("a: 1\n\tb: 2", "cannot start any token. Indent with spaces."),
        ("- model", "sweep.yaml:1: a suite has flags"),
        ("", "sweep.yaml:1: a suite has flags"),
        ("repeats: 3", "sweep.yaml:1: the suite has no cell"),
        ("model: [lenet, vgg16]", "sweep.yaml:1: model has several values: such stand in grid"),
        ("cells: [{model: lenet}, {model: lenet, repeats: 2}]", "lenet stands at sweep.yaml:1 too, with other repeats"),
        ("cells: {model: lenet}", "sweep.yaml:1: cells is a list"),
        ("grid: {num_gpus: []}", "sweep.yaml:1: num_gpus has no value"),
        ("model: *b", "sweep.yaml:1: no YAML: found undefined alias"),
        ("a: &a [*a]", "nested too deeply"),
        ("{[1, 2]: 3}", "a key must be the name of a flag"),
        ("results_dir: /tmp", "sweep.yaml:1: results_dir: all runs of a suite leave their records in one folder"),
        ("--model: lenet", "Did you mean model?"),
        ("!!python/object/apply:os.system ['true']", "a suite has flags"),
    ],
)
def test_what_is_no_suite(text, told, described):
    assert any(told in line for line in problems(text, described))


def test_aliases_cannot_explode(described):
    text = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
        f"{this}: &{this} [{','.join([f'*{before}'] * 9)}]\n" for before, this in itertools.pairwise("abcdefgh")
    )
    assert any("too deeply, or too much" in line for line in problems(text, described))


def test_a_grid_that_explodes_is_refused_before_it_is_made(described):
    values = ", ".join(map(str, range(1, 1001)))
    text = f"grid: {{batch_size: [{values}], num_gpus: [{values}], tf_random_seed: [{values}]}}\n"
    (told,) = problems(text, described)
    assert "1,000,000,000 cells" in told
    assert "more than --max_cells=200" in told


def test_what_has_no_effect_is_told(described):
    text = SWEEP.replace("[16, 32]", "[64]").replace("{num_gpus: [2, 4]}", "{num_gpus: 9}")
    plan = read_plan(str(described(text)), [], 200)
    assert sum("leaves no cell out" in notice or "concerns no cell" in notice for notice in plan.notices) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [("quik", "Did you mean quick?"), ("nix.yaml", "nix.yaml: cannot be read: No such file"), ("/", "cannot be read")],
)
def test_a_suite_that_is_not_there(name, told):
    with pytest.raises(UserError, match=r"is no file|cannot be read") as found:
        read_plan(name, [], 200)
    assert told in str(found.value)


@given(count=st.integers(1, 60), parts=st.integers(1, 12))
def test_shards_are_disjoint_complete_and_the_same_on_every_machine(count, parts):
    whole = [Cell({"num_batches": str(number)}, f"cell {number}") for number in range(count)]
    dealt = [shard(whole, index, parts) for index in range(1, parts + 1)]
    assert sorted(cell.id for part in dealt for cell in part) == sorted(cell.id for cell in whole)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    assert [shard(whole[::-1], index, parts)[::-1] for index in range(1, parts + 1)] == dealt
    assert plan_id(whole[::-1]) == plan_id(whole)
