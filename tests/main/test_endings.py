"""How a run ends: its exit code, its message and its record, whatever happens."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.main.conftest import INTERRUPT, PROJECT, SHORT, TERMINATE, finish, run, signal_at, start

LONG = [*SHORT, "--model=trivial", "--num_batches=100000", "--display_every=1"]


def test_a_good_run_of_few_steps_is_right_and_not_fit_for_comparison(main_job):
    (record,) = main_job.records
    assert (main_job.code, record["status"], record["valid"]) == (0, "completed", False)
    assert "too few steps: 12 steps, and an interval needs 50" in record["problems"]
    assert all(problem.startswith(("too few steps", "too short", "foreign load")) for problem in record["problems"])
    assert "run_benchmark.py: not fit for comparison: too few steps: 12 steps" in main_job.err
    assert "INVALID" not in main_job.err
    assert "determinism" not in record["checks"], "which takes --deterministic"
    assert (record["checks"]["copies"]["copies"], record["checks"]["copies"]["problem"]) == (2, None)
    assert record["statistics"]["steps"] == 12
    assert record["dataset"]["sample"] is True
    assert record["dataset"]["synthetic"] is False
    assert record["params"]["batch_size"] == 8
    assert record["placement"]["towers"] == ["/cpu:0", "/cpu:1"]
    assert record["placement"]["variables"]["/cpu:1"]["variables"] == record["model"]["variables"]
    assert record["model"]["parameters"] == 269_722
    measurement = record["measurement"]
    assert (len(measurement["warmup_step_seconds"]), len(measurement["step_seconds"])) == (2, 12)
    assert measurement["first_step_seconds"] == measurement["warmup_step_seconds"][0]
    assert measurement["time_to_first_step_seconds"] > measurement["first_step_seconds"]


def test_a_loss_that_is_not_finite_makes_the_run_invalid(tmp_path):
    flags = [*SHORT, "--model=trivial", "--init_learning_rate=1e30"]
    ran = run(*flags, results_dir=tmp_path)
    assert ran.code == 3
    assert "WARNING: the loss is nan" in ran.err
    assert "INVALID: the loss is not finite from" in ran.err
    assert ran.out.endswith("-" * 64 + "\n")
    (record,) = ran.records
    assert (record["status"], record["valid"]) == ("completed", False)


def test_a_loss_that_is_not_finite_can_be_accepted(tmp_path):
    flags = [*SHORT, "--model=trivial", "--init_learning_rate=1e30", "--allow_nonfinite_loss"]
    ran = run(*flags, results_dir=tmp_path)
    assert ran.code == 0
    assert ran.records[0]["problems"]
    assert "nan" in ran.records[0]["measurement"]["losses"]


def test_the_update_is_verified_and_exchange_and_peaks_measured(tmp_path):
    asked = ["--variable_update=sharded", "--measure_exchange", "--measure_peak", "--precision=bf16"]
    ran = run(*SHORT, "--model=trivial", *asked, results_dir=tmp_path)
    assert ran.code == 0
    assert ran.out.endswith("-" * 64 + "\n")
    assert "Exposed exchange: " in ran.err
    (record,) = ran.records
    assert record["checks"]["variable_update"]["passed"] is True
    assert record["checks"]["variable_update"]["largest_difference"] < 1e-4
    assert len(record["exchange"]["step_seconds"]) == len(record["exchange"]["independent_step_seconds"]) == 20
    cost, measurement = record["cost"], record["measurement"]
    speed = 16 * 12 * cost["training_flops"] / measurement["window_seconds"]
    assert cost["flops_per_second"] == pytest.approx(speed)
    assert cost["flops_per_second_and_tower"] == pytest.approx(speed / 2)
    assert cost["activation_bytes"] == 2 * (227 * 227 * 3 + 1 + 4096) + 4 * 1000, "bfloat16, but for the loss"
    for name, flops in (("matrix_product", 2 * 2048**3), ("convolution", 2 * 16 * 32 * 32 * 9 * 256 * 256)):
        peak = cost["peaks"][name]
        assert peak["flops"] % (2 * flops) == 0, "both towers"
        assert sum(peak["call_seconds"]) >= 2.0
    assert re.search(r"NOTE: that is [\d.]+% of a matrix product \(.*\), [\d.]+% of a convolution", ran.err)


@pytest.mark.parametrize(("number", "code"), [(INTERRUPT, 130), (TERMINATE, 143)])
def test_an_interrupted_run_keeps_what_it_measured(number, code, tmp_path):
    ran = signal_at("5\timages", number, *LONG, results_dir=tmp_path)
    assert ran.code == code
    (record,) = ran.records
    assert record["status"] == "interrupted"
    assert len(record["measurement"]["step_seconds"]) >= 1
    assert "Traceback" not in ran.err
    assert "total images/sec" not in ran.out


def test_an_interrupt_before_the_first_step_leaves_a_record_too(tmp_path):
    ran = signal_at("Generating training model", INTERRUPT, *LONG, "--model=resnet152", results_dir=tmp_path)
    assert ran.code == 130
    (record,) = ran.records
    assert (record["status"], record["measurement"]["step_seconds"]) == ("interrupted", [])


def test_a_gpu_that_is_not_there_is_asked_for_by_the_flag_that_was_given_and_leaves_no_record(tmp_path):
    ran = run("--num_gpus=2", results_dir=tmp_path)
    assert ran.code == 2
    assert "--num_gpus=2: this process sees no GPU: NVIDIA's driver is not there" in ran.err
    assert ". Pass --device=cpu" in ran.err
    assert "(--ignore_preflight runs all the same.)" in ran.err
    assert "Traceback" not in ran.err
    assert ran.records == []


@pytest.fixture
def broken_data(sample_data, tmp_path):
    """A copy of the sample that a test may break."""
    return shutil.copytree(sample_data, tmp_path / "cifar10")


def test_a_truncated_file_is_refused_before_anything_is_measured(broken_data, tmp_path):
    path = broken_data / "train.tfrecords"
    path.write_bytes(path.read_bytes()[:-1000])
    ran = run(*SHORT, "--model=resnet20", f"--data_dir={broken_data}", results_dir=tmp_path / "runs")
    assert ran.code == 2
    assert f"Cannot use {path}: it is truncated or corrupt after record" in ran.err
    assert "python -m benchmarks.inputs.cifar10 --data_dir=" in ran.err
    assert "Traceback" not in ran.err
    assert ran.records == []


def test_a_label_out_of_range_is_refused(broken_data, tmp_path):
    import tensorflow as tf

    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(3072)])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[10])),
    }
    path = broken_data / "train.tfrecords"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    ran = run(*SHORT, "--model=resnet20", f"--data_dir={broken_data}", results_dir=tmp_path / "runs")
    assert ran.code == 2
    assert "record 0 has label 10, where labels are 0 to 9" in ran.err


def test_a_folder_without_the_files_is_refused_with_what_was_looked_for(tmp_path):
    (tmp_path / "cifar10").mkdir()
    ran = run("--model=resnet20", f"--data_dir={tmp_path / 'cifar10'}", results_dir=tmp_path / "runs")
    assert ran.code == 2
    assert "lacks train.tfrecords, validation.tfrecords, eval.tfrecords" in ran.err
    assert ran.records == []


def test_home_is_understood_in_results_dir_and_the_verification_can_be_left_out(tmp_path):
    flags = [*SHORT, "--model=trivial", "--num_batches=1", "--noverify_variable_update"]
    process = start(*flags, results_dir="~/runs", cwd=tmp_path, home=tmp_path)
    ran = finish(process, tmp_path / "runs")
    assert ran.code == 0
    assert not (tmp_path / "~").exists()
    (record,) = ran.records
    assert "variable_update" not in record["checks"]


def test_a_tensorflow_that_cannot_be_imported_is_one_line(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no such instruction')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import run_benchmark as it; "
    program += f"sys.exit(it.main(['--results_dir={tmp_path}/runs']))"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert ran.stderr.splitlines() == [
        "run_benchmark.py: error: cannot import what requirements.txt installs: no such instruction"
    ]


@pytest.mark.parametrize(("model", "batch_size"), [("trivial", 32), ("alexnet", 16)])
def test_a_cheap_network_does_not_diverge_at_its_defaults(model, batch_size, tmp_path):
    """The README's command that ends at an accuracy shows it of ResNet-20."""
    flags = ["--data_name=cifar10", f"--model={model}", f"--batch_size={batch_size}", "--device=cpu"]
    ran = run(*flags, "--num_batches=90", results_dir=tmp_path)  # after ten of warm-up
    assert ran.code == 0
    losses = ran.records[0]["measurement"]["losses"]
    assert losses[-1] < ran.records[0]["measurement"]["warmup_losses"][0]


