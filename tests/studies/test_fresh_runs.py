import json
import os
import signal
import sys
import threading
import time

import psutil
import pytest

from benchmarks.errors import UserError
from benchmarks.params import parse
from benchmarks.studies import fresh_runs
from benchmarks.studies.fresh_runs import Finished, finish, run_ours, run_yardstick, synthetic_flags
from results import store
from tests.results.records import record


def leaving(**fields):
    """A start that leaves a record in the folder that the command names."""

    def start(command):
        folder = next(word for word in command if word.startswith("--results_dir=")).partition("=")[2]
        store.write(record(**fields), folder)
        return Finished("total", 512.0)

    return start


def test_a_process_tells_its_output_and_its_memory():
    finished = finish([sys.executable, "-c", "held = b'x' * 2**28; print('done')"])
    assert finished.output == "done\n"
    assert finished.peak_mib > 256


def test_a_process_that_fails_is_quoted():
    command = [sys.executable, "-c", "import sys; sys.exit('out of luck')"]
    with pytest.raises(UserError, match=r"ended with exit code 1:\nout of luck"):
        finish(command)


def interrupted_once(path):
    """Interrupt `finish` in this thread as soon as the child has made `path`."""

    def interrupt():
        while not path.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGUSR1)

    def raising(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGUSR1, raising)
    threading.Thread(target=interrupt, daemon=True).start()


CHILD = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("{folder}/told").touch()
    if {obeys}: sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path("{folder}/pid").write_text(str(__import__("os").getpid()))
pathlib.Path("{folder}/up").touch()
while True: time.sleep(0.1)
"""


@pytest.mark.parametrize("obeys", [True, False])
def test_a_process_that_is_to_end_is_told_first_and_killed_later(tmp_path, monkeypatch, obeys):
    monkeypatch.setattr(fresh_runs, "_GRACE_SECONDS", 600.0 if obeys else 0.5)
    interrupted_once(tmp_path / "up")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        finish([sys.executable, "-c", CHILD.format(folder=tmp_path, obeys=obeys)])
    assert time.monotonic() - began < 300
    assert (tmp_path / "told").exists() or not obeys  # who does not may be killed before it comes to that
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"Cannot start /nowhere/python: No such file"):
        finish(["/nowhere/python"])


def test_our_figures_come_from_the_record():
    run = run_ours(["--model=resnet20"], leaving())
    assert run.step_seconds == 0.125
    assert run.images_per_second == 512  # 64 images / the median step
    assert run.window_images_per_second == pytest.approx(500)
    assert run.between_steps_seconds == pytest.approx(0.003)
    assert (run.first_step_at_seconds, run.peak_mib) == (9.5, 512.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"measurement": None}, "without a measurement"), ({"status": "failed", "message": "no"}, "of a whole run")],
)
def test_a_run_that_did_not_measure_gives_no_figures(fields, message):
    with pytest.raises(UserError, match=message):
        run_ours([], leaving(**fields))


def test_doubts_about_a_single_run_are_no_obstacle():
    assert run_ours([], leaving(problems=("too few steps",))).images_per_second == 512


def test_a_yardstick_ends_with_a_line_of_json():
    told = json.dumps({"images_per_sec": 10.5, "first_step_at_sec": 3.25, "peak_mib": 1})
    run = run_yardstick(["program"], lambda _: Finished(f"a word before\n{told}\n", 300.0))
    assert (run.images_per_second, run.first_step_at_seconds, run.peak_mib) == (10.5, 3.25, 300.0)


@pytest.mark.parametrize("output", ["", "fast\n", "3\n", '{"images_per_sec": 3}\n'])
def test_a_yardstick_without_figures_is_refused(output):
    with pytest.raises(UserError, match="without a line of JSON"):
        run_yardstick(["program"], lambda _: Finished(output, 300.0))


@pytest.mark.parametrize(("model", "dataset"), [("resnet20", "cifar10"), ("resnet50", "imagenet")])
def test_our_flags_ask_for_the_work_of_a_yardstick(model, dataset):
    params = parse(synthetic_flags(model, 16, 8, "bf16")).params
    assert (params.data_name, params.data_dir, params.batch_size) == (dataset, None, 16)
    assert (params.optimizer, params.momentum, params.init_learning_rate, params.weight_decay) == (
        "momentum",
        0.9,
        0.01,
        0,
    )
    assert (params.precision, params.device, params.variable_update) == ("bf16", "cpu", "parameter_server")


def test_the_parent_of_fresh_runs_stays_small():
    """A child's peak memory is never below its parent's, so the parent must not import TensorFlow."""
    studies = "from benchmarks.studies import against_yardsticks, real_input"
    check = f"import sys; {studies}; sys.exit('tensorflow' in sys.modules)"
    finish([sys.executable, "-c", check])
