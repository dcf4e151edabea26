import errno
import json
import tempfile

import pytest

from benchmarks.inputs.datasets import DATASETS
from benchmarks.params import Params, validate

FILES = DATASETS["cifar10"].files


@pytest.mark.parametrize(
    "params",
    [
        Params(),
        Params(model="resnet20", data_name="cifar10", num_gpus=2, device="cpu", variable_update="replicated"),
        Params(num_gpus=2, gpu_indices="3, 0"),
        Params(use_fp16=True, precision="fp16", fp16_enable_auto_loss_scale=True, xla=True),
        Params(device="cpu", local_parameter_device="cpu", precision="bf16", data_format="NCHW", mkl=True),
        Params(gpu_memory_frac_for_testing=1.5, use_unified_memory=True),
        Params(precision="tf32"),
        Params(cross_replica_sync=False, measure_exchange=True),  # in one process the towers make a step together
        Params(cross_replica_sync=False, staged_vars=True),
        Params(target_precision=0.01, variable_update="collective_all_reduce"),  # one process ends when it likes
    ],
)
def test_valid(params):
    assert validate(params) == []


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (
            Params(num_batches=5, num_epochs=1.0),
            "--num_batches=5 and --num_epochs=1.0 both set the length of the run: give one of them.",
        ),
        (
            Params(repeats=2, repeat_number=3, repeat_set="a"),
            "--repeat_number=3 with --repeats=2: there is no such run.",
        ),
        (Params(repeats=2, repeat_number=1), "--repeat_number=1 and --repeat_set= belong together"),
        (
            Params(telemetry_interval=1e-6),
            "--telemetry_interval=1e-06: the system counts in hundredths of a second, and a look takes time too. Give "
            "0.05 or more, or 0 for none.",
        ),
        (Params(target_precision=0.6), "--target_precision=0.6 must be at most 0.5."),
        (Params(model="resnet5"), "--model=resnet5: Unknown model 'resnet5'. Did you mean"),
        (Params(model=""), "--model=: Unknown model ''."),
        (Params(model="resnet20"), "--model=resnet20: Model 'resnet20' is built for cifar10, not imagenet."),
        (Params(data_name="cifar"), "--data_name=cifar is no data set there is: imagenet, cifar10. Did you mean 'cif"),
        (Params(data_name="coco"), "--data_name=coco is no data set there is: imagenet, cifar10."),
        (
            Params(data_dir="/some/images"),
            "--data_dir=/some/images does not say which data set it holds: add --data_name, one of imagenet, cifar10.",
        ),
        (Params(data_dir=""), "--data_dir= names no folder. Leave it out for synthetic images."),
        (Params(data_dir="/x/imagenet"), "--data_dir=/x/imagenet is no folder."),
        (Params(data_dir="/x/cifar10", model="resnet20"), "--data_dir=/x/cifar10 is no folder."),
        (
            Params(gpu_indices="0,1"),
            "--gpu_indices=0,1 names 2 GPUs, but --num_gpus=1. Give 1 of them, or --num_gpus=2",
        ),
        (Params(gpu_indices="0,0", num_gpus=2), "--gpu_indices=0,0 names a GPU twice."),
        (Params(gpu_indices="0,-1", num_gpus=2), "--gpu_indices=0,-1 is no list of whole numbers with commas"),
        (
            Params(device="cpu", local_parameter_device="gpu"),
            "--local_parameter_device=gpu needs GPUs, but --device=cpu uses none.",
        ),
        (Params(gpu_memory_frac_for_testing=1.5), "--gpu_memory_frac_for_testing=1.5 is more than a GPU has"),
        (
            Params(variable_update="replicated", cross_replica_sync=False),
            "--cross_replica_sync=false with --variable_update=replicated: only parameter_server can go without.",
        ),
        (Params(cluster_timeout_secs=1.0), "--cluster_timeout_secs=1.0 must be at least 5.0."),
        (Params(server_protocol="grpc+verbs"), "--server_protocol=grpc+verbs is none of: grpc."),
        (Params(use_fp16=True, precision="bf16"), "--use_fp16 and --precision=bf16 contradict each other"),
        (Params(fp16_loss_scale=8.0), "--fp16_loss_scale=8.0 without float16: add --precision=fp16"),
        (
            Params(fp16_enable_auto_loss_scale=True, precision="bf16"),
            "--fp16_enable_auto_loss_scale without float16: add --precision=fp16",
        ),
        (Params(precision="tf32", device="cpu"), "--precision=tf32 with --device=cpu: only GPUs from Ampere on"),
        (Params(results_dir=""), "--results_dir= names no folder."),
        (Params(optimizer="sdg"), "--optimizer=sdg is none of"),
        (Params(batch_size=-1), "--batch_size=-1 must be at least 0."),
    ],
)
def test_problem(params, problem):
    [found] = validate(params)
    assert found.startswith(problem)


WORKER = {"cluster": {"ps": ["127.0.0.1:1024"], "worker": ["127.0.0.1:1025"]}, "task": {"type": "ps", "index": 0}}


