"""Records made up for reports: two GPUs, four models' worth of choices, repeats, and some that are not valid."""

import random
from typing import Any

from results.record import RunRecord
from tests.results.records import measurement, record

GPU = "NVIDIA H100 80GB HBM3"
TOPOLOGY = {"gpus": ["GPU 0", "GPU 1"], "links": [["X", "NV18"], ["NV18", "X"]]}


def gpu_run(minute: int, speed: float, gpu: str = GPU, devices: int = 2, **changes: Any) -> RunRecord:
    """A valid run of ResNet-50 at `speed` images/s on `devices` GPUs; `changes` are flags."""
    flags = {
        "model": "resnet50",
        "device": "gpu",
        "num_gpus": devices,
        "batch_size": 64,
        "data_format": "NCHW",
    } | changes
    steps = 40
    seconds = 64 * devices / speed
    noise = random.Random(minute)
    times = [seconds * noise.uniform(0.97, 1.03) for _ in range(steps)]
    measured = measurement(
        batch_size=64,
        num_towers=devices,
        step_seconds=times,
        losses=[7 - 0.05 * step + noise.uniform(-0.1, 0.1) for step in range(steps)],
        window_seconds=seconds * steps,
    )
    return record(
        minute,
        flags,
        measurement=measured,
        hardware={"gpus": [{"name": gpu}] * devices, "topology": TOPOLOGY}
        if devices == 2
        else {"gpus": [{"name": gpu}]},
        dataset={"name": "imagenet", "synthetic": True},
    )


def runs() -> list[RunRecord]:
    """Runs that fill every section: repeats, strategies, formats, scaling, topology, and two that are left out."""
    repeats = [gpu_run(minute, 4000 + 20 * minute) for minute in range(3)]
    others = [
        gpu_run(10, 2100, devices=1),
        gpu_run(11, 3500, variable_update="parameter_server"),
        gpu_run(12, 3000, data_format="NHWC"),
        gpu_run(13, 400, gpu="Tesla P100-SXM2-16GB"),
        gpu_run(14, 800, gpu="Tesla P100-SXM2-16GB", devices=4),
    ]
    failed = record(20, status="failed", message="out of memory", measurement=None)
    invalid = record(21, {"model": "vgg16"}, problems=("the loss is NaN from step 12 on",), measurement=measurement())
    return [*repeats, *others, failed, invalid]