def test_debug_shows_the_traceback(tmp_path):
    ran = run("--device=gpu", "--ignore_preflight", "--debug", results_dir=tmp_path)
    assert ran.code == 2
    assert "Traceback" in ran.err
    assert "--device=gpu: TensorFlow" in ran.err
    assert "sees no GPU. Pass --device=cpu" in ran.err


def test_a_layout_that_cannot_run_is_refused_with_the_reason(tmp_path):
    flags = [*SHORT, "--model=trivial", "--data_format=NCHW", "--precision=fp16"]
    ran = run(*flags, results_dir=tmp_path)
    assert ran.code == 2
    assert "--data_format=NCHW with --precision=fp16 cannot run on /cpu:0: " in ran.err


def test_all_problems_of_a_command_line_come_together_without_tensorflow(tmp_path):
    program = "import sys, run_benchmark as it; code = it.main(sys.argv[1:]); "
    program += "assert not {'tensorflow', 'numpy'} & set(sys.modules); sys.exit(code)"
    flags = ["--model=resnet5", "--batch_size=-1", "--num_gpu=2", f"--results_dir={tmp_path}/runs"]
    ran = subprocess.run(
        [sys.executable, "-c", program, *flags], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    errors = ran.stderr.splitlines()
    assert len(errors) == 3
    assert all(error.startswith("run_benchmark.py: error: ") for error in errors)
    assert not (tmp_path / "runs").exists()


def test_results_that_cannot_be_written_are_refused_before_the_run(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ran = run(*SHORT, "--model=trivial", results_dir=tmp_path / "file")
    assert ran.code == 2
    assert "is not a folder" in ran.err
    assert ran.out == ""


def test_what_does_not_act_yet_is_said_and_recorded(tmp_path):
    ran = run(*SHORT, "--model=trivial", "--num_batches=1", "--fp16_vars", results_dir=tmp_path)
    assert ran.code == 0
    assert "WARNING: --fp16_vars=True: not yet acting" in ran.err
    assert ran.records[0]["not_acting"][0]["flag"] == "fp16_vars"