@pytest.mark.parametrize("name", ["measure_exchange", "staged_vars"])
@pytest.mark.parametrize(
    ("told", "environment"),
    [
        ({"job_name": "worker", "ps_hosts": "127.0.0.1:1024", "worker_hosts": "127.0.0.1:1025"}, {}),
        ({"cluster_resolver": "slurm", "cluster_jobs": "ps:1,worker:1"}, {}),
        ({}, {"TF_CONFIG": json.dumps(WORKER)}),
    ],
    ids=["flags", "slurm", "TF_CONFIG"],
)
def test_workers_that_do_not_wait_make_no_step_together(name, told, environment, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    found = validate(Params(cross_replica_sync=False, **{name: True}, **told))
    assert (
        f"--{name} with --cross_replica_sync=false: the workers make no step together. Leave one of them out." in found
    )
    assert validate(Params(**{name: True}, **told)) == [each for each in found if "make no step together" not in each]


HOSTS = {"job_name": "worker", "worker_hosts": "127.0.0.1:1025,127.0.0.1:1026"}


@pytest.mark.parametrize("strategy", ["collective_all_reduce", "mirrored", "sharded"])
def test_processes_that_all_run_the_step_end_after_the_same_one(strategy):
    found = validate(Params(target_precision=0.01, variable_update=strategy, **HOSTS))
    told = (
        f"--target_precision=0.01 with --variable_update={strategy} over several processes: each would end when its "
        "own steps are precise enough. Give --num_batches alone."
    )
    assert found == ([] if strategy == "sharded" else [told])  # which one process drives


def test_a_process_of_a_cluster_does_not_start_the_others_anew():
    told = "--repeats=2 in a cluster: only a run of one process can be repeated. Repeat the command that starts all "
    assert validate(Params(repeats=2, variable_update="sharded", **HOSTS)) == [f"{told}processes."]


def test_missing_files_are_named(tmp_path):
    (tmp_path / FILES[0]).touch()
    [found] = validate(Params(model="resnet20", data_name="cifar10", data_dir=str(tmp_path)))
    assert found.startswith(
        f"--data_dir={tmp_path} lacks validation.tfrecords, eval.tfrecords "
        "(looked for train.tfrecords, validation.tfrecords, eval.tfrecords). "
        "Prepare it with python -m benchmarks.inputs.cifar10"
    )


def imagenet(tmp_path, *files, **options):
    for file in files:
        (tmp_path / file).touch()
    return Params(data_name="imagenet", data_dir=str(tmp_path), **options)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([], "no file matches train-*-of-*. The folder holds nothing. Prepare it with python -m benchmarks.inputs.ima"),
        (["a", "train.txt"], "no file matches train-*-of-*. The folder holds a, train.txt. Prepare it with python -m "),
        (
            ["train-00001-of-00004", "train-00003-of-00004", "train-00000-of-00004.half"],
            "lacks 2 of the 4 shards train-*-of-*: 00000, 00002. Prepare it with",
        ),
        (
            ["train-00000-of-00001", "train-00000-of-00002"],
            "holds shards of several sets: those that match train-*-of-* say that there are 00001 and 00002 of them.",
        ),
    ],
)
def test_shards_that_are_not_there(tmp_path, files, problem):
    [found] = validate(imagenet(tmp_path, *files))
    assert found.removeprefix(f"--data_dir={tmp_path}").lstrip(": ").startswith(problem)


def test_a_conversion_that_has_not_come_to_its_end_is_mentioned(tmp_path):
    (tmp_path / ".conversion").mkdir()
    [found] = validate(imagenet(tmp_path, "train-00000-of-00002"))
    assert "A conversion into it has not come to its end." in found


@pytest.mark.parametrize(
    ("options", "valid"),
    [
        ({}, True),
        ({"resize_method": "crop"}, False),
        ({"resize_method": "crop", "distortions": False}, True),
        ({"resize_method": "crop", "input_preprocessor": "official_models_imagenet"}, True),  # it has no effect
    ],
)
def test_random_crops_are_resized(tmp_path, options, valid):
    problems = validate(imagenet(tmp_path, "train-00000-of-00001", **options))
    assert [problem.partition(":")[0] for problem in problems] == (
        [] if valid else ["--resize_method=crop with --distortions"]
    )


def test_data_set_is_read_off_the_path(tmp_path):
    folder = tmp_path / "imagenet" / "CIFAR10-tfrecords"
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).touch()
    assert validate(Params(model="resnet20", data_dir=str(folder))) == []


def test_results_dir_that_can_be_made(tmp_path):
    assert validate(Params(results_dir=str(tmp_path / "new" / "folder"))) == []
    assert [*tmp_path.iterdir()] == []


def test_results_dir_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    [found] = validate(Params(results_dir=str(tmp_path / "file" / "runs")))
    assert found == (
        f"--results_dir={tmp_path}/file/runs: {tmp_path}/file is not a folder. Give a folder that can be written."
    )


def test_results_dir_on_a_read_only_file_system(tmp_path, monkeypatch):
    def refuse(*, dir):  # noqa: A002  tempfile's word
        raise OSError(errno.EROFS, "Read-only file system", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    [found] = validate(Params(results_dir=str(tmp_path)))
    assert found.startswith(f"--results_dir={tmp_path}: cannot write in {tmp_path} (Read-only file system).")
