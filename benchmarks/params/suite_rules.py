"""What a run of a suite is told of its place in it, and what a run of a suite must not be."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.params.params import Params
from benchmarks.params.rules import rule

PLACE = ("suite", "plan", "set", "cell", "repeat", "attempt")  # what is always told; a halved batch is told too


def place(params: Params) -> dict[str, Any]:
    """Which run of which suite this is; empty where it is of none. Raises ValueError where --suite_run tells it not."""
    if not params.suite_run:
        return {}
    told = json.loads(params.suite_run)
    if not isinstance(told, dict) or not set(PLACE) <= told.keys():
        raise ValueError(f"it lacks one of {', '.join(PLACE)}")
    return told


@rule("suite_run", "repeats", "trial_set")
def run_of_a_suite(params: Params) -> str | None:
    """A run of a suite has a place in it, and is one run."""
    try:
        told = place(params)
    except ValueError as problem:
        return f"--suite_run={params.suite_run}: {problem}. python -m benchmarks.suite gives it: leave it out."
    if told and params.repeats > 1:
        return f"--suite_run and --repeats={params.repeats}: the suite repeats its runs itself. Leave one of them out."
    if told and params.trial_set:
        return "--suite_run and --trial_set: a run is of a suite or of a search. Leave one of them out."
    return None
