"""Which data set a run is about."""

from __future__ import annotations

from typing import Any

from benchmarks.inputs.datasets import DATASETS

DEFAULT_DATA_NAME = "imagenet"


def data_name(params: Any) -> str | None:
    """The data set of a run: the one given, else the one that stands last in the path of the data, else imagenet.

    None where there is a path and no data set in it.
    """
    if params.data_name or not params.data_dir:
        return str(params.data_name or DEFAULT_DATA_NAME)
    path = params.data_dir.lower()
    name = max(DATASETS, key=path.rfind)
    return name if name in path else None
