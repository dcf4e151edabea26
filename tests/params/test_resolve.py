import math
from pathlib import Path

import pytest

import models
from benchmarks.inputs.datasets import DATASETS
from benchmarks.params import Params, resolve
from benchmarks.params.data_set import data_name
from benchmarks.params.resolve import intra_threads

RESNET20 = Params(model="resnet20", data_name="cifar10")


def test_the_model_gives_its_defaults():
    network = models.get("resnet50", "imagenet")
    resolved = resolve(Params(model="resnet50", use_fp16=True), device="gpu")
    assert resolved.data_name == "imagenet"
    assert resolved.batch_size == network.batch_size
    assert resolved.init_learning_rate == network.learning_rate
    assert resolved.fp16_loss_scale == network.loss_scale
    assert resolved.precision == "fp16"


def test_what_is_given_stays():
    params = Params(
        model="resnet50", batch_size=3, init_learning_rate=0.0, precision="fp16", fp16_loss_scale=2.0, num_batches=7,
        num_warmup_batches=0, data_format="NHWC", local_parameter_device="cpu",
    )  # fmt: skip
    resolved = resolve(params, device="gpu")
    assert (resolved.batch_size, resolved.init_learning_rate, resolved.fp16_loss_scale) == (3, 0.0, 2.0)
    assert (resolved.num_batches, resolved.num_warmup_batches) == (7, 0)
    assert (resolved.data_format, resolved.local_parameter_device) == ("NHWC", "cpu")


@pytest.mark.parametrize(("device", "data_format"), [("cpu", "NHWC"), ("gpu", "NCHW")])
def test_the_device_decides(device, data_format):
    resolved = resolve(RESNET20, device=device)
    assert (resolved.device, resolved.data_format, resolved.local_parameter_device) == (device, data_format, device)


def test_length_defaults_to_100_steps():
    resolved = resolve(RESNET20, device="cpu")
    assert resolved.num_batches == 100
    assert resolved.num_epochs == pytest.approx(100 * 128 / 40_000)


def test_epochs_are_rounded_up_to_steps_of_all_towers():
    params = Params(model="resnet20", data_name="cifar10", num_gpus=3, batch_size=100, num_epochs=1.0)
    assert resolve(params, device="cpu").num_batches == math.ceil(40_000 / 300) == 134
    assert resolve(params, device="cpu", examples=900).num_batches == 3


@pytest.mark.parametrize(("threshold", "steps"), [(None, 10), (1, 10), (2, 20), (5, 125)])
def test_warmup_follows_the_autotune_threshold(threshold, steps):
    assert resolve(Params(autotune_threshold=threshold), device="cpu").num_warmup_batches == steps


def test_two_ways_to_say_one_thing_resolve_to_one_configuration():
    assert resolve(Params(use_fp16=True), device="gpu") == resolve(Params(precision="fp16"), device="gpu")
    assert resolve(Params(xla=True), device="gpu") == resolve(Params(xla_compile=True), device="gpu")


@pytest.mark.parametrize("params", [Params(), RESNET20, Params(num_epochs=0.5, use_fp16=True)])
def test_resolving_twice_changes_nothing(params):
    resolved = resolve(params, device="gpu")
    assert resolve(resolved, device="gpu") == resolved


@pytest.mark.parametrize(
    ("given", "nbytes"),
    [
        ({}, 25 * 2**20),
        ({"bytes_per_pack": 0}, 0),
        ({"bytes_per_pack": 64}, 64),
        ({"gradient_repacking": 2}, 0),
        ({"agg_small_grads_max_bytes": 2}, 0),
        ({"allreduce_merge_scope": 2}, 0),
        ({"variable_update": "replicated"}, 0),
    ],
)
def test_collectives_are_packed_unless_something_else_is_asked_for(given, nbytes):
    params = Params(**{"variable_update": "collective_all_reduce", **given})
    assert resolve(params, device="cpu").bytes_per_pack == nbytes


def test_home_is_expanded():
    resolved = resolve(Params(data_dir="~/imagenet", results_dir="~/runs"), device="cpu")
    assert (resolved.data_dir, resolved.results_dir) == (str(Path.home() / "imagenet"), str(Path.home() / "runs"))


@pytest.mark.parametrize(
    ("params", "name"),
    [
        (Params(), "imagenet"),
        (Params(data_dir="/data/cifar10"), "cifar10"),
        (Params(data_dir="/cifar10/ImageNet/shards"), "imagenet"),
        (Params(data_dir="/data/cifar10", data_name="imagenet"), "imagenet"),
        (Params(data_dir="/data/images"), None),
    ],
)
def test_data_name(params, name):
    assert data_name(params) == name


@pytest.mark.parametrize("data_set", DATASETS)
def test_every_network_resolves(data_set):
    for model in models.NETWORKS[data_set]:
        resolved = resolve(Params(model=model, data_name=data_set), device="cpu")
        assert resolved.batch_size > 0
        assert resolved.fp16_loss_scale is None


def test_towers_of_other_processes_count_for_the_length_of_the_run():
    params = Params(model="resnet20", data_name="cifar10", batch_size=10, num_epochs=1.0, num_gpus=2)
    assert resolve(params, device="cpu", examples=800).num_batches == 40
    assert resolve(params, device="cpu", examples=800, num_towers=8).num_batches == 10


@pytest.mark.parametrize(
    ("params", "threads"),
    [
        (Params(device="cpu"), None),
        (Params(device="cpu", num_gpus=2), None),
        (Params(device="cpu", num_gpus=8), 1),
        (Params(device="cpu", num_gpus=16), 1),
        (Params(device="cpu", num_gpus=8, job_name="worker"), None),
        (Params(device="cpu", num_gpus=8, variable_update="collective_all_reduce"), None),
        (Params(device="cpu", num_gpus=8, variable_update="replicated", all_reduce_spec="collective"), None),
        (Params(device="cpu", num_gpus=2, num_intra_threads=0), 0),
        (Params(device="cpu", num_gpus=2, num_intra_threads=3), 3),
        (Params(device="gpu", num_gpus=2), None),
    ],
)
def test_a_tower_for_each_core_has_one_thread(params, threads):
    assert intra_threads(params, cores=8) == threads
