"""What --quantize needs, and what it excludes."""

import pytest

from benchmarks.params import Params, notices, validate
from benchmarks.params.quantization_rules import LITERT, without_litert
from results.mode import mode
from tests.params.conftest import WORKER

INT8 = {"forward_only": True, "quantize": "int8"}


@pytest.fixture(autouse=True)
def _litert(tmp_path_factory, monkeypatch):
    """The package is looked for, not imported; these tests run where it is not installed too."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / LITERT).mkdir()
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"forward_only": False}, "--quantize=int8 is of inference: add --forward_only, or leave it out."),
        ({"device": "gpu"}, "--quantize=int8 with --device=gpu: LiteRT computes on the CPU here. Give --device=cpu."),
        ({"num_gpus": 2}, "--quantize=int8 with --num_gpus=2: one interpreter has all threads."),
        ({"data_format": "NCHW"}, "--quantize=int8 with --data_format=NCHW: LiteRT's models are NHWC."),
        ({"precision": "bf16"}, "--quantize=int8 with --precision=bf16: what is converted is the float32 model."),
        ({"use_fp16": True}, "--quantize=int8 with --precision=fp16: what is converted is the float32 model."),
        ({"xla": True}, "--quantize=int8 and --xla: LiteRT computes the step, and XLA compiles nothing of it."),
        ({"tune_cpu": True}, "--quantize=int8 and --tune_cpu: the trials are of TensorFlow's settings"),
        ({"find_batch_size": "max"}, "--quantize=int8 and --find_batch_size: the trials are of TensorFlow's settings"),
        ({"measure_peak": True}, "--quantize=int8 and --measure_peak: the peak would be that of TensorFlow's kernels."),
        ({"tfprof_file": "a"}, "--quantize=int8 and --tfprof_file: LiteRT computes the step, and TensorFlow sees"),
        ({"graph_file": "a"}, "--quantize=int8 and --graph_file: LiteRT computes the step, and TensorFlow sees"),
        ({"log_device_placement": True}, "--quantize=int8 and --log_device_placement: LiteRT computes the step"),
        (WORKER, "--quantize=int8 with several processes: one process has the interpreter."),
        ({"num_calibration_images": 0}, "--num_calibration_images=0 must be at least 1."),
        ({"quantized_file": "/none/model.tflite"}, "--quantized_file=/none/model.tflite: there is no folder /none."),
    ],
)
def test_what_a_quantised_run_excludes(params, problem):
    assert validate(Params(**INT8)) == []
    (found,) = validate(Params(**INT8 | params))
    assert found.startswith(problem)
    assert found.endswith((".", "out."))


def test_the_choices_are_told_apart_from_the_words_before_them():
    (found,) = validate(Params(forward_only=True, quantize="int9"))
    assert found == "--quantize=int9 is none of: none, int8, int8_dynamic, fp16. Did you mean 'int8'?"


def test_evaluation_images_are_in_shards(data, tmp_path):
    assert validate(Params(**INT8, **data)) == []
    of_files = {"data_dir": str(tmp_path), "data_name": "imagenet", "input_method": "small_files"}
    (found,) = validate(Params(**INT8, **of_files))
    assert found.startswith("--quantize=int8 with --input_method=small_files: evaluation images are read from TFRecord")


def test_weights_are_read_where_a_training_has_left_some(data, tmp_path):
    trained = {"train_dir": str(tmp_path)}
    (found,) = validate(Params(**INT8, **data, **trained))
    assert found.startswith(f"--train_dir={tmp_path}: Checkpoint not found. Give the folder of a training")
    (tmp_path / "checkpoint").touch()
    assert validate(Params(**INT8, **data, **trained, repeats=3)) == []
    (found,) = validate(Params(forward_only=True, **data, **trained))
    assert found.startswith("--train_dir and --forward_only: nothing is trained that could be saved.")


def test_one_file_is_of_one_run(tmp_path):
    (found,) = validate(Params(**INT8, quantized_file=str(tmp_path / "model.tflite"), repeats=2))
    assert "--repeats=2: every run would write the same." in found


def test_a_missing_interpreter_is_named_with_the_package():
    assert without_litert(lambda _: None).startswith("--quantize needs the package ai-edge-litert, which is not inst")
    assert without_litert(lambda name: name) is None


def test_what_acts_with_quantisation_alone_is_warned_about():
    def warned(**options):
        return [notice.flag for notice in notices(Params(**options), options)]

    assert warned(num_calibration_images=5, quantized_file="a") == ["num_calibration_images", "quantized_file"]
    assert warned(forward_only=True, quantize="fp16", num_calibration_images=5) == ["num_calibration_images"]
    assert warned(**INT8, num_calibration_images=5, quantized_file="a") == []


def test_the_mode_says_so():
    assert mode(INT8) == "forward only, int8"
    assert mode(INT8 | {"quantize": "none"}) == "forward only"
