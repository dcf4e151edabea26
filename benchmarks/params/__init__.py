"""The options of a run: declared once, parsed, checked together, resolved into what is really run.

Imports no TensorFlow and no NumPy: help and errors must not wait for them.
"""

from benchmarks.params import (  # noqa: F401  importing them registers their rules
    checkpoint_rules,
    cluster_rules,
    device_rules,
    experiment_rules,
    horovod_rules,
    input_rules,
    loop_rules,
    mode_rules,
    one_process_rules,
    placement_rules,
    preflight_rules,
    quantization_rules,
    rate_rules,
    reduce_rules,
    search_rules,
    suite_rules,
    trace_rules,
)
from benchmarks.params.command_line import CommandLine, CommandLineError, parse
from benchmarks.params.environment_variables import Override, environment_variables, overrides
from benchmarks.params.notices import Notice, notices
from benchmarks.params.params import Params, ResolvedParams, configuration, options
from benchmarks.params.resolve import resolve
from benchmarks.params.rules import validate

__all__ = [
    "CommandLine",
    "CommandLineError",
    "Notice",
    "Override",
    "Params",
    "ResolvedParams",
    "configuration",
    "environment_variables",
    "notices",
    "options",
    "overrides",
    "parse",
    "resolve",
    "validate",
]
