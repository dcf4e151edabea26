import pytest

from benchmarks.params import Params, environment_variables, overrides


def test_defaults_on_a_gpu():
    assert environment_variables(Params(device="gpu")) == {
        "TF_GPU_THREAD_MODE": "gpu_private",
        "TF_GPU_THREAD_COUNT": "2",
        "TF_SYNC_ON_FINISH": "0",
        "TF_ENABLE_WINOGRAD_NONFUSED": "1",
        "TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT": "1",
    }


def test_defaults_on_the_cpu():
    assert environment_variables(Params(device="cpu")) == {}


@pytest.mark.parametrize(
    ("params", "variable", "value"),
    [
        (Params(gpu_thread_mode="gpu_shared", num_gpus=4), "TF_GPU_THREAD_COUNT", "8"),
        (Params(per_gpu_thread_count=3), "TF_GPU_THREAD_COUNT", "3"),
        (Params(gpu_thread_mode="global"), "TF_GPU_THREAD_COUNT", None),
        (Params(sync_on_finish=True), "TF_SYNC_ON_FINISH", "1"),
        (Params(winograd_nonfused=False), "TF_ENABLE_WINOGRAD_NONFUSED", "0"),
        (Params(batchnorm_persistent=False), "TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT", "0"),
        (Params(allow_growth=True), "TF_FORCE_GPU_ALLOW_GROWTH", "true"),
        (Params(allow_growth=False), "TF_FORCE_GPU_ALLOW_GROWTH", "false"),
        (Params(use_unified_memory=True), "TF_FORCE_UNIFIED_MEMORY", "1"),
        (Params(autotune_threshold=3), "TF_AUTOTUNE_THRESHOLD", "3"),
        (Params(gpu_allocator="cuda_malloc_async"), "TF_GPU_ALLOCATOR", "cuda_malloc_async"),
        (Params(device="cpu", gpu_allocator="cuda_malloc_async"), "TF_GPU_ALLOCATOR", None),
        (Params(kmp_blocktime=7), "KMP_BLOCKTIME", None),
        (Params(kmp_blocktime=7, mkl=False), "KMP_BLOCKTIME", None),
        (Params(), "TF_ENABLE_ONEDNN_OPTS", None),
        (Params(mkl=False), "TF_ENABLE_ONEDNN_OPTS", "0"),
        (Params(onednn_verbose=True), "ONEDNN_VERBOSE", "1"),
    ],
)
def test_variable(params, variable, value):
    assert environment_variables(params).get(variable) == value


def test_mkl():
    assert environment_variables(Params(device="cpu", mkl=True, num_intra_threads=4, kmp_blocktime=7)) == {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "KMP_BLOCKTIME": "7",
        "KMP_AFFINITY": "granularity=fine,verbose,compact,1,0",
        "KMP_SETTINGS": "1",
        "OMP_NUM_THREADS": "4",
    }


def test_overrides_name_what_is_replaced():
    variables = {"KMP_BLOCKTIME": "0", "KMP_SETTINGS": "1", "OMP_NUM_THREADS": "4"}
    [override] = overrides(variables, {"KMP_BLOCKTIME": "30", "KMP_SETTINGS": "1", "HOME": "/home/someone"})
    assert str(override) == "KMP_BLOCKTIME=30 in the environment is replaced by 0, which the flags ask for."
