"""What is seen of TensorFlow's own lines while it is imported; none of these tests imports it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.params import parse
from benchmarks.preparation import UNLESS_SET, prepare
from benchmarks.tensorflow_lines import LEVEL, shown

PROJECT = Path(__file__).parents[1]
HEADING = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
ONEDNN = "I0000 00:00:1795883123.743953   10681 port.cc:153] oneDNN custom operations are on.\n"
PLACER = "W0000 00:00:1795883123.743953   10681 computation_placer.cc:177] computation placer already registered.\n"
NO_DRIVER = (
    "E0000 00:00:1795883128.135794   10681 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed "
    "call to cuInit: UNKNOWN ERROR (303)\n"
)
OTHER_CUDA = NO_DRIVER.replace("UNKNOWN ERROR (303)", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)")
FACTORY = (
    "2026-11-28 16:25:31.780693: E tensorflow/compiler/xla/stream_executor/cuda/cuda_dnn.cc:9342] Unable to register "
    "cuDNN factory: Attempting to register factory for plugin cuDNN when one has already been registered\n"
)
FATAL = "F0000 00:00:1795883128.135794   10681 cpu_feature_guard.cc:47] compiled to use AVX instructions\n"
OTHERS = ("Traceback (most recent call last):\n", "NOTE: I0000 is no line of TensorFlow.\n", "\n", "I0000\n")


@pytest.mark.parametrize(
    ("level", "hidden"),
    [
        (0, ()),
        (1, (HEADING, ONEDNN)),
        (2, (HEADING, ONEDNN, PLACER, NO_DRIVER, FACTORY)),
        (3, (HEADING, ONEDNN, PLACER, NO_DRIVER, FACTORY, OTHER_CUDA)),
        (99, (HEADING, ONEDNN, PLACER, NO_DRIVER, FACTORY, OTHER_CUDA)),
    ],
)
def test_a_level_leaves_out_what_it_says(level, hidden):
    lines = (HEADING, ONEDNN, PLACER, NO_DRIVER, OTHER_CUDA, FACTORY, FATAL, *OTHERS)
    assert [line for line in lines if not shown(line, level)] == [line for line in lines if line in hidden]


STAND_IN = f"""\
import os
def say(text):
    os.write(2, text.encode())
say({HEADING + ONEDNN + OTHER_CUDA!r})
if os.environ.get("DIES"):
    say({FATAL!r})
    os.abort()
class config:
    @staticmethod
    def list_physical_devices():
        say({NO_DRIVER!r})
"""
PROGRAM = """\
import sys
from benchmarks.tensorflow_lines import import_tensorflow
import_tensorflow()
import_tensorflow()  # it is there already
import os
os.write(2, b"I0000 00:00:1.5 1 late.cc:1] later\\n")
"""


def said(tmp_path, **variables):
    """The exit code of a process with a stand-in for TensorFlow, and what it says on stderr."""
    (tmp_path / "tensorflow.py").write_text(STAND_IN)
    path = os.pathsep.join([str(tmp_path), str(PROJECT)])
    environment = {name: value for name, value in os.environ.items() if name != LEVEL}
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(
        command, env=environment | {"PYTHONPATH": path} | variables, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stderr


LATER = "I0000 00:00:1.5 1 late.cc:1] later\n"


def test_its_import_is_held_to_the_level_and_nothing_later_is(tmp_path):
    assert said(tmp_path, **{LEVEL: "2"}) == (0, OTHER_CUDA + LATER)


@pytest.mark.parametrize("variables", [{}, {LEVEL: "0"}, {LEVEL: "soon"}])
def test_without_a_level_all_is_there(variables, tmp_path):
    assert said(tmp_path, **variables) == (0, HEADING + ONEDNN + OTHER_CUDA + NO_DRIVER + LATER)


def test_its_last_words_survive_its_death(tmp_path):
    code, words = said(tmp_path, DIES="1", **{LEVEL: "2"})
    assert (code, words) == (-6, OTHER_CUDA + FATAL)


def test_who_has_no_stderr_has_a_run_all_the_same(tmp_path):
    (tmp_path / "tensorflow.py").write_text("class config:\n    list_physical_devices = staticmethod(lambda: None)\n")
    closed = "import os; os.close(2)\nfrom benchmarks.tensorflow_lines import import_tensorflow\nimport_tensorflow()\n"
    path = os.pathsep.join([str(tmp_path), str(PROJECT)])
    environment = os.environ | {"PYTHONPATH": path, LEVEL: "2"}
    subprocess.run([sys.executable, "-c", closed], env=environment, check=True)


@pytest.mark.parametrize(
    ("before", "flags", "level"),
    [(None, [], UNLESS_SET[LEVEL]), ("0", [], "0"), (None, ["--debug"], None), ("1", ["--debug"], "1")],
)
def test_who_sets_the_level_wins_and_debug_leaves_it_to_tensorflow(before, flags, level, monkeypatch):
    monkeypatch.delenv(LEVEL, raising=False)
    monkeypatch.setattr(os, "environ", {**os.environ, **({LEVEL: before} if before else {})})
    prepare(parse(["--device=cpu", *flags]).params, [], lambda _: None)
    assert os.environ.get(LEVEL) == level
