import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from results.store import write
from tests.results.records import measurement, record
from tests.results.test_command import output, run

EVIL = 'a<b>&"\x00\x1b\ud800\ufffe]]>|'


def night(folder, number, speeds, **changes):
    """One run of each model at its speed, in images/s, in the night `number`."""
    when = f"2026-01-{number:02}T23:00:00+00:00"
    for model, speed in speeds.items():
        facts = {"settings": {"model": model}, "measurement": measurement(window_seconds=640 / speed)} | changes
        write(record(started_at=when, finished_at=when, **facts), folder)


def history(folder, models=("resnet20", "vgg16"), count=20, noise=0.005, first=1):
    rng = np.random.default_rng(first)
    for number in range(first, first + count):
        night(folder, number, {model: 500 * math.exp(noise * rng.standard_normal()) for model in models})


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    history(folder)
    return folder


def judged(folder, *more):
    return output("gate", f"--baseline={folder}", "--last=20", *more)


def test_no_regression_in_a_process_without_tensorflow(runs):
    night(runs, 21, {"resnet20": 500, "vgg16": 499})
    ended = run("gate", f"--baseline={runs}", "--last=20")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "no regression: 2 not slower; baseline of 20 night(s)"
    assert ended.stdout.count("smallest detectable slowdown 2.") == 2


def test_a_regression_and_the_files_for_ci(runs, tmp_path):
    night(runs, 21, {"resnet20": 482, "vgg16": 500}, environment={"packages": {"tensorflow": "2.22"}})
    code, text, _ = judged(runs, f"--junit={tmp_path}/gate.xml", f"--markdown={tmp_path}/gate.md")
    assert code == 1
    assert text.startswith("slower          resnet20, 2 towers, cpu, batch 32, replicated, NHWC, fp32: 3.")
    assert "Software: tensorflow differs (2.21.0 vs 2.22)." in text
    suite = ET.parse(tmp_path / "gate.xml").getroot()  # our own file
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "0", "skipped": "0",
    }  # fmt: skip
    assert "smallest detectable slowdown" in suite.find("testcase/failure").get("message")
    summary = (tmp_path / "gate.md").read_text()
    assert summary.startswith("### Gate: REGRESSION: 1 slower, 1 not slower")
    assert "| **slower** | resnet20," in summary


def test_a_benchmark_that_did_not_run_does_not_pass(runs):
    night(runs, 21, {"resnet20": 500})
    code, text, _ = judged(runs)
    assert code == 2
    assert "missing         vgg16" in text
    assert "INCOMPLETE (--allow_partial passes what could be judged): 1 missing, 1 not slower" in text
    assert judged(runs, "--allow_partial")[0] == 0


def test_where_nothing_can_be_compared_what_is_missing_is_told(runs):
    night(runs, 21, {"new": 500})
    code, text, _ = judged(runs)
    assert code == 2
    assert text.count("missing         ") == 2
    assert text.splitlines()[-1].endswith("2 missing, 1 new; baseline of 20 night(s)")


def test_an_invalid_night_is_not_passed_over_for_the_one_before(runs):
    night(runs, 21, {"resnet20": 500, "vgg16": 500}, problems=("the loss is NaN from step 12 on",))
    code, text, error = judged(runs, "--allow_partial")
    assert code == 2
    assert text.count("no valid run: the loss is NaN from step 12 on") == 2
    assert "NOTHING WAS MEASURED" in text
    assert "Left out of the candidate: 2 not valid." in error


def test_an_unreadable_candidate_is_incomplete(runs, tmp_path):
    night(tmp_path / "tonight", 21, {"resnet20": 500, "vgg16": 500})
    (tmp_path / "tonight" / "cut.json").write_text("{")
    code, text, _ = judged(runs, f"--candidate={tmp_path}/tonight")
    assert code == 2
    assert "Not a readable record" in text


def test_a_benchmark_too_noisy_to_judge_does_not_pass(tmp_path):
    history(tmp_path, noise=0.1)
    night(tmp_path, 21, {"resnet20": 500, "vgg16": 500})
    code, text, _ = judged(tmp_path)
    assert code == 2
    assert text.count("more than --must_detect=10%") == 2
    assert judged(tmp_path, "--must_detect=90%")[0] == 0


