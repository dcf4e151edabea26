"""The names of the studies that python -m benchmarks.studies runs: the one place where a suite asks for them."""

from __future__ import annotations

import importlib
from typing import cast

from benchmarks.errors import UserError

_CATALOGUE = "benchmarks.studies.catalogue"


def study_names() -> list[str]:
    """All names. Raises UserError where this version has no such command."""
    try:
        catalogue = importlib.import_module(_CATALOGUE)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{_CATALOGUE}: there is no list of studies in this version; a suite cannot run them."
        ) from error
    return cast("list[str]", list(catalogue.names()))


def study_command(name: str, results_dir: str) -> list[str]:
    """What Python is started with for the study `name`."""
    return ["-m", "benchmarks.studies", name, f"--results_dir={results_dir}"]
