"""Copies that TensorFlow really makes, between logical CPU devices, and the command that measures them."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from benchmarks.topology import command
from benchmarks.topology.command import main
from benchmarks.topology.copies import Copies, moves_bytes
from benchmarks.topology.speed import CopyError
from tests.main.conftest import PROJECT
from tests.telemetry.stand_in import put_in_place

SMALL = 2**10


class Clock:
    """A second passes with every look."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        self.now += 1
        return float(self.now)


def graph_of(*ways, copies):
    made = Copies(*ways)
    sent = [tf.TensorSpec([None], tf.float32)] * len(ways)
    return tf.function(lambda *sent: made._call(copies, sent), sent, autograph=False).get_concrete_function().graph


def index_of(name):
    return int(name.rpartition(":")[2])


def test_a_buffer_is_handed_over_between_devices_and_copied_within_one():
    assert not moves_bytes("/cpu:0", "/cpu:1")
    assert moves_bytes("/cpu:1", "/cpu:1")


def test_each_copy_goes_from_device_to_device_after_the_one_before():
    graph = graph_of(("/cpu:2", "/cpu:5"), copies=3)
    identities = [op for op in graph.get_operations() if op.type == "Identity" and op.device]
    sent = [op for op in identities if index_of(op.device) == 2]
    arrived = [op for op in identities if index_of(op.device) == 5]
    assert len(sent) == len(arrived) == 3
    for number in range(3):
        assert arrived[number].inputs[0].op is sent[number]
    for number in range(2):
        assert sent[number + 1].control_inputs == [arrived[number]]


def test_what_a_call_takes_with_one_copy_is_taken_off():
    assert Copies(("/cpu:0", "/cpu:1"), clock=Clock()).seconds(SMALL) == 0.0


THERE, BACK, WITHIN = ("/cpu:0", "/cpu:1"), ("/cpu:1", "/cpu:0"), ("/cpu:1", "/cpu:1")


@pytest.mark.parametrize("ways", [[THERE], [WITHIN], [THERE, BACK]])
def test_copies_of_any_size_can_be_timed(ways):
    copies = Copies(*ways)
    assert all(isinstance(copies.seconds(nbytes), float) for nbytes in (4, SMALL, 2**21))


@pytest.fixture
def no_soft_placement():
    tf.config.set_soft_device_placement(False)
    yield
    tf.config.set_soft_device_placement(True)


@pytest.mark.usefixtures("no_soft_placement")
def test_a_device_that_is_not_there_is_an_error_with_its_reason():
    with pytest.raises(CopyError, match="CPU:99"):
        Copies(("/cpu:0", "/cpu:99")).seconds(SMALL)
    with pytest.raises(CopyError, match="CPU:99"):
        moves_bytes("/cpu:99", "/cpu:0")


def test_the_command(tmp_path):
    program = (
        "import os, sys; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'; from benchmarks.topology import command, copies; "
        "copies.SIZES = (2**12, 2**23, 2**24); sys.exit(command.main(sys.argv[1:]))"
    )
    output = tmp_path / "links.json"
    flags = ["--measure", "--device=cpu", "--num_gpus=2", "--repeats=2", "--optimizer=adam", f"--output={output}"]
    ran = subprocess.run(
        [sys.executable, "-c", program, *flags],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert "WARNING: --optimizer=adam: no effect: this command does without it.\n" in ran.stderr
    assert "round 2/2: copies along 4 ways\n" in ran.stderr
    assert "=  no bytes are copied, as TensorFlow hands the buffer over: /cpu:0 to /cpu:1" in ran.stdout
    document = json.loads(output.read_text())
    assert document["devices"] == ["/cpu:0", "/cpu:1"]
    assert [(each["from"], each["to"], each["copied"]) for each in document["links"]] == [
        ("/cpu:0", "/cpu:0", True), ("/cpu:0", "/cpu:1", False), ("/cpu:1", "/cpu:0", False), ("/cpu:1", "/cpu:1", True)
    ]  # fmt: skip
    assert all(each["bytes_per_second"] is None for each in document["links"] if not each["copied"])
    assert document["wiring"] is None


def test_a_picture_of_nothing_is_refused_before_anything_is_measured(tmp_path, monkeypatch, capsys):
    put_in_place("init !9\n", tmp_path, monkeypatch)
    assert main(["--measure", "--device=cpu", "--picture=wiring.svg"]) == 2
    assert "--picture=wiring.svg: there is nothing to draw" in capsys.readouterr().err


def test_links_of_before_outlive_a_measurement_that_is_interrupted(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    put_in_place("init !9\n", tmp_path, monkeypatch)
    monkeypatch.setattr(command, "_measured", interrupted)
    links = tmp_path / "links.json"
    links.write_text("of before")
    assert main(["--measure", "--device=cpu", "--num_gpus=2", f"--output={links}"]) == 130
    assert links.read_text() == "of before"
    assert "python -m benchmarks.topology: interrupted" in capsys.readouterr().err


def test_without_a_gpu_the_cpu_is_not_measured_in_its_place(tmp_path, monkeypatch, capsys):
    put_in_place("init !9\n", tmp_path, monkeypatch)
    links = tmp_path / "links.json"
    assert main(["--measure", f"--output={links}"]) == 2
    assert "sees no GPU" in capsys.readouterr().err
    assert not links.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--num_gpus=2"], "unrecognized arguments: --num_gpus=2 (flags of run_benchmark.py need --measure)"),
        (["--measure", "--repeats=1"], "must be at least 2"),
        (["--measure", "--repeats=x"], "--repeats: 'x' is no whole number of at least 1"),
        (["--picture="], "--picture: names no file"),
    ],
)
def test_wrong_arguments(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
