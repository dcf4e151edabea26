"""The command of the studies, with a program in place of the benchmark that writes records as it does."""

import json
import re
import time
from itertools import cycle
from pathlib import Path

import pytest

from benchmarks.errors import ExitCode
from benchmarks.studies.claims import command
from benchmarks.studies.claims.budget import Budget
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import Measured, Missing, Promise
from benchmarks.studies.claims.measuring import Measuring, WayError
from results import store
from tests.results.records import record
from tests.studies.claims.planted import case, claim, measurements, two_cores, two_h100


def test_a_case_that_fails_is_given_up_and_the_others_go_on(tmp_path):
    broken, whole = case("broken"), case("whole")
    story = command.plan([claim(broken, whole, Missing("far", "a GPU"))], two_cores(tmp_path))
    measure = measurements(whole, 1.3)

    def run(way):
        if way is broken.other:
            raise WayError("no such device")
        return measure(way)

    command.measure(story, run, 5, Budget())
    told = command.writing.text(story)
    assert [command.writing.outcome(each) for each in story.cases] == ["failed", "confirmed"]
    assert "broken: failed: no such device" in told
    assert "far: cannot run here: this machine lacks a GPU." in told
    assert command.writing.BY_CHANCE not in told, "one case was measured"


def test_doubts_of_runs_are_told_but_that_they_are_short(tmp_path):
    one = case()
    story = command.plan([claim(one)], two_cores(tmp_path))
    short, loud = "too few steps: 8 steps", "foreign load: other processes took 50% of the CPUs"
    runs = cycle([record(problems=(short,)), record(problems=(short, "too short: a window", loud))])
    command.measure(story, lambda _: Measured(1.0, {}, next(runs)), 3, Budget())
    told = " ".join(command.writing.text(story).split())
    assert f"Of 6 runs 3 are doubtful by themselves: {loud}." in told


def test_every_other_pair_is_made_the_other_way_round():
    asked, one = [], case()
    run = lambda way: asked.append(way.name)  # noqa: E731
    command.one_pair(one, 1, run)
    command.one_pair(one, 2, run)
    assert asked == ["good", "bad", "bad", "good"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["xa"], "'xa' is no study. Did you mean 'xla'?"),
        ([], "no study is named"),
        (["xla", "--report=effects.pdf"], "'effects.pdf' is neither Markdown nor a page: give FILE.md or FILE.html"),
        (["xla", "--budget=soon"], "'soon' is no length of time. Write seconds, or such as 90s, 1.5h or 1h30m."),
        (["xla", "--results_dir=/dev/null"], "Cannot write into results folder '/dev/null'"),
    ],
)
def test_what_cannot_be_used_is_told(capsys, words, told):
    try:
        code = command.main(words)
    except SystemExit as ended:
        code = ended.code
    assert code == ExitCode.UNUSABLE
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("machine", [two_cores, two_h100])
def test_every_case_can_be_named_on_the_command_line(tmp_path, machine):
    for study in CLAIMS:
        for each in study.cases(machine(tmp_path)):
            options = command._parser().parse_args([study.name, f"--cases={each.name}"])
            story = command.plan([study], machine(tmp_path), options.cases)
            assert [found.case.name for found in story.cases] + [found.name for _, found in story.missing] == [
                each.name
            ]


def test_several_cases_are_named_one_by_one(tmp_path):
    first, second, third = case("one, more"), case("two, more"), case("far")
    study = claim(first, second, third)
    options = command._parser().parse_args(["stand_in", "--cases=far", "--cases=one, more"])
    story = command.plan([study], two_cores(tmp_path), options.cases)
    assert [each.case for each in story.cases] == [first, third]
    with pytest.raises(command.UserError) as raised:
        command.plan([study], two_cores(tmp_path), ["far,two"])
    assert str(raised.value) == (
        "--cases: no case is called 'far,two'. Give --cases once for each. There are: 'one, more', 'two, more', 'far'."
    )


def test_a_machine_that_can_run_no_case_is_told_what_it_lacks(tmp_path, monkeypatch, capsys):
    study = claim(Missing("far", "a GPU"), Missing("farther", "two GPUs"), Missing("as far", "a GPU"), name="xla")
    monkeypatch.setattr(command, "CLAIMS", (study,))
    monkeypatch.setattr(command, "look", two_cores)
    assert command.main(["xla", f"--results_dir={tmp_path / 'runs'}"]) == ExitCode.CANNOT_RUN_HERE
    words = capsys.readouterr().err
    assert "python -m benchmarks.studies: no case can run here: this machine lacks a GPU, two GPUs.\n" in words


