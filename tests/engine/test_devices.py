"""Which devices a run gets, and what is refused."""

import re

import pytest
import tensorflow as tf

from benchmarks import devices
from benchmarks.errors import UserError
from benchmarks.params import Params
from tests.main.conftest import run_program


def refused(**params):
    with pytest.raises(UserError) as caught:
        devices.set_up(Params(**params))
    return str(caught.value)


def test_towers_on_the_cpu_share_it():
    program = """
from benchmarks import devices
from benchmarks.params import Params
found = devices.set_up(Params(device="cpu", num_gpus=3))
print(found == devices.Devices("cpu", ("/cpu:0", "/cpu:1", "/cpu:2"), ("/cpu:0",)))
"""
    assert run_program(program).split() == ["True"]


def test_auto_takes_the_cpu_where_there_is_no_gpu():
    assert devices.set_up(Params()).kind == "cpu"


@pytest.mark.parametrize(
    ("params", "flag"),
    [
        ({"device": "gpu"}, "--device=gpu"),
        ({"num_gpus": 2}, "--num_gpus=2"),
        ({"gpu_indices": "1"}, "--gpu_indices=1"),
        ({"device": "gpu", "num_gpus": 4}, "--device=gpu"),
    ],
)
def test_gpus_that_there_are_not(params, flag):
    message = refused(**params)
    assert "sees no GPU. Pass --device=cpu" in message
    assert ("towers share the processors" in message) == ("num_gpus" in params)
    assert "If the machine has one for which this TensorFlow has code" in message
    assert f"{flag}: TensorFlow" in message


@pytest.mark.parametrize(
    ("params", "any_gpus", "kind"),
    [
        ({}, False, "cpu"),
        ({}, True, "gpu"),
        ({"num_gpus": 2}, False, "gpu"),
        ({"gpu_indices": "0"}, False, "gpu"),
        ({"device": "cpu", "num_gpus": 2}, True, "cpu"),
        ({"device": "gpu"}, False, "gpu"),
    ],
)
def test_auto_never_means_the_cpu_for_several_towers(params, any_gpus, kind):
    assert devices.kind_of_towers(Params(**params), any_gpus=any_gpus) == kind


def test_parameters_on_gpus_need_gpus():
    assert "--local_parameter_device=gpu: this run computes on the CPU" in refused(local_parameter_device="gpu")


def test_tf32_is_never_float32_in_disguise():
    assert "--precision=tf32: only GPUs of compute capability 8.0 on" in refused(precision="tf32")


def test_gpus_keep_the_order_that_was_asked_for():
    # TensorFlow numbers visible GPUs upwards, whatever the order in which they were made visible.
    assert devices.in_order([3, 0, 5]) == ("/gpu:1", "/gpu:0", "/gpu:2")
    assert devices.in_order([0, 1]) == ("/gpu:0", "/gpu:1")


def test_gpus_that_tensorflow_does_not_see_are_pointed_out():
    on_cpu = devices.Devices("cpu", ("/cpu:0",), ("/cpu:0",))
    on_gpu = devices.Devices("gpu", ("/gpu:0",), ("/gpu:0",))
    h200 = [{"name": "NVIDIA H200"}]
    assert "the machine has 1 GPU, NVIDIA H200, but TensorFlow" in devices.unused_gpus(on_cpu, h200)
    assert "Install tensorflow[and-cuda]" in devices.unused_gpus(on_cpu, h200)
    assert "nstall" not in devices.unused_gpus(on_cpu, h200, explained=True)
    assert devices.unused_gpus(on_cpu, []) is None
    assert devices.unused_gpus(on_gpu, h200) is None


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_nhwc_runs_on_the_cpu_in_every_precision(precision):
    devices.check_layout("NHWC", precision, "/cpu:0")


def test_nchw_float16_is_refused_on_the_cpu_with_the_reason():
    with pytest.raises(UserError) as caught:
        devices.check_layout("NCHW", "fp16", "/cpu:0")
    reason = r"--data_format=NCHW with --precision=fp16 cannot run on /cpu:0: .+ NHWC .+ Pass --data_format=NHWC"
    assert re.match(reason, str(caught.value))


def test_float16_in_groups_is_refused_on_the_cpu_with_the_reason():
    devices.check_layout("NHWC", "fp32", "/cpu:0", grouped=True)
    with pytest.raises(UserError) as caught:
        devices.check_layout("NHWC", "fp16", "/cpu:0", grouped=True)
    reason = "--data_format=NHWC with --precision=fp16 cannot run on /cpu:0: (Gradients for grouped|filter_size) .+"
    assert re.match(rf"{reason} Pass another --precision\.$", str(caught.value))


def test_threads_are_set_before_tensorflow_starts():
    program = """
import tensorflow as tf
from benchmarks import devices
from benchmarks.params import Params
devices.set_up(Params(device="cpu", num_gpus=2, num_intra_threads=3, num_inter_threads=2))
print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads())
print(len(tf.config.list_logical_devices("CPU")))
"""
    assert run_program(program).split() == ["3", "2", "2"]


def test_tensorflow_is_the_one_that_is_tested():
    assert tuple(map(int, tf.__version__.split(".")[:2])) >= (2, 14)
