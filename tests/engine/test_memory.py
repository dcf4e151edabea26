"""How much memory there is, and how it is known that it ran out."""

import psutil
import pytest
import tensorflow as tf

from benchmarks import failures
from benchmarks.memory import available, peak_resident, resident
from benchmarks.params import Params

GIB = 2**30


def group(folder, **files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")
    return folder


def test_the_tightest_control_group_counts_and_what_is_cached_can_be_dropped(tmp_path):
    stat = "anon 5\ninactive_file 2048\nactive_file 7"
    inner = group(tmp_path / "v2" / "inner", memory__max=10_000, memory__current=6_000, memory__stat=stat)
    outer = group(tmp_path / "v2b", memory__max="max", memory__current=6_000, memory__stat=stat)
    old = group(
        tmp_path / "v1",
        **{"memory.limit_in_bytes": 9_000, "memory.usage_in_bytes": 8_000, "memory.stat": "total_inactive_file 100"},
    )
    assert available([inner, outer]) == 6_048
    assert available([inner, old]) == 1_100
    assert available([group(tmp_path / "full", memory__max=5, memory__current=9)]) == 0
    odd = group(tmp_path / "odd", memory__max=10_000, memory__current=6_000, memory__stat="inactive_file\nanon 1 2")
    assert available([odd, group(tmp_path / "long", memory__max="9" * 5000, memory__current=1)]) == 4_000


def test_without_a_limit_it_is_what_the_machine_has(tmp_path):
    (tmp_path / "none").mkdir()
    assert available([tmp_path / "none"]) == pytest.approx(psutil.virtual_memory().available, rel=0.5)
    assert 0 < available() <= psutil.virtual_memory().total


def test_what_a_process_holds():
    process = psutil.Process()
    assert 0.5 * resident(process) < peak_resident()
    kept = bytearray(200 * 2**20)
    assert resident(process) > len(kept)
    assert peak_resident() > len(kept)


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[1]"), True),
        (tf.errors.InternalError(None, None, "Failed to allocate: CUDA_ERROR_OUT_OF_MEMORY: out of memory"), True),
        (tf.errors.UnknownError(None, None, "CUDNN_STATUS_ALLOC_FAILED in ..."), True),
        (tf.errors.InternalError(None, None, "Blas GEMM launch failed"), False),
        (tf.errors.InvalidArgumentError(None, None, "out of memory, says a label"), False),
        (MemoryError(), True),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_of_memory_that_ran_out(error, ran_out):
    assert failures.out_of_memory(error) is ran_out
    told = failures.explain(error, Params(model="resnet50", batch_size=512))
    assert told.startswith("out of memory with --model=resnet50 --batch_size=512") is ran_out
