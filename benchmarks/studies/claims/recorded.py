"""What the records of a way's runs tell beside their speed: medians over the runs, None where no record tells."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.studies.claims.claim import Measured
from results.record import RunRecord


def first_step_seconds(runs: Sequence[Measured]) -> float | None:
    """The very first step, which compiles what is compiled."""
    return _median(runs, lambda record: record.measurement.first_step_seconds if record.measurement else None)


def step_seconds(runs: Sequence[Measured]) -> float | None:
    """Seconds of a step, by the figure that the runs are compared by: images of a step / images a second."""
    told = [
        run.record.measurement.batch_size * run.record.measurement.num_towers / run.figure
        for run in runs
        if run.record and run.record.measurement
    ]
    return statistics.median(told) if told else None


def last_loss(runs: Sequence[Measured]) -> float | None:
    """The loss of the last step."""
    return _median(
        runs, lambda record: next(iter(reversed(record.measurement.losses)), None) if record.measurement else None
    )


def processors(runs: Sequence[Measured]) -> float | None:
    """Processors that a run's process kept busy, as telemetry saw it."""
    return _median(runs, lambda record: _mean(record.telemetry.get("host"), "processors_of_process"))


def gpu_utilisation(runs: Sequence[Measured]) -> float | None:
    """The share of time in which the GPUs computed something, mean over the GPUs."""

    def of(record: RunRecord) -> float | None:
        gpus = record.telemetry.get("gpus")
        means = [_mean(gpu, "utilisation") for gpu in gpus.values()] if isinstance(gpus, Mapping) else []
        known = [mean for mean in means if mean is not None]
        return statistics.fmean(known) if known else None

    return _median(runs, of)


def fact(runs: Sequence[Measured], name: str) -> float | None:
    """A number that the programs of a study told under this name."""
    told = [run.facts[name] for run in runs if isinstance(run.facts.get(name), int | float)]
    return statistics.median(told) if told else None


def _mean(told: Any, name: str) -> float | None:
    """The mean of a quantity that was looked at; None where it was not."""
    found = told.get("summary", {}).get(name, {}).get("mean") if isinstance(told, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def _median(runs: Sequence[Measured], of: Callable[[RunRecord], float | None]) -> float | None:
    told = [value for run in runs if run.record and (value := of(run.record)) is not None]
    return statistics.median(told) if told else None
