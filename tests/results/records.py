"""Records made up for tests."""

from typing import Any

from results.record import Measurement, RunRecord


def measurement(**changes: Any) -> Measurement:
    """Ten steps of 0.1 s with 64 images each, in a window of 1.28 s: 500 images/s."""
    facts: dict[str, Any] = {
        "batch_size": 32,
        "num_towers": 2,
        "warmup_step_seconds": (5.0, 0.125),
        "step_seconds": (0.125,) * 10,
        "warmup_losses": (2.5, 2.25),
        "losses": (2.0,) * 10,
        "window_seconds": 1.28,
        "first_step_seconds": 5.0,
        "time_to_first_step_seconds": 9.5,
    }
    return Measurement(**(facts | changes))


def record(minute: int = 0, settings: dict[str, Any] | None = None, **changes: Any) -> RunRecord:
    """A good record that started at noon plus `minute`; `settings` change the resolved flags."""
    flags = {
        "model": "resnet20",
        "device": "cpu",
        "num_gpus": 2,
        "batch_size": 32,
        "variable_update": "replicated",
        "data_format": "NHWC",
        "precision": "fp32",
        "xla": False,
        "optimizer": "momentum",
    } | (settings or {})
    facts: dict[str, Any] = {
        "status": "completed",
        "started_at": f"2026-01-31T12:{minute:02}:00.000000+00:00",
        "finished_at": f"2026-01-31T12:{minute:02}:30.000000+00:00",
        "command_line": ("run_benchmark.py", f"--model={flags['model']}"),
        "params": flags | {"results_dir": "runs"},
        "given": ("model",),
        "configuration": flags,
        "hardware": {"cpu": {"model": "Testium 9000"}, "gpus": []},
        "environment": {"packages": {"tensorflow": "2.21.0"}},
        "dataset": {"name": "cifar10", "synthetic": False, "sample": True},
        "model": {"name": flags["model"], "parameters": 269_722},
        "measurement": measurement(),
    }
    return RunRecord(**(facts | changes))
