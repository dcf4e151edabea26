"""The command of the studies, with a program in place of the benchmark that writes records as it does."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import psutil
import pytest

from benchmarks.errors import ExitCode
from benchmarks.studies.claims import command
from benchmarks.studies.claims.batch_norm import FUSED_BATCH_NORM
from benchmarks.studies.claims.budget import Budget, BudgetSpentError
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Preparation, Promise, Way
from benchmarks.studies.claims.compiling import XLA
from benchmarks.studies.claims.feeding import INPUT_BOUND, INPUT_METHOD, PREPROCESS_DEVICE
from benchmarks.studies.claims.files import FILE_SIZE
from benchmarks.studies.claims.measuring import Measuring, WayError
from benchmarks.studies.claims.placing import PLACEMENT
from benchmarks.studies.claims.threads import THREADS
from benchmarks.studies.claims.work_folder import work_folder
from results import store
from tests.results.records import record
from tests.studies.claims.planted import measurements, two_cores, two_h100

STAND_IN = """\
import sys
sys.path.insert(0, {project!r})
from tests.results.records import record
from results import store
folder = sys.argv[-1].removeprefix("--results_dir=")
if "--fails" in sys.argv:
    sys.exit("the device is gone")
if "--terminates" in sys.argv:
    import os, signal
    os.kill(os.getppid(), signal.SIGTERM)
if "--hangs" in sys.argv or "--terminates" in sys.argv:
    import time
    time.sleep(600)
