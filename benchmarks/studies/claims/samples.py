"""The generated samples of the data sets, which the ways that read images share: made when the first of them runs."""

from __future__ import annotations

import dataclasses

from benchmarks.studies.claims.claim import Preparation, Way
from benchmarks.studies.claims.machine import Machine

_SECONDS = {"cifar10": 5.0, "imagenet": 15.0}  # to make a sample


def reading(way: Way, machine: Machine, name: str, folder: str = "") -> Way:
    """`way` on the sample of the data set `name`, in the folder that is removed at the end; or on `folder` of it."""
    sample = machine.work / name
    return dataclasses.replace(
        way,
        flags=(*way.flags, f"--data_name={name}", f"--data_dir={sample / folder}"),
        prepared_by=Preparation(
            ("-m", f"benchmarks.inputs.{name}", f"--data_dir={sample}", "--sample"), seconds=_SECONDS[name]
        ),
    )