def test_other_hardware_is_not_comparable(runs):
    night(runs, 21, {"resnet20": 400, "vgg16": 400}, hardware={"cpu": {"model": "Other"}})
    code, text, _ = judged(runs)
    assert code == 2
    assert text.count("CPU differs (Testium 9000 vs Other). Pass --allow_different=cpu to compare anyway.") == 2
    assert judged(runs, "--allow_different=cpu")[0] == 1


def test_a_new_benchmark_is_named(runs):
    night(runs, 21, {"resnet20": 500, "vgg16": 500, "new": 500})
    code, text, _ = judged(runs)
    assert code == 0
    assert "new             new, 2 towers" in text


def test_only_the_last_nights_before_the_candidate_count(tmp_path):
    rng = np.random.default_rng(5)
    for number, speed in enumerate([450] * 10 + [600] * 10 + [560] + [450] * 9, 1):
        night(tmp_path, number, {"resnet20": speed * math.exp(0.002 * rng.standard_normal())})
    [candidate] = tmp_path.glob("20260121T*")
    gate = ("gate", f"--baseline={tmp_path}", f"--candidate={candidate}")
    code, text, _ = output(*gate, "--last=10")
    assert code == 1
    assert "slower than 10 nights" in text
    assert output(*gate, "--must_detect=90%")[0] == 0  # faster than most of all the other nights


def test_a_baseline_and_a_candidate_by_tag(tmp_path):
    for tag, speed in (("v1", 500), ("v1", 501), ("v1", 502), ("v2", 450), ("v2", 451), ("v3", 502), ("v3", 500)):
        write(record(params={"tag": tag}, measurement=measurement(window_seconds=640 / speed)), tmp_path)
    gate = ("gate", f"--baseline={tmp_path}@v1")
    code, text, _ = output(*gate, f"--candidate={tmp_path}@v2")
    assert code == 1
    assert "10.1 % slower than 3 runs" in text
    assert output(*gate, f"--candidate={tmp_path}@v3")[0] == 0
    code, _, error = output(*gate, f"--candidate={tmp_path}@v4")
    assert (code, error) == (
        2, f"No run has 'v4', of {tmp_path}@v4, as its tag, its set, its suite or its cell. There is: v1, v2, v3.\n"
    )  # fmt: skip


def test_one_run_each_measures_nothing(tmp_path):
    a, b = (write(record(), tmp_path) for _ in "ab")
    code, text, _ = output("gate", f"--baseline={a}", f"--candidate={b}")
    assert code == 2
    assert "no noise to judge by: 1 and 1 run(s)" in text


def test_a_gate_that_cannot_begin_leaves_no_older_verdict(tmp_path):
    code, text, error = output("gate", f"--baseline={tmp_path}/none", f"--junit={tmp_path}/gate.xml")
    assert (code, text) == (2, "")
    assert "Cannot read results folder" in error
    assert ET.parse(tmp_path / "gate.xml").find("testcase/error") is not None  # our own file


def test_a_summary_that_cannot_be_written_does_not_pass(runs):
    night(runs, 21, {"resnet20": 500, "vgg16": 500})
    code, _, error = judged(runs, f"--markdown={runs}/none/gate.md")
    assert code == 2
    assert error == f"Cannot write '{runs}/none/gate.md': No such file or directory.\n"


def test_xml_is_well_formed_whatever_a_record_says(tmp_path):
    for number, speed in enumerate((500, 501, 502, 503), 1):
        night(tmp_path, number, {EVIL: speed})
    night(tmp_path, 5, {EVIL: 400}, problems=(EVIL,))
    judged(tmp_path, f"--junit={tmp_path}/gate.xml", f"--markdown={tmp_path}/gate.md")
    names = [case.get("name") for case in ET.parse(tmp_path / "gate.xml").iter("testcase")]  # our own
    assert names[0].startswith('a<b>&"??\\ud800?]]>|, 2 towers')  # half a character is spelt out when it is written
    assert "<b>" not in (tmp_path / "gate.md").read_text()
