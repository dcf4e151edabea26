"""Suites that run, fail, and tell of it: real processes, a stand-in for what they run."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

from benchmarks.fresh_process import finish
from benchmarks.params import parse
from benchmarks.params.suite_rules import place
from benchmarks.preflight.gpu_facts import Gpus
from benchmarks.suite.plan import read_plan
from results.commands import gate
from tests.suite.conftest import PROJECT, TINY, left_in, started

FATES = """\
model: trivial
data_name: cifar10
batch_size: 32
cells:
  - {num_batches: 1}
  - {num_batches: 2, tag: crash, repeats: 2}
  - {num_batches: 3, tag: crash+once, retries: {crash: 2}}
  - {num_batches: 4, tag: hang, retries: {hang: 0}, time_limit: 1s}
  - {num_batches: 5, tag: "oom>8", on_out_of_memory: halve_batch, repeats: 2}
  - {num_batches: 6, tag: "oom>8"}
  - {num_batches: 7, tag: invalid, retries: {invalid: 1}}
  - {num_batches: 8, tag: exit2}
  - {num_batches: 9, tag: silent, retries: {crash: 0}}
  - {num_batches: 10, tag: late}
  - {num_batches: 11, tag: "oom>0", batch_size: 2, on_out_of_memory: halve_batch}
  - {num_batches: 12, tag: wrong, retries: {invalid: 0}}
