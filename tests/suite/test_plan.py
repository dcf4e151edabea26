"""What a suite's file says, and everything that is wrong with it at once."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.errors import UserError
from benchmarks.studies.claims.command import _parser
from benchmarks.suite import check, description
from benchmarks.suite.cells import Cell, plan_id, shard
from benchmarks.suite.plan import read_plan
from benchmarks.suite.study_names import study_command, study_names, study_seconds

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


def cells(text, described, sets=(), max_cells=200):
    return read_plan(str(described(text)), sets, max_cells).cells


def problems(text, described, **options):
    with pytest.raises(UserError) as found:
        cells(text, described, **options)
    return str(found.value).splitlines()


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


def test_a_study_is_left_out(described):
    text = "studies: [xla, threads]\nexclude: [{study: threads}, {study: [xl]}]\n"
    plan = read_plan(str(described(text)), [], 9)
    assert [cell.study for cell in plan.cells] == ["xla"]
    assert plan.notices == ["sweep.yaml:2: this exclusion leaves no cell out."]
    longer = "studies: [xla, threads]\noverrides: [{where: {study: xla}, set: {time_limit: 9h}}]\n"
    assert [cell.time_limit for cell in cells(longer, described)] == [9 * 3600.0, 6 * 3600.0]


def test_a_grid_that_is_excluded_whole_is_told_beside_studies(described):
    text = "grid: {num_gpus: [1, 2]}\nexclude: [{num_gpus: [1, 2]}]\nstudies: xla\n"
    plan = read_plan(str(described(text)), [], 9)
    assert plan.notices == ["sweep.yaml:2: the exclusions leave studies alone, and none of 2 other cells."]


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


def test_studies_are_cells(described, monkeypatch):
    for module in (check, description):
        monkeypatch.setattr(module, "study_names", lambda: ["strategies", "overhead"])
    assert len(cells("studies: [all, overhead]\n", described)) == 2
    found = cells("studies: all\nrepeats: 2\n", described)
    assert [(cell.study, cell.repeats, cell.flags, cell.name) for cell in found] == [
        ("strategies", 2, {}, "study strategies"),
        ("overhead", 2, {}, "study overhead"),
    ]
    (told,) = problems("cells: [{study: strategie}]", described)
    assert "there is no study strategie. Did you mean strategies?" in told
    (told,) = problems("cells: [{study: overhead, model: lenet}]", described)
    assert "sweep.yaml:1: study: overhead takes no flags of a run (model)" in told


def test_a_study_has_options_of_its_own(described):
    text = """\
cells:
  - {study: xla, budget: 10m, pairs: 3, cases: [resnet20, "*inference"]}
  - {study: xla}
studies: [placement, {study: placement, pairs: 4}]
"""
    found = cells(text, described)
    assert [cell.name for cell in found] == [
        "study placement",
        "study placement pairs=4",
        "study xla budget=10m pairs=3 cases=resnet20,*inference",
        "study xla",
    ]
    short, whole = found[2:]
    assert short.arguments() == ["--budget=10m", "--pairs=3", "--cases=resnet20,*inference"]
    assert (whole.arguments(), whole.id) == ([], "313f5623ba31")
    assert study_seconds("xla", {}) > study_seconds("xla", {"pairs": "3"}) > study_seconds("xla", short.flags)
    assert study_seconds("xla", {"budget": "1m"}) == study_seconds("none", {}) + 60
    options = study_command("xla", short.arguments(), "runs")
    assert options[:2] == ["-m", "benchmarks.studies"]
    read = _parser().parse_args(options[2:])
    assert (read.studies, read.budget, read.pairs) == (["xla"], 600.0, 3)
    assert read.cases == ["resnet20", "*inference"]


def test_all_studies_may_have_the_same_options(described):
    found = cells("studies: {study: all, budget: 30m}", described)
    assert {cell.flags["budget"] for cell in found} == {"30m"}
    assert [cell.study for cell in found] == study_names()
    assert {(cell.study, cell.flags["budget"]) for cell in read_plan("guide", [], 200).cells} == {
        (name, "30m") for name in study_names()
    }


def test_a_case_that_has_a_comma_in_its_name_can_be_named(described):
    (cell,) = cells("cells: [{study: file_size, cases: ['3 kB an image, cold cache']}]", described)
    assert cell.arguments() == ["--cases=3 kB an image? cold cache"]


def test_what_is_wrong_with_a_study_has_its_line(described):
    text = """\
cells:
  - study: xla
    budget: soon
    pairs: none
    cases: [resnet20, resnet2]
  - {study: xla,
     budget: 2h, time_limit: 1h}
  - {model: lenet,
     pairs: 3}
  - {study: xla, num_gpus: 2}
pairs: 3
"""
    found = problems(text, described)
    for line, words in [
        (3, "budget: 'soon' is no length of time"),
        (4, "pairs: 'none' is no whole number from 1 to 1000"),
        (5, "cases: no case of xla is called 'resnet2'. There are: resnet20; "),
        (7, "budget: 2h is not below time_limit (60 min), at which the study would be ended"),
        (9, "pairs is an option of studies, which stands beside one"),
        (10, "study: xla takes no flags of a run (num_gpus)"),
        (11, "pairs is an option of studies, which stands beside one"),
    ]:
        assert any(told.startswith(f"sweep.yaml:{line}: ") and words in told for told in found), (line, words, found)
    assert len(found) == 7


@given(count=st.integers(1, 60), parts=st.integers(1, 12))
def test_shards_are_disjoint_complete_and_the_same_on_every_machine(count, parts):
    whole = [Cell({"num_batches": str(number)}, f"cell {number}") for number in range(count)]
    dealt = [shard(whole, index, parts) for index in range(1, parts + 1)]
    assert sorted(cell.id for part in dealt for cell in part) == sorted(cell.id for cell in whole)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    assert [shard(whole[::-1], index, parts)[::-1] for index in range(1, parts + 1)] == dealt
    assert plan_id(whole[::-1]) == plan_id(whole)
