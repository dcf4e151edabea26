"""What comes before TensorFlow is imported: warnings, the variables that it reads then, and the NUMA node."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from benchmarks import numa
from benchmarks.machine.processors import usable_cores
from benchmarks.params import Notice, Params, environment_variables, overrides
from benchmarks.params.shell_variables import surplus_threads, words_on
from benchmarks.tensorflow_lines import LEVEL

# What TensorFlow is to find where the environment does not say otherwise.
UNLESS_SET = {
    LEVEL: "2",  # its own log lines would follow the last line of the output
    # Its import brings Keras, which nothing here uses: a second and 100 MB of each process. Told so, it looks for the
    # package tf_keras instead, and does without where that is not installed. TensorFlow 2.14 does not know the word.
    "TF_USE_LEGACY_KERAS": "1",
}


def prepare(params: Params, notices: Sequence[Notice], tell: Callable[[str], object]) -> None:
    """Do what `params` ask for before TensorFlow is there, and `tell` of it and of `notices` what is worth a word."""
    for notice in notices:
        tell(f"WARNING: {notice}")
    _bind(params, tell)
    for words in words_on(os.environ, params):
        tell(f"NOTE: {words}")
    for words in surplus_threads(params, usable_cores() or 1):
        tell(f"NOTE: {words}")
    variables = environment_variables(params)
    for override in overrides(variables, os.environ):
        tell(f"WARNING: {override}")
    unless_set = {name: value for name, value in UNLESS_SET.items() if not (params.debug and name == LEVEL)}
    os.environ.update(unless_set | dict(os.environ) | variables)


def variables_of_run(params: Params, environment: Mapping[str, str]) -> list[str]:
    """Which of the variables of `environment` have their values from the run itself, in place of the shell's."""
    own = UNLESS_SET | environment_variables(params)
    return sorted(name for name, value in own.items() if environment.get(name) == value)


def _bind(params: Params, tell: Callable[[str], object]) -> None:
    node = numa.node_of(params, os.environ, numa.usable(numa.nodes()))
    if node is not None:
        tell(f"NOTE: {numa.bind(node)}")
