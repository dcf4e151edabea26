"""Records made up for reports: two GPUs, four models' worth of choices, repeats, and some that are not valid."""

import dataclasses
import random
from typing import Any

from results.breakdown import break_down
from results.cost import achieved
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


def telemetry(watts: float, gpus: int = 2) -> dict[str, Any]:
    """What was seen of GPUs and host in ten seconds: of the second GPU the power is not told at the end."""
    seconds = [float(second) for second in range(1, 11)]
    noise = random.Random(gpus)

    def seen(**means: float) -> dict[str, Any]:
        series = {name: [mean * noise.uniform(0.98, 1.02) for _ in seconds] for name, mean in means.items()}
        return {"samples": 10, "series": {"seconds": seconds} | series}

    found = {
        f"GPU {number}": seen(
            utilisation=0.9,
            power_watts=watts,
            memory_used_bytes=34e9,
            temperature_celsius=60,
            sm_clock_mhz=1900,
            memory_clock_mhz=2600,
        )
        for number in range(gpus)
    }
    found[f"GPU {gpus - 1}"]["series"]["power_watts"][-1] = None
    host = seen(cpu_utilisation=0.5, processors_of_process=3.2, resident_bytes=8e9)
    return {"interval_seconds": 1.0, "host": host, "gpus": found, "joules_per_image": gpus * watts / 4000}


def costs(run: RunRecord) -> dict[str, Any]:
    """The `cost` section of a run of ResNet-50, with peaks."""
    assert run.measurement is not None
    assert run.images_per_second is not None
    section = {"flops_an_image": 24e9, "peaks": {"matrix_product": {"flops_per_second": 240e12}}}
    return section | achieved(section, run.images_per_second, run.measurement.num_towers)


PARTS = break_down(
    {
        "real": [0.034, 0.034, 0.034],
        "synthetic": [0.032, 0.034, 0.036],
        "without_update": [0.0312, 0.0332, 0.0352],
        "gradients": [0.0262, 0.0282, 0.0302],
        "forward": [0.0101, 0.0102, 0.0103],
        "empty": [0.0002, 0.0002, 0.0002],
    },
    None,
    "too few steps",
)


def runs() -> list[RunRecord]:
    """Runs that fill every section: repeats, strategies, formats, scaling, topology, and two that are left out."""
    repeats = [
        dataclasses.replace(run, telemetry=telemetry(500 + 2 * minute), cost=costs(run))
        for minute, run in ((minute, gpu_run(minute, 4000 + 20 * minute)) for minute in range(3))
    ]
    repeats[0] = dataclasses.replace(repeats[0], step_breakdown=PARTS)
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
