"""What of the settings is in effect, asked of the TensorFlow that is installed."""

import os

import pytest
import tensorflow as tf

from benchmarks.in_effect import ignored, in_effect, words_on
from benchmarks.instruction_sets import read

LOG = """\
2026-11-28 09:20:47: I tensorflow/core/platform/cpu_feature_guard.cc:182] This TensorFlow binary is optimized to use \
available CPU instructions in performance-critical operations.
To enable the following instructions: AVX2 AVX512F FMA, in other operations, rebuild TensorFlow with the appropriate \
compiler flags.
"""


def test_the_installed_tensorflow_tells():
    found = in_effect("cpu", own=(), environment={"KMP_BLOCKTIME": "0", "TF_NUM_INTEROP_THREADS": "3"})
    assert found["onednn"] is (os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") == "1")
    assert found["openmp"] is False  # wheels for the CPU and for CUDA have none
    assert found["ignored_variables"] == {"KMP_BLOCKTIME": "this TensorFlow has no OpenMP"}
    assert found["intra_threads"] == {"threads": len(os.sched_getaffinity(0)), "by": "TensorFlow"}
    assert found["inter_threads"] == {"threads": 3, "by": "TF_NUM_INTEROP_THREADS"}
    assert found["malloc"] == "the C library's"
    unused = found["instruction_sets"]["unused"]
    if unused is not None:  # TensorFlow compares on x86 alone
        assert "AVX" not in unused, "the wheels are built for it"
        assert all(name.isupper() for name in unused)
    assert tf.config.threading.get_intra_op_parallelism_threads() == 0, "asking sets nothing"


@pytest.mark.parametrize(
    ("log", "names"),
    [
        (LOG, ("AVX2", "AVX512F", "FMA")),
        ("I cpu_feature_guard.cc] ... in performance-critical operations.\n", ()),
        ("AttributeError: undefined symbol: _ZN10tensorflow\n", None),
        ("", None),
    ],
)
def test_what_tensorflow_says_of_instruction_sets(log, names):
    found = read(log)
    assert found.names == names
    assert bool(found.reason) is (names is None)


def test_what_the_run_sets_for_gpus_before_it_knows_of_them_is_not_held_against_it():
    environment = {"TF_GPU_THREAD_MODE": "gpu_private", "TF_GPU_ALLOCATOR": "cuda_malloc_async", "OMP_NUM_THREADS": "2"}
    found = ignored(environment, {"TF_GPU_THREAD_MODE"}, kind="cpu", openmp=True)
    assert found == {"TF_GPU_ALLOCATOR": "no tower is on a GPU"}
    assert ignored(environment, (), kind="gpu", openmp=None) == {}


def test_a_library_that_is_not_there_is_not_loaded_before_others(tmp_path):
    (tmp_path / "there.so").touch()
    environment = {"LD_PRELOAD": f"{tmp_path}/there.so:/nope.so libm.so.6"}
    assert ignored(environment, (), kind="cpu", openmp=None) == {"LD_PRELOAD": "there is no /nope.so"}
    assert ignored({"LD_PRELOAD": f"{tmp_path}/there.so"}, (), kind="cpu", openmp=None) == {}


def test_words():
    facts = {
        "onednn": True,
        "ignored_variables": {"KMP_AFFINITY": "no OpenMP", "KMP_SETTINGS": "no OpenMP"},
        "instruction_sets": {"unused": ("AVX2", "FMA")},
    }
    wrong, ignored_ones, unused = words_on(facts, mkl=False, kind="cpu")
    assert wrong == "WARNING: --nomkl: oneDNN is on: this TensorFlow does not heed it."
    assert ignored_ones == "WARNING: KMP_AFFINITY, KMP_SETTINGS: no effect: no OpenMP."
    assert unused.startswith("NOTE: this TensorFlow was not built for AVX2, FMA, which the processor has.")
    assert len(list(words_on(facts, mkl=True, kind="gpu"))) == 1
    assert list(words_on(facts | {"ignored_variables": {}}, mkl=None, kind="cpu")) == []
    _, ours = words_on(facts, mkl=True, kind="gpu", own={"KMP_SETTINGS"})
    assert ours == "NOTE: KMP_SETTINGS, which --mkl sets: no effect: no OpenMP."
