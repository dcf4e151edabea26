import json
from pathlib import Path

import pytest

from benchmarks.errors import ExitCode, UserError
from benchmarks.studies import report
from benchmarks.studies.claims.command import main
from benchmarks.studies.pairs import Spread, Target
from results.commands.arguments import count
from tests.studies.runs import fresh_run


def test_a_table_reads_well_as_it_stands():
    assert report.table(["case", "speed"], [["a", "1.0"], ["longer", "10.0"]]).splitlines() == [
        "| case   | speed |",
        "| ------ | ----: |",
        "| a      |   1.0 |",
        "| longer |  10.0 |",
    ]


def test_a_ratio_has_its_range():
    assert report.ratio_text(Spread(1.02, 0.999, 1.1)) == "1.020 (0.999..1.100)"


@pytest.mark.parametrize(
    ("target", "text", "verdict"),
    [
        (Target(1.15), ">= 1.15", "NOT met"),
        (Target(1.15, at_most=True), "<= 1.15", "met"),
        (None, "none", "for information"),
    ],
)
def test_targets_in_words(target, text, verdict):
    assert (report.target_text(target), report.verdict(1.1, target)) == (text, verdict)


def test_names_are_known():
    assert report.named("--cases", "b,a", ("a", "b", "c")) == ["b", "a"]
    with pytest.raises(UserError, match=r"^--cases=a,bee: there is no 'bee'\. There are: a, b\.$"):
        report.named("--cases", "a,bee", iter("ab"))


def test_saved_figures_carry_the_machine(tmp_path):
    report.save(tmp_path / "out.json", "some_study", {"pairs": 5, "runs": [(Spread(2, 1, 3), fresh_run(10.0))]})
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["study"] == "some_study"
    assert document["pairs"] == 5
    assert document["runs"][0][0] == [2, 1, 3]
    assert document["runs"][0][1]["images_per_second"] == 10.0
    assert "cpu" in document["hardware"]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere/out\.json: cannot be written: No such file"):
        report.save(tmp_path / "nowhere" / "out.json", "some_study", {})
    with pytest.raises(UserError, match=r"nowhere/out\.json: cannot be written: No such file"):
        report.check_writable(tmp_path / "nowhere" / "out.json")


def test_what_a_user_can_mend_is_one_message(capsys):
    def study(_):
        raise UserError("the thing, and the way out")

    assert report.run(report.parser("some_study", ""), study, []) == ExitCode.UNUSABLE
    assert capsys.readouterr().err == "python -m benchmarks.studies.some_study: error: the thing, and the way out\n"


@pytest.mark.parametrize("text", ["0", "-1", "few"])
def test_counts_are_whole_and_positive(text, capsys):
    flags = report.parser("some_study", "")
    flags.add_argument("--pairs", type=count)
    with pytest.raises(SystemExit) as ending:
        flags.parse_args([f"--pairs={text}"])
    assert ending.value.code == ExitCode.UNUSABLE
    assert "--pairs" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.txt", "x.html", "x.json.gz"])
def test_a_file_whose_ending_would_mislead_is_refused(name, capsys):
    with pytest.raises(SystemExit, match="2"):
        report.parser("some_study", "").parse_args([f"--output={name}"])
    assert f"argument --output: '{name}' would be JSON: give FILE.json\n" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.json", "x.JSON", "/dev/stdout"])
def test_files_that_do_not_mislead(name):
    assert report.parser("some_study", "").parse_args([f"--output={name}"]).output == Path(name)


def test_a_command_that_writes_other_forms_names_them(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["xla", "--output=x.md"])
    assert (
        "'x.md' would be JSON: give FILE.json; --report=FILE.md is text, and FILE.html a page"
        in capsys.readouterr().err
    )
