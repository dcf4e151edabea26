import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.machine.software import build, capabilities, loaded_libraries, packages


def test_the_file_of_the_build_says_what_tensorflow_says():
    import tensorflow

    told = dict(tensorflow.sysconfig.get_build_info())
    without = build(Path(tensorflow.__file__).parent)
    assert without == told
    assert build() == told | {"source": tensorflow.version.GIT_VERSION, "compiler": tensorflow.version.COMPILER_VERSION}


@pytest.mark.parametrize(
    "text", [None, "", "x = (", "build_info = {}", "build_info = dict([1])", "build_info = f(open('x'))"]
)
def test_a_build_that_is_not_told_is_empty(tmp_path, text):
    if text is not None:
        (tmp_path / "python/platform").mkdir(parents=True)
        (tmp_path / "python/platform/build_info.py").write_text(text)
    assert build(tmp_path) == {}
    assert capabilities({}) == capabilities({"cuda_compute_capabilities": "all"}) == []


def test_packages_are_those_that_matter_and_are_installed():
    found = packages()
    assert {"tensorflow", "numpy", "absl-py", "pandas", "keras", "psutil"} <= set(found)
    assert None not in {version for name, version in found.items() if name not in ("tensorflow", "pandas")}


LIBRARY = """
int cudaRuntimeGetVersion(int *version) { *version = 12050; return 0; }
unsigned long cudnnGetVersion(void) { return 90300; }
int ncclGetVersion(int *version) { *version = 22105; return 0; }
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler to build a library")
def test_libraries_that_are_loaded_tell_their_versions(tmp_path):
    (tmp_path / "libraries.c").write_text(LIBRARY)
    files = [tmp_path / f"lib{name}.so.9" for name in ("cudart", "cudnn", "nccl")]
    for file in files:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", file, tmp_path / "libraries.c"], check=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    maps = "".join(f"7f00-7f01 r-xp 00000000 08:01 123 {file}\n" for file in (*files, tmp_path / "libcudnn_ops.so.9"))
    (tmp_path / "proc/self/maps").write_text(maps)
    assert loaded_libraries(tmp_path) == loaded_libraries() == {"cuda": "12.5", "cudnn": "9.3.0", "nccl": "2.21.5"}


def test_a_process_without_them_tells_none(tmp_path):
    assert loaded_libraries(tmp_path) == {}