store.write(record(), folder)
"""


def claim(*cases, name="stand_in"):
    return Claim(name, "One way is better.", "nowhere", lambda _: cases)


def case(name="case", seconds=1.0, other="--num_batches=30", **more):
    return Case(name, Way("good", ("--num_batches=20",)), Way("bad", (other,)), seconds=seconds, **more)


@pytest.fixture
def stand_in(tmp_path):
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN.format(project=str(Path(__file__).parents[3])))
    return (str(program),)


def test_a_run_leaves_an_ordinary_record(tmp_path, stand_in):
    measuring = Measuring(tmp_path / "runs", program=stand_in)
    measured = measuring.measure(Way("good", ("--good",)))
    (kept,), unreadable = store.load(tmp_path / "runs")
    assert (measured.record, unreadable) == (kept, [])
    assert measured.figure == kept.steady_images_per_second > 0


def test_a_way_that_fails_says_what_was_run_and_why(tmp_path, stand_in):
    with pytest.raises(WayError, match=r"--fails(.|\n)*the device is gone"):
        Measuring(tmp_path / "runs", program=stand_in).measure(Way("bad", ("--fails",)))


def test_a_way_that_hangs_is_ended(tmp_path, stand_in):
    with pytest.raises(WayError, match="was not done after 1 s and was ended"):
        Measuring(tmp_path / "runs", limit_seconds=1, program=stand_in).measure(Way("bad", ("--hangs",)))


@pytest.mark.parametrize(
    "said", ["nothing", '{"figure": 0, "facts": {}}', '{"facts": {}}', '{"figure": NaN, "facts": {}}']
)
def test_a_program_that_measures_nothing_has_failed(tmp_path, said):
    with pytest.raises(WayError):
        Measuring(tmp_path).measure(Way("own", program=("-c", f"print('{said}')")))


def test_a_program_of_a_studys_own_tells_its_figure(tmp_path):
    program = ("-c", 'print(\'so it goes\'); print(\'{"figure": 3, "facts": {"nodes": 7}}\')')
    assert Measuring(tmp_path).measure(Way("own", program=program)) == Measured(3.0, {"nodes": 7}, None)


def test_what_ways_read_is_made_once(tmp_path):
    made_by = Preparation(("-c", f"open({str(tmp_path / 'log')!r}, 'a').write('made ')"), 1.0)
    read = f"print('{{\"figure\": ' + str(len(open({str(tmp_path / 'log')!r}).read())) + ', \"facts\": {{}}}}')"
    measuring = Measuring(tmp_path)
    ways = [Way(name, program=("-c", read), prepared_by=made_by) for name in ("one", "other")]
    story = command.plan([claim(Case("first", *ways), Case("second", *ways))], two_cores(tmp_path))
    command.measure(story, measuring.measure, 1, Budget(), prepare=measuring.prepare)
    assert [side.figure for each in story.cases for pair in each.pairs for side in pair] == [5] * 4


def test_what_cannot_be_made_is_told(tmp_path):
    with pytest.raises(WayError, match="the disk is full"):
        Measuring(tmp_path).prepare(Preparation(("-c", "raise OSError('the disk is full')"), 1.0))


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


def test_the_budget_goes_to_the_most_telling_cases_first(tmp_path):
    first, second = case("first", 10), case("second", 10)
    other = case("other", 10)
    story = command.plan([claim(first, second, name="one"), claim(other, name="two")], two_cores(tmp_path))
    now = [0.0]

    def run(_):
        now[0] += 10
        return Measured(100 + now[0] % 7, {})

    command.measure(story, run, 5, Budget(125, clock=lambda: now[0]))
    assert {each.name: len(each.pairs) for each in story.cases} == {"one: first": 3, "one: second": 0, "two: other": 3}
    assert now[0] <= 125


class Clock:
    """Goes on while something is made or measured; each thing takes so many times as long as is expected of it."""

    def __init__(self, slow=1.0):
        self.now, self.slow = 0.0, slow

    def __call__(self):
        return self.now

    def run(self, seconds):
        def ran(way):
            del way
            self.now += self.slow * seconds
            return Measured(100 + self.now % 7, {})

        return ran

    def prepare(self, files):
        self.now += self.slow * files.seconds


FILES = Preparation(("-c", ""), 30.0)


def reading(name, seconds=10.0):
    return Case(name, Way("good", prepared_by=FILES), Way("bad", prepared_by=FILES), seconds=seconds)


def pairs_within(budget, clock, *cases):
    """How many pairs of each case, whose runs take 10 s, are made in so many seconds; and the story."""
    story = command.plan([claim(*cases)], two_cores(None))
    limit = Budget(budget, clock)
    command.measure(story, clock.run(10.0), 3, limit, prepare=clock.prepare)
    return [len(each.pairs) for each in story.cases], story


def test_files_that_have_to_be_made_first_are_counted_once_and_are_none_of_the_pairs():
    clock = Clock()
    assert pairs_within(89, clock, reading("one"), reading("two"))[0] == [0, 0]
    assert clock.now == 0
    counts, story = pairs_within(90, clock, reading("one"), reading("two"))
    assert (counts, clock.now) == ([3, 0], 90)
    assert story.cases[0].pair_seconds == 20
    assert pairs_within(150, Clock(), reading("one"), reading("two"))[0] == [3, 3]


def test_what_was_not_begun_is_expected_to_be_as_slow_as_what_was():
    clock = Clock(slow=4)
    counts, _ = pairs_within(400, clock, case("one", 10), case("two", 10))
    assert (counts, clock.now) == ([3, 0], 240)


def test_the_time_that_is_told_has_the_files_once_and_is_within_the_budget(capsys):
    for budget, told in ((1000, ["90", "40", "20"]), (95, ["90", "40", "20"]), (30 + 60 - 1, [])):
        pairs_within(budget, Clock(), reading("one"))
        assert re.findall(r"about (\d+) s left", capsys.readouterr().err) == told
    pairs_within(95, Clock(), reading("one"), reading("two"))
    assert re.findall(r"about (\d+) s left", capsys.readouterr().err) == ["95", "45", "25"]


def test_a_process_that_is_not_done_within_the_budget_is_ended_and_has_not_failed(tmp_path, stand_in):
    story = command.plan([claim(case(seconds=0.001, other="--hangs"), case("next"))], two_cores(tmp_path))
    budget = Budget(1)  # until the first run is done, on however busy a machine, or else it is ended
    measuring = Measuring(tmp_path / "runs", budget=budget, program=stand_in)
    command.measure(story, measuring.measure, 1, budget)
    assert [command.writing.outcome(each) for each in story.cases] == ["not measured", "not measured"]
    with pytest.raises(BudgetSpentError):
        measuring.prepare(FILES)


def test_a_pair_that_the_budget_cut_off_is_told_as_begun(tmp_path):
    clock = Clock()

    def run(way):
        clock.now += 14
        if way.name == "bad":
            raise BudgetSpentError
        return Measured(1.0, {})

    story = command.plan([claim(case("cut", seconds=5), case("next", seconds=5))], two_cores(tmp_path))
    command.measure(story, run, 1, Budget(20, clock))
    told = command.writing.text(story)
    assert "- cut: not measured, as its first pair was not done after 28 s, when the time was over." in told
    assert "- not measured, as its pairs do not fit in the time that was left: next" in told
    assert command.too_short(story, 1) == ("the first pair of stand_in: cut was not done after 28 s. Give more.")


def test_time_that_is_left_goes_to_what_is_not_told(tmp_path):
    clear = Case("clear", Way("quick"), Way("slow"))
    noisy = case("noisy")
    story = command.plan([claim(clear, noisy)], two_cores(tmp_path))
    wild = cycle([1, 2, 2, 1, 3])

    def run(way):
        return Measured({clear.advised: 2, clear.other: 1}.get(way) or next(wild), {})

    command.measure(story, run, 5, Budget())
    assert [len(each.pairs) for each in story.cases] == [3, 5]
    assert command.writing.BY_CHANCE in command.writing.text(story).replace("\n", " ")


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


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--noxla_compile"], r"--noxla_compile after --: 'XLA' and 'no XLA' of xla: vgg16 differ in --xla_compile\."),
        (["--batch_sise=8"], "Did you mean"),
    ],
)
def test_flags_that_would_undo_what_is_compared_are_refused(tmp_path, flags, told):
    story = command.plan([XLA, PLACEMENT], two_cores(tmp_path), ["vgg16", "add_n"])
    command.check_flags(story, [])
    command.check_flags(story, ["--batch_size=8"])
    with pytest.raises(command.UserError, match=told):
        command.check_flags(story, flags)


def test_a_case_whose_runs_cannot_have_the_flags_is_given_up(tmp_path):
    story = command.plan([FUSED_BATCH_NORM, THREADS], two_cores(tmp_path), ["resnet50", "oneDNN"])
    command.check_flags(story, ["--repeats=2"])
    traced, not_traced = story.cases
    assert "--repeats" in traced.failure
    assert not_traced.failure == ""


@pytest.mark.parametrize(
    ("study", "flags", "told"),
    [
        (
            INPUT_METHOD,
            ["--input_method=feed", "--num_batches=100"],
            "input_method: input alone differ in --input_method",
        ),
        (INPUT_METHOD, ["--input_method=dataset"], "differ in --input_method"),
        (INPUT_BOUND, ["--model=resnet20"], "differ in --model"),
        (PREPROCESS_DEVICE, ["--preprocess_device=tower"], "differ in --preprocess_device"),
        (FILE_SIZE, ["--input_method=small_files"], "JPEGs, prepared differ in --input_method"),
    ],
)
def test_flags_that_would_undo_what_is_compared_are_refused_before_the_files_are_made(tmp_path, study, flags, told):
    story = command.plan([study], two_h100(tmp_path))
    command.check_flags(story, ["--batch_size=8", "--num_batches=20"])
    assert [each.failure for each in story.cases] == [""] * len(story.cases)
    with pytest.raises(command.UserError, match=told):
        command.check_flags(story, flags)


def test_files_that_a_flag_names_and_nobody_makes_are_looked_for(tmp_path):
    story = command.plan([INPUT_BOUND], two_cores(tmp_path))
    with pytest.raises(command.UserError, match="is no folder"):
        command.check_flags(story, [f"--data_dir={tmp_path}/none"])


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


KILLED = """\
import os, pathlib, sys
sys.path.insert(0, {project!r})
from benchmarks.studies.claims.claim import Way
from benchmarks.studies.claims.measuring import Measuring
from benchmarks.studies.claims.work_folder import work_folder
run = "import os, pathlib, time; pathlib.Path({told!r}).write_text(str(os.getpid())); time.sleep(60)"
with work_folder(pathlib.Path({parent!r})) as work:
    Measuring(work, work=work).measure(Way("own", program=("-c", run)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process outlives the one that started it")
def test_a_study_that_is_killed_takes_its_run_with_it_and_the_next_one_removes_its_folder(tmp_path):
    told, parent = tmp_path / "told", tmp_path / "parent"
    parent.mkdir()
    program = KILLED.format(project=str(Path(__file__).parents[3]), told=str(told), parent=str(parent))
    study = subprocess.Popen([sys.executable, "-c", program])
    await_true(lambda: told.exists() and told.read_text())
    run = psutil.Process(int(told.read_text()))
    with work_folder(parent) as another:
        assert len(list(parent.iterdir())) == 2, "the folder of a study that goes on stays"
        study.send_signal(signal.SIGKILL)
        study.wait()
        await_true(lambda: not run.is_running() or run.status() == psutil.STATUS_ZOMBIE)
        with work_folder(parent) as third:
            assert set(parent.iterdir()) == {another, third}
    assert list(parent.iterdir()) == []


def test_a_pipe_in_place_of_a_lock_keeps_no_study_waiting(tmp_path):
    foreign = tmp_path / "benchmark_studies_foreign"
    foreign.mkdir()
    os.mkfifo(foreign / "lock")
    program = f"""
import pathlib, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from benchmarks.studies.claims.work_folder import work_folder
with work_folder(pathlib.Path({str(tmp_path)!r})):
    pass
"""
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
    assert foreign.is_dir()


def await_true(found, seconds=60):
    """Return once `found` returns something true, on however busy a machine."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)
