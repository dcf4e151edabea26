"""Which GPUs CUDA shows a process, as its environment says."""

from typing import NamedTuple

import pytest

from benchmarks.telemetry.cuda_order import shown


class Gpu(NamedTuple):
    index: int
    name: str | None
    uuid: str | None
    mig_parts: int = 0


SPLIT, WHOLE = Gpu(0, "H200", "GPU-a", 2), Gpu(1, "H200", "GPU-b")


@pytest.mark.parametrize(
    ("visible", "numbers", "no_gpu"),
    [
        ("GPU-b", [1], ""),
        ("GPU-b,GPU-a", [0], ""),
        ("GPU-b,GPU-a,-1", [0], ""),
        ("GPU-b,GPU-a,junk", [0], "junk"),
        ("GPU-b,junk,GPU-a", [1], "junk"),
        ("", [], ""),
    ],
)
def test_beside_a_part_no_whole_gpu_is_shown_whatever_else_stands_in_the_list(visible, numbers, no_gpu):
    found = shown([SPLIT, WHOLE], {"CUDA_VISIBLE_DEVICES": visible})
    assert found is not None
    assert ([gpu.index for gpu in found.gpus], found.no_gpu) == (numbers, no_gpu)
