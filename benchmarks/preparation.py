"""What comes before TensorFlow is imported: warnings, and the environment variables that it reads then."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from benchmarks.params import Notice, Params, environment_variables, overrides

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # TensorFlow's own log lines would follow the last line of the output


def prepare(params: Params, notices: Sequence[Notice], tell: Callable[[str], object]) -> None:
    """Set the environment variables that `params` ask for, and `tell` of them and of `notices` what is worth a word."""
    for notice in notices:
        tell(f"WARNING: {notice}")
    variables = environment_variables(params)
    for override in overrides(variables, os.environ):
        tell(f"WARNING: {override}")
    os.environ.update(QUIET | dict(os.environ) | variables)
