"""--variable_update=horovod against a stand-in for the package: tests/horovod_stand_in. Real Horovod was never here."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
import tensorflow as tf

from benchmarks.params import Params, validate
from benchmarks.verification import verify
from results.checks import FOREIGN_LOAD
from tests.cluster.conftest import LIMIT, PROJECT, SHORT, alone, free_port
from variable_mgr.choice import make
from variable_mgr.exchange_plan import ReduceOptions

STAND_IN = PROJECT / "tests" / "horovod_stand_in"
TOTAL = re.compile(r"-{64}\ntotal images/sec: \d+\.\d\d\n-{64}\n\Z")
LONG_ENOUGH = ["--num_batches=600", "--batch_size=64"]  # to tell who else has the processors


def run(folder, count, *flags, own=()):
    """stdout, stderr and exit code of each of `count` processes, and the records; `own` are flags of each."""
    port = free_port()
    processes = []
    for rank in range(count):
        variables = {"HOROVOD_RANK": rank, "HOROVOD_SIZE": count, "HOROVOD_LOCAL_RANK": rank}
        variables |= {"HOROVOD_GLOO_RENDEZVOUS_PORT": port, "PYTHONPATH": STAND_IN, "CUDA_VISIBLE_DEVICES": -1}
        command = [sys.executable, str(PROJECT / "run_benchmark.py"), *SHORT, f"--results_dir={folder}"]
        command += ["--variable_update=horovod", *flags, *(own[rank] if own else ())]
        environment = os.environ | {name: str(value) for name, value in variables.items()}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, env=environment, **pipes))
    try:
        ended = [(*process.communicate(timeout=LIMIT), process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return ended, [json.loads(path.read_text()) for path in folder.glob("*.json")]


def test_two_processes_train_like_one_with_two_towers(tmp_path):
    ended, records = run(tmp_path / "runs", 2, "--horovod_device=cpu")
    assert [code for _, _, code in ended] == [0, 0], ended
    for out, _, _ in ended:
        assert TOTAL.search(out)
        assert "Devices:     ['horovod/cpu:0', 'horovod/cpu:1']\n" in out
        assert "Variables:   horovod\nHorovod on:  cpu\n==========\n" in out
        assert "Batch size:  8 global\n" in out
    assert "Record: left by the first process of Horovod" in ended[1][1]
    (record,) = records
    of_the_run = [problem for problem in record["problems"] if not problem.startswith(("too short", FOREIGN_LOAD))]
    assert of_the_run == ["too few steps: 5 steps, and an interval needs 50"]
    assert record["checks"]["variable_update"]["passed"]
    expected = alone(tmp_path, "--num_gpus=2", "--variable_update=replicated")["measurement"]["losses"]
    assert record["measurement"]["losses"] == pytest.approx(expected, abs=1e-5)
    assert record["placement"]["towers"] == ["horovod/0/cpu:0", "horovod/1/cpu:0"]
    assert record["configuration"]["processes"] == {"horovod": 2}
    assert list(record["cluster"]["processes"]) == ["horovod/0", "horovod/1"]
    sent = 4 * record["model"]["parameters"]  # half of them twice
    assert record["exchange"]["sent_bytes"] == {"horovod/0/cpu:0": sent, "horovod/1/cpu:0": sent}


def test_packed_and_narrow_and_measured(tmp_path):
    flags = ["--precision=fp16", "--gradient_repacking=3", "--measure_exchange"]
    ended, (record,) = run(tmp_path, 2, *flags, *LONG_ENOUGH)
    assert [code for _, _, code in ended] == [0, 0], ended
    assert record["exchange"]["exchanges"] == 3
    assert record["params"]["gradient_transfer"] == "fp16"
    assert record["checks"]["variable_update"]["passed"]
    assert len(record["exchange"]["step_seconds"]) > 0
    load = record["checks"]["load"]
    assert load["cpu_share_of_others"] is None
    assert load["reason"] == "the run has processes beside this one", "which are no foreign load"


def test_one_process(tmp_path):
    ((out, _, code),), (record,) = run(tmp_path, 1, *LONG_ENOUGH)
    assert code == 0
    assert "Devices:     ['horovod/cpu:0']\n" in out
    assert "Horovod on" not in out
    assert (record["exchange"]["exchanges"], *record["exchange"]["sent_bytes"].values()) == (0, 0)
    assert record["checks"]["load"]["cpu_share_of_others"] is not None


def test_processes_with_other_flags_do_not_begin(tmp_path):
    ended, _ = run(tmp_path, 2, own=(["--optimizer=sgd"], ["--optimizer=adam"]))
    assert [code for _, _, code in ended] == [2, 2]
    for _, err, _ in ended:
        assert "process 1 of 2 on " in err
        assert "it has --optimizer=adam, and the driver --optimizer=sgd" in err


@dataclass
class InOneProcess:
    """Horovod of two processes as this one sees it: `total` makes a sum of this process's tensor."""

    total: object
    Average = "average"
    Sum = "sum"

    def size(self):
        return 2

    def allreduce(self, tensor, op, name, device_dense):
        assert name
        assert not device_dense
        return self.total(tensor) / 2 if op == self.Average else self.total(tensor)

    def broadcast_variables(self, variables, root_rank):
        assert variables
        assert root_rank == 0