"""


def test_every_end_leaves_a_record_and_its_consequence(suite, described, tmp_path):
    came = suite(described(FATES))
    of_cell = {}
    for record in sorted(came.records, key=lambda record: (record.suite["repeat"], record.suite["attempt"])):
        of_cell.setdefault(record.params["num_batches"], []).append(record)
    assert len(came.records) == len(came.ends()) == 1 + 2 + 2 + 1 + 4 + 1 + 2 + 1 + 1 + 1 + 2 + 1
    statuses = {number: [record.status for record in found] for number, found in of_cell.items()}
    assert statuses[1] == ["completed"]
    assert statuses[2] == ["failed"] * 2, "tried again once, and its other repeat not at all"
    assert statuses[3] == ["failed", "completed"]
    assert statuses[4] == ["failed"]
    assert of_cell[4][0].message == "ended after 1 s, its time_limit"
    assert "died of signal 6 without a record" in of_cell[2][0].message
    assert "Fatal Python error: a bug" in of_cell[2][0].message
    halved = [(record.status, record.params["batch_size"], record.suite.get("batch_size")) for record in of_cell[5]]
    assert halved == [("failed", 32, None), ("failed", 16, 32), ("completed", 8, 32), ("completed", 8, 32)]
    assert "--device=gpu: there is none" in of_cell[8][0].message
    assert "ended with exit code 5 without a record: it said nothing" in of_cell[9][0].message
    assert came.code == 3, "the highest of 1, 2 and 3"
    for words in (
        "num_batches=2 tag=crash: CRASH: it died of signal 6",
        "HANG: ended after 1 s, its time_limit",
        "memory ran out with --batch_size=32: it ran with 8",
        "not fit for comparison: foreign load",
        "UNUSABLE: run_benchmark.py: error: --device=gpu: there is none",
        "tag=late: its record is complete, but then it died of signal 6",
        "num_batches=12 tag=wrong: WRONG: the loss is NaN from step 2 on",
        "7 runs done, 1 of them not fit for comparison, 1 of them WRONG, 6 failed",
        "(500.5)",  # what a cell without a valid run measured
    ):
        assert words in came.out, came.out
    assert "it ran with 1" not in came.out, "nor with 1 image"
    assert len(list((tmp_path / "runs" / "logs").glob("*.log"))) == sum(
        record.status == "failed" for record in came.records
    )


def test_memory_that_runs_out_later_leaves_one_batch(suite, described, tmp_path, capfd):
    text = "model: trivial\ndata_name: cifar10\nrepeats: 4\nbatch_size: 32\non_out_of_memory: halve_batch\n"
    suite(described(text), folder=tmp_path / "before")
    came = suite(described(text + "tag: oom>16+third\n"))
    assert came.code == 0
    asked = [(each.suite["repeat"], each.params["batch_size"]) for each in came.records if each.valid]
    assert sorted(asked) == [(1, 16), (1, 32), (2, 16), (2, 32), (3, 16), (4, 16)]
    assert re.search(r"^trivial +4 +4 +0 +501\.2 ", came.out, re.M)
    assert "memory ran out with --batch_size=32: it ran with 16" in came.out
    options = gate.parser().parse_args([f"--baseline={tmp_path / 'before'}", f"--candidate={tmp_path / 'runs'}"])
    assert gate.main(options, sys.stdout, sys.stderr) == 2
    assert "1 missing, 1 new" in capfd.readouterr().out


def test_records_tell_the_suite_and_its_cell(suite):
    came = suite("--set", "model=trivial,resnet20", "--set", "repeats=2", "--seed=5", *TINY)
    assert came.code == 0
    header = came.journal[0]
    cells = {cell["id"]: cell["name"] for cell in header["cells"]}
    told = {(cells[record.suite["cell"]].split()[0], record.suite["repeat"]) for record in came.records}
    assert told == {(model, repeat) for model in ("trivial", "resnet20") for repeat in (1, 2)}
    assert {record.suite["set"] for record in came.records} == {header["set"]}
    for record in came.records:
        assert place(parse(record.command_line[1:]).params) == record.suite, "run_benchmark.py takes what it is given"
    assert header["seed"] == 5
    starts = [(entry["cell"], entry["repeat"]) for entry in came.journal if entry["kind"] == "start"]
    assert starts == [(header["cells"][index]["id"], repeat) for index, repeat in header["order"]]
    assert "4 runs done" in came.out
    assert came.err.count("images/s") == 4, "a plain line for each"
    assert "\x1b" not in came.err


def test_a_budget_is_spent_on_repeats(suite, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.suite.process.finish", lambda *given: finish(*given)._replace(seconds=1.0))
    models = ["--set", "model=trivial,resnet20", *TINY]
    first = suite("--set", "model=trivial", *TINY, folder=tmp_path / "one")
    (ended,) = first.ends()
    (long,) = read_plan(None, [each for each in TINY if each != "--set"] + ["model=resnet32"], 1).cells
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "suite.jsonl").write_text(json.dumps(ended | {"cell": long.id, "seconds": 1e4}) + "\n")
    came = suite("--set", "model=trivial,resnet20,resnet32", *TINY, "--budget=7s")
    assert came.code == 1
    assert "2 runs were not reached within --budget" in came.err, (
        "resnet32, which takes too long: the others have its time"
    )
    repeats = [entry["repeat"] for entry in came.ends()]
    assert repeats[:4] == [1, 1, 2, 2]
    assert len(repeats) == 7, "of a second each"
    small = suite(*models, "--budget=0.01", folder=tmp_path / "small")
    assert small.code == 1
    assert "runs were not reached within --budget" in small.err
    assert small.ends() == []


def test_a_name_that_the_terminal_cannot_write_ends_nothing(tmp_path, described):
    path = described("name: nächtlich\nmodel: trivial\ndata_name: cifar10\nnum_batches: 10\n")
    with started(path, folder=tmp_path / "runs", PYTHONIOENCODING="ascii") as process:
        out, _ = process.communicate()
    assert process.returncode == 0
    assert "n\\xe4chtlich" in out
    assert "1 runs done" in out


def test_nobody_listens_on_stderr(tmp_path):
    with started("--set", "model=trivial", *TINY, folder=tmp_path / "runs", before="sys.stderr = None") as process:
        out, _ = process.communicate()
    assert process.returncode == 0
    assert "1 runs done" in out


def test_shards_share_a_folder_and_merge(suite, described):
    path = described("model: trivial\ndata_name: cifar10\ngrid: {batch_size: [1, 2, 4]}\n")
    parts = [suite(path, f"--shard={index}/2") for index in (1, 2)]
    assert [part.code for part in parts] == [0, 0]
    assert sorted(record.params["batch_size"] for record in parts[-1].records) == [1, 2, 4]
    assert len({record.suite["plan"] for record in parts[-1].records}) == 1
    assert suite(path, "--shard=1/2").code == 2
    assert "has this suite in 2 parts" in suite(path).err
    assert "none of the 3 cells is in this part" in suite(path, "--shard=4/4", "--dry_run").err


def test_a_part_whose_cells_all_need_more_gpus(suite, described, monkeypatch):
    monkeypatch.setattr("benchmarks.preflight.gpu_facts.read", lambda *_: Gpus(nvml="ok", visible=1))
    path = described("model: trivial\ndevice: gpu\ndevices_missing: skip\ngrid: {num_gpus: [1, 2]}\n")
    told = [suite(path, f"--shard={index}/2", "--dry_run").err for index in (1, 2)]
    assert sum("all cells of this part need more GPUs than there are here" in each for each in told) == 1


def test_the_plan_and_its_time_are_told_before(suite, tmp_path):
    arguments = ["--set", "model=trivial,resnet20", "--set", "repeats=3", "--set", "time_limit=10m", *TINY]
    came = suite(*arguments, "--dry_run")
    assert came.code == 0
    assert "unknown for 6 runs, of which no earlier one is found: at most 60 min (time_limit)" in came.out
    assert "--model=resnet20" in came.out
    assert not (tmp_path / "runs").exists()
    suite("--set", "model=trivial", *TINY)
    came = suite(*arguments, "--dry_run", folder=tmp_path / "other")
    assert "1 earlier runs of suites" in came.out
    assert "for 3 runs, by what earlier ones took; unknown for 3 runs" in came.out
    (tmp_path / "runs" / "suite.jsonl").unlink()
    came = suite("--set", "model=trivial", *TINY, "--dry_run")
    assert re.search(r"trivial +\w+ +1 +11 s +1 earlier records", came.out), "9.5 s, a second step, and the window"


def test_a_plan_has_no_control_characters(suite):
    came = suite("--set", "model=trivial", "--set", r'tag="a\e[31m","b\nc"', "--dry_run")
    assert "trivial tag=b c" in came.out
    assert "\x1b" not in came.out


def test_the_gate_passes_the_same_and_judges_the_last_attempt(suite, described, tmp_path, capfd):
    """A run that crashed at first and was made again then is no failure."""
    text = "model: trivial\ndata_name: cifar10\nrepeats: 2\n"
    suite(described(text))
    suite(described(text + "tag: crash+once\n"), folder=tmp_path / "second")
    assert len(left_in(tmp_path / "second")[0]) == 4
    options = gate.parser().parse_args([f"--baseline={tmp_path / 'runs'}", f"--candidate={tmp_path / 'second'}"])
    assert gate.main(options, sys.stdout, sys.stderr) == 0, capfd.readouterr()


def test_tensorflow_is_not_imported():
    program = (
        "import sys; from benchmarks.suite import command; command.main(['quick', '--dry_run']);"
        "sys.exit('tensorflow' in sys.modules or 'pandas' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, check=False).returncode == 0
    )


def test_a_log_whose_reader_goes_does_not_end_the_night(tmp_path):
    reader, log = os.pipe()
    os.close(reader)
    flags = ["--set", "model=trivial", "--set", "repeats=2", *TINY]
    with started(*flags, folder=tmp_path / "runs", stderr=log) as process:
        os.close(log)
        out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "2 runs done" in out


def test_a_live_table_on_a_terminal(tmp_path):
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 41, 0, 0))  # narrow
    flags = ["--set", "model=trivial", "--set", "tag=hang", "--set", "time_limit=2s", "--set", "retries.hang=0"]
    seen = b""
    with started(*flags, folder=tmp_path / "runs", stderr=terminal) as process:
        os.close(terminal)
        with contextlib.suppress(OSError):  # that is how a terminal ends
            while chunk := os.read(controller, 1000):
                seen += chunk
        process.wait()
    os.close(controller)
    text = seen.decode()
    assert "running    failed      left time left" in text
    table = [line for line in re.split(r"[\r\n]|\x1b\[[KA]", text) if "left" in line or line.startswith("now:")]
    assert max(map(len, table)) == 40, "no line of it is broken into two"
    assert "now: trivial, repeat 1, " in text
    assert "\x1b[A" in text, "it is replaced in place"
    assert text.count("HANG: ended after 2 s") == 1


def test_a_study_is_a_cell(suite, described, monkeypatch, tmp_path):
    lacks = "python -m benchmarks.studies: no case can run here: this machine lacks a GPU."
    words = {
        "good": "print('| a table |')",
        "bad": "raise SystemExit(7)",
        "far": f"import sys; print('| a table |'); print({lacks!r}, file=sys.stderr); sys.exit(77)",
    }
    for module in ("check", "description"):
        monkeypatch.setattr(f"benchmarks.suite.{module}.study_names", lambda: list(words))
    monkeypatch.setattr("benchmarks.suite.process.study_command", lambda name, *_: ["-c", words[name]])
    came = suite(described("studies: all\nretries: {crash: 0}\nrepeats: 2\n"))
    assert came.code == 1
    assert sorted(came.outcomes()) == ["crash", "done", "done", "skipped"], "what is skipped is not repeated"
    assert "study far: SKIPPED: no case can run here: this machine lacks a GPU\n" in came.out
    assert "2 runs done, 1 failed, 1 skipped" in came.out
    (record,) = came.records
    assert (record.status, record.suite["repeat"]) == ("failed", 1)
    assert "study bad: CRASH: it ended with exit code 7" in came.out
    assert "| a table |\n" in [path.read_text() for path in (tmp_path / "runs" / "logs").iterdir()]
    assert suite("--resume").outcomes() == came.outcomes()


def test_a_study_that_cannot_run_here_is_no_failure(suite, described, monkeypatch):
    monkeypatch.setattr("benchmarks.suite.process.study_command", lambda *_: ["-c", "raise SystemExit(77)"])
    came = suite(described("cells: [{study: threads}]\n"))
    assert (came.code, came.outcomes(), came.records) == (0, ["skipped"], [])


def test_a_plan_says_how_long_studies_take(suite, described):
    short = suite(described("cells: [{study: threads, budget: 2m}, {study: xla, pairs: 1}]\n"), "--dry_run")
    assert re.search(r"study threads budget=2m +\w+ +1 +2 min +what the study says of itself\n", short.out)
    assert "\n  --budget=2m\n  --pairs=1\n" in short.out
    came = suite(described("cells: [{study: threads}, {study: precision, time_limit: 9h}]\n"), "--dry_run")
    assert re.search(r"study threads +\w+ +1 +\d+ min +what the study says of itself\n", came.out)
    assert re.search(r"Time: at most about \d+ min for 2 studies, by what they say of themselves\.\n", came.out)
