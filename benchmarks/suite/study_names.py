"""The studies that a suite can run as cells."""

from __future__ import annotations


def study_names() -> list[str]:
    """The names that python -m benchmarks.studies knows."""
    from benchmarks.studies.claims.catalogue import names  # with pandas takes longer to import than all the rest

    return names()


def study_command(name: str, results_dir: str) -> list[str]:
    """What Python is started with for the study `name`."""
    return ["-m", "benchmarks.studies", name, f"--results_dir={results_dir}"]
