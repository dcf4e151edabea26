"""Studies as cells of a suite, with options of their own."""

from benchmarks.studies.claims.command import _parser
from benchmarks.suite import check, description
from benchmarks.suite.plan import read_plan
from benchmarks.suite.study_names import study_command, study_names, study_seconds
from tests.suite.conftest import cells, problems


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
    assert short.arguments() == ["--budget=10m", "--pairs=3", "--cases=resnet20", "--cases=*inference"]
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


def test_equal_options_are_one_cell_however_they_are_written(described):
    text = """\
cells:
  - {study: placement, budget: 60s}
  - {study: placement, budget: 1m, pairs: 5}
  - {study: placement, budget: 1m, pairs: 4}
  - {study: placement, cases: [soft*, pinned*]}
  - {study: placement, cases: [pinned*, soft*], pairs: 05}
"""
    plan = read_plan(str(described(text)), [], 9)
    assert [cell.name for cell in plan.cells] == [
        "study placement budget=60s",
        "study placement budget=1m pairs=4",
        "study placement cases=soft*,pinned*",
    ]


def test_all_studies_may_stand_in_cells_and_be_left_out(described):
    found = cells("model: lenet\ncells: [{study: all, pairs: 3}, {num_gpus: 1}]", described)
    assert [cell.study for cell in found] == ["", *study_names()]
    assert {cell.flags["pairs"] for cell in found if cell.study} == {"3"}
    plan = read_plan(
        str(described("model: lenet\ngrid: {num_gpus: 1}\nstudies: all\nexclude: [{study: all}]\n")), [], 99
    )
    assert ([cell.study for cell in plan.cells], plan.notices) == ([""], [])
    longer = "model: lenet\ncells: [{study: xla}, {}]\noverrides: [{where: {study: all}, set: {time_limit: 9h}}]\n"
    assert {cell.study: cell.time_limit for cell in cells(longer, described)} == {"": 3600.0, "xla": 9 * 3600.0}


def test_a_case_that_has_a_comma_in_its_name_can_be_named(described):
    for given in ("['3 kB an image, cold cache']", "3 kB an image, cold cache"):
        (cell,) = cells(f"studies:\n- study: file_size\n  cases: {given}\n", described)
        assert cell.arguments() == ["--cases=3 kB an image? cold cache"]
    (told,) = problems("studies:\n- study: xla\n  cases: resnet20, vgg16\n", described)
    assert "no case of xla is called 'resnet20? vgg16'. There are: 'resnet20', " in told
    assert told.endswith("Several are a list, as in cases: [one, other].")
    (cell,) = cells("studies: {study: xla, cases: null}\n", described)
    assert cell.arguments() == []


def test_a_budget_in_which_nothing_is_measured_is_told_before(described):
    least = "its shortest case is expected to take about 48 s, and the start is counted too. Give more."
    (told,) = problems("studies: {study: placement,\n budget: 47s}\n", described)
    assert told == f"sweep.yaml:2: budget: in 47s placement measures nothing: {least}"
    assert cells("studies: [{study: placement, budget: 48s}, {study: placement, budget: 16s, pairs: 1}]\n", described)


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
        (5, "cases: no case of xla is called 'resnet2'. There are: 'resnet20', "),
        (7, "budget: 2h is not below time_limit (60 min), at which the study would be ended"),
        (9, "pairs is an option of studies, which stands beside one"),
        (10, "study: xla takes no flags of a run (num_gpus)"),
        (11, "pairs is an option of studies, which stands beside one"),
    ]:
        assert any(told.startswith(f"sweep.yaml:{line}: ") and words in told for told in found), (line, words, found)
    assert len(found) == 7