@pytest.mark.parametrize("form", ["float32", "float16"])
def test_one_that_forgets_the_others_is_found(form):
    """Twice what this process has is the sum only where the others have the same."""
    horovod = InOneProcess(lambda tensor: tensor + tensor)
    exchange = ReduceOptions(transfer_format=form)
    found = verify(
        lambda listed: make("horovod", listed, ["/cpu:0"], [], 5, runtime=horovod, exchange=exchange),
        ["/cpu:0"],
        num_towers=2,
        seed=5,
        rounded=form != "float32",
    )
    assert "the variable update is not what one device computes" in found.problem


def test_narrow_numbers_are_divided_before_they_are_added():
    from variable_mgr.horovod_all_reduce import mean

    horovod = InOneProcess(lambda tensor: tensor + tensor)
    assert mean(horovod, tf.constant([6e4], tf.float16), "large").numpy() == pytest.approx([6e4], rel=1e-3)


HOROVOD = {"variable_update": "horovod"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"num_gpus": 4}, "--num_gpus=4 with --variable_update=horovod: it has one tower a process."),
        ({"gpu_indices": "1"}, "--gpu_indices=1 with --variable_update=horovod: each process takes the GPU of its own"),
        ({"job_name": "worker"}, "--job_name=worker with --variable_update=horovod: Horovod starts the processes"),
        ({"horovod_device": "gpu", "device": "cpu"}, "--horovod_device=gpu needs GPUs, but --device=cpu uses none."),
        ({"all_reduce_spec": "xring"}, "--all_reduce_spec=xring with --variable_update=horovod: the algorithm is"),
        ({"precision": "bf16"}, "--variable_update=horovod does not add up bfloat16"),
        ({"repeats": 2}, "--repeats=2 with --variable_update=horovod: repeat the horovodrun command"),
        ({"target_precision": 0.01}, "--target_precision=0.01 with --variable_update=horovod over several processes"),
        ({"cross_replica_sync": False}, "--cross_replica_sync=false with --variable_update=horovod"),
    ],
)
def test_what_horovod_cannot_do(given, problem, monkeypatch):
    monkeypatch.syspath_prepend(STAND_IN)
    assert validate(Params(**HOROVOD)) == []
    [found] = validate(Params(**HOROVOD, **given))
    assert found.startswith(problem)


def test_without_the_package_the_way_out_is_named():
    [found] = validate(Params(**HOROVOD))
    assert found.startswith("--variable_update=horovod: the package horovod is not installed. Install it with")
    assert "--variable_update=collective_all_reduce" in found