def test_an_unknown_case_names_those_that_there_are(tmp_path):
    with pytest.raises(command.UserError, match=r"--cases: no case is called 'far\*'. There are: 'case'\."):
        command.plan([claim(case())], two_cores(tmp_path), ["far*"])


def test_the_list_has_claim_source_and_cost(capsys):
    assert command.main(["--list"]) == ExitCode.VALID
    told = capsys.readouterr().out
    assert re.search(r"^xla  \(\d+ cases, about \d+ min\)$", told, re.MULTILINE)
    assert "Source: TensorFlow performance guide" in told
    assert re.search(r"^data_format  \(\d of \d cases on a CPU, about \d+ min\)$", told, re.MULTILINE)


def test_a_whole_study_writes_figures_and_report(tmp_path, monkeypatch, stand_in, capsys):
    study = claim(case(promise=Promise(1.12, 1.3)), name="xla")
    monkeypatch.setattr(command, "CLAIMS", (study,))
    monkeypatch.setattr(command, "look", two_cores)
    monkeypatch.setattr(command, "Measuring", lambda *given, **named: Measuring(*given, stand_in, **named))
    monkeypatch.chdir(tmp_path)
    words = [
        "xla",
        "--pairs=3",
        "--output=figures.json",
        "--report=report.md",
        "--report=report.html",
        "--results_dir=runs",
        "--",
        "--batch_size=8",
    ]
    assert command.main(words) == ExitCode.VALID
    (figures,) = json.loads(Path("figures.json").read_text())["cases"]
    assert figures["outcome"] == "no difference"
    assert len(figures["pairs"]) == 3
    assert {pair[side]["record_id"] for pair in figures["pairs"] for side in ("advised", "other")} == {
        record.record_id for record in store.load("runs")[0]
    }
    assert Path("report.md").read_text().endswith(capsys.readouterr().out)
    assert Path("report.html").read_text().startswith("<!DOCTYPE html>")


def test_sigterm_ends_the_run_that_goes_on_and_what_was_measured_is_told(tmp_path, monkeypatch, stand_in, capsys):
    monkeypatch.setattr(command, "CLAIMS", (claim(case(other="--terminates"), name="xla"),))
    monkeypatch.setattr(command, "look", two_cores)
    monkeypatch.setattr(command, "Measuring", lambda *given, **named: Measuring(*given, stand_in, **named))
    began = time.monotonic()
    assert command.main(["xla", f"--results_dir={tmp_path}/runs"]) == ExitCode.TERMINATED
    assert time.monotonic() - began < 300, "the run would have gone on for 600 s"
    told = capsys.readouterr()
    assert "- not measured, as its turn had not come: case" in told.out
    assert told.err.endswith("python -m benchmarks.studies: terminated\n")


@pytest.mark.parametrize(
    ("other", "words", "code"),
    [
        ("--terminates", [], ExitCode.TERMINATED),
        ("--fails", [], ExitCode.FAILED),
        ("", ["--budget=0.01"], ExitCode.UNUSABLE),
    ],
)
def test_what_measured_nothing_keeps_the_files_of_before(tmp_path, monkeypatch, stand_in, capsys, other, words, code):
    monkeypatch.setattr(command, "CLAIMS", (claim(case(other=other), name="xla"),))
    monkeypatch.setattr(command, "look", two_cores)
    monkeypatch.setattr(command, "Measuring", lambda *given, **named: Measuring(*given, stand_in, **named))
    files = {name: tmp_path / f"of_before.{name}" for name in ("output.json", "report.md")}
    for file in files.values():
        file.write_text("of before")
    flags = [f"--{name.partition('.')[0]}={file}" for name, file in files.items()]
    assert command.main(["xla", f"--results_dir={tmp_path}/runs", *flags, *words]) == code
    assert [file.read_text() for file in files.values()] == ["of before"] * 2
    if words:
        told = capsys.readouterr().err
        assert "error: --budget=0.01 s: nothing was measured: the shortest case is expected to take about 6 s" in told


def test_records_that_can_no_longer_be_written_end_the_study(tmp_path, monkeypatch, stand_in, capsys):
    monkeypatch.setattr(command, "CLAIMS", (claim(case(), name="xla"),))
    monkeypatch.setattr(command, "look", two_cores)
    full = Measuring(Path("/dev/null"), program=stand_in)
    monkeypatch.setattr(command, "Measuring", lambda *_, **__: full)
    assert command.main(["xla", f"--results_dir={tmp_path}"]) == ExitCode.UNUSABLE
    told = capsys.readouterr()
    assert "- not measured, as its turn had not come: case" in told.out
    assert "error: Cannot write into results folder '/dev/null'" in told.err
