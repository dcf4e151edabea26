"""The words that a suite's file may have, and what is said of those that it may not."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.params import options
from benchmarks.params.option import closest

FAILURES = ("crash", "out_of_memory", "hang", "invalid")  # what a retry may help against
RETRIES = tuple(f"retries.{failure}" for failure in FAILURES)
WORDS_OF_A_CELL = ("repeats", "time_limit", "on_out_of_memory", *RETRIES)
ALL = "all"  # in place of a study's name: every one
STUDY_OPTIONS = ("budget", "pairs", "cases")  # of python -m benchmarks.studies
WORDS = ("name", "description", "grid", "cells", "exclude", "overrides", "studies", "devices_missing", "retries")
OF_A_STUDY = "is an option of studies, which stands beside one, as in {study: xla, pairs: 3}"
_ON_THE_COMMAND_LINE = "is given on the command line, as in python -m benchmarks.suite SUITE.yaml"
_ELSEWHERE = {  # words that have a meaning, but not where they stand
    "study": "stands in cells, studies, exclude and where, as in cells: [{study: xla}]",
    "pairs": OF_A_STUDY,
    "cases": OF_A_STUDY,
    "budget": f"{_ON_THE_COMMAND_LINE} --budget=30m; or {OF_A_STUDY.removeprefix('is ')}",
    "seed": f"{_ON_THE_COMMAND_LINE} --seed=N",
    "max_cells": f"{_ON_THE_COMMAND_LINE} --max_cells=N",
    "shard": f"{_ON_THE_COMMAND_LINE} --shard=I/N",
}
_WRITES_OVER = "each run would write over the file of the one before"
_NOT_OF_A_RUN = {
    "results_dir": "all runs of a suite leave their records in one folder. Give it on the command line",
    "find_batch_size": "a cell is one run and no search. Leave it out",
    "tune_cpu": "a cell is one run and no search. Leave it out",
    "preflight": "a cell is a run; each looks before it runs in any case. Leave it out",
    **dict.fromkeys(
        ("repeat_number", "repeat_set", "suite_run", "trial_number", "trial_set", "advised"),
        "other commands give it to the runs that they start. Leave it out",
    ),
    **dict.fromkeys(
        ("trace_file", "tfprof_file", "graph_file", "benchmark_log_dir", "preflight_file", "quantized_file"),
        _WRITES_OVER,
    ),
}


def known(name: str, where: str, words: Iterable[str], problems: list[str], value: str | None = None) -> bool:
    """Whether `name`, which is set to `value`, is a flag of a cell or one of `words`; else `problems` says why not."""
    allowed = [*words, *(option for option in options() if option not in _NOT_OF_A_RUN)]
    if name in allowed:
        return True
    if name in _NOT_OF_A_RUN:
        problems.append(f"{where}: {name}: {_NOT_OF_A_RUN[name]}.")
        return False
    if name in _ELSEWHERE:
        problems.append(f"{where}: {name} {_ELSEWHERE[name]}.")
        return False
    bare = name.lstrip("-")
    match = bare if bare in allowed else closest(bare, allowed)
    meant = f" Did you mean {match}?" if match else " See python run_benchmark.py --help."
    given = name if value is None else f"{name}={value}"
    problems.append(f"{where}: {given}: unknown flag, and no word of a suite.{meant}")
    return False
