"""The studies that a suite can run as cells: their names, what starts one, how long it takes, how it says its end.

What knows them needs pandas, which takes longer to import than all the rest of a suite: who has none does not wait.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fresh_process import Ended
from benchmarks.machine.processors import usable_cores
from benchmarks.params import Params
from benchmarks.preflight import gpu_facts
from results import durations

if TYPE_CHECKING:
    from benchmarks.studies.claims.machine import Machine

_START_SECONDS = 10.0  # TensorFlow is asked for GPUs, in a process of its own


def study_names() -> list[str]:
    """The names that python -m benchmarks.studies knows."""
    from benchmarks.studies.claims.catalogue import names

    return names()


def study_command(name: str, options: Sequence[str], results_dir: str) -> list[str]:
    """What Python is started with for the study `name` with `options` of its own."""
    return ["-m", "benchmarks.studies", name, *options, f"--results_dir={results_dir}"]


def study_cases(name: str) -> list[str]:
    """The cases of the study `name` on this machine, those that it cannot run included."""
    from benchmarks.studies.claims.catalogue import CLAIMS

    machine = _machine()
    return [case.name for claim in CLAIMS if claim.name == name for case in claim.cases(machine)]


def study_seconds(name: str, options: Mapping[str, str]) -> float:
    """What the study `name` takes on this machine at most, by what it says of itself, with the `options` of a cell."""
    from benchmarks.studies.claims.schedule import seconds_of_claim

    budget = durations.seconds(options["budget"]) if "budget" in options else float("inf")
    return _START_SECONDS + min(_said(name, options, seconds_of_claim), budget)


def least_study_seconds(name: str, options: Mapping[str, str]) -> float:
    """The budget with which the study `name` measures something on this machine, by what it says of itself."""
    from benchmarks.studies.claims.schedule import least_seconds_of_claim

    return _said(name, options, least_seconds_of_claim)


def _said(name: str, options: Mapping[str, str], seconds: Callable[..., float]) -> float:
    """The `seconds` of the study `name`, with the `options` of a cell."""
    from benchmarks.studies.claims.catalogue import CLAIMS
    from benchmarks.studies.claims.claim import PAIRS

    patterns = options["cases"].split(",") if "cases" in options else ()
    pairs, machine = int(options.get("pairs", PAIRS)), _machine()
    return sum(seconds(claim, machine, pairs, patterns) for claim in CLAIMS if claim.name == name)


def _machine() -> Machine:
    """What is known of this machine without TensorFlow; of GPUs the driver is asked."""
    from benchmarks.studies.claims.machine import Machine

    gpus = gpu_facts.read(Params(device="gpu"), os.environ).visible or 0
    return Machine(cores=usable_cores() or 1, gpus=("",) * gpus, work=Path())


def last_words(ended: Ended) -> str:
    """What a study said of its end: its own messages, or else its last lines."""
    own = [line for line in ended.words.splitlines() if line.startswith("python -m benchmarks.studies: ")]
    return own[-1].split(": ", 1)[1] if own else ended.last_words
