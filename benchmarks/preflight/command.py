"""--preflight: the checks alone, for people and as JSON; and what of them comes before every run. No TensorFlow."""

from __future__ import annotations

import json
import os
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.console import Console
from benchmarks.errors import ExitCode, UserError
from benchmarks.params import Params
from benchmarks.preflight.checks import LEAVE_GPUS_OUT, findings
from benchmarks.preflight.facts import Facts, read
from benchmarks.preflight.finding import Finding, Severity, in_bytes
from benchmarks.preflight.gpu_facts import NOT_ASKED
from results.files import write_whole
from results.record import utc_now

_WIDTH = 100


def run(params: Params, console: Console) -> ExitCode:
    """Print what all checks find, and write it where `params` say; UNUSABLE where something stops the run."""
    facts = read(params, thorough=True)
    found = findings(facts)
    console.answer(f"{table(facts, found)}\n")
    if params.preflight_file:
        try:
            _save(Path(params.preflight_file).expanduser(), params, found)
        except OSError as error:
            console.notice(
                f"run_benchmark.py: error: --preflight_file={params.preflight_file}: cannot be written: "
                f"{error.strerror}. Give another file."
            )
            return ExitCode.UNUSABLE
    return ExitCode.UNUSABLE if any(each.severity is Severity.STOPS for each in found) else ExitCode.VALID


def before_run(
    params: Params, tell: Callable[[str], object], variables: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the record's section of what the quick checks find, and `tell` what warns, in a line each.

    A trial says nothing: the search that it belongs to is told all the same. Raises UserError where something stops
    the run, unless `params` say that it is to be tried all the same.
    """
    found = findings(read(params, variables=variables))
    fatal = [each for each in found if each.severity is Severity.STOPS]
    if fatal and not params.ignore_preflight:
        raise UserError("\n".join(f"{each} (--ignore_preflight runs all the same.)" for each in fatal))
    for each in found:
        if each.severity is not Severity.TELLS and not params.trial_number:
            tell(f"WARNING: {each}")
    return {"preflight": {"findings": [each.facts() for each in found]}}


def leaves_gpus_out(section: Mapping[str, Any]) -> bool:
    """Whether a record's `section` of findings has a reason for which TensorFlow leaves GPUs out."""
    return any(each["check"] in LEAVE_GPUS_OUT for each in section.get("findings", ()))


def table(facts: Facts, found: Sequence[Finding]) -> str:
    """Return the machine in a line and the findings, gravest first: what, why it matters, what to do."""
    lines = [*textwrap.wrap(_machine(facts), _WIDTH), ""]
    for each in found:
        lines += _entry(f"{each.severity.value:<7}", each.what)
        lines += [*_entry("  why:  ", each.why), *_entry("  do:   ", each.remedy), ""]
    counts = Counter(each.severity for each in found)
    told = [f"{severity.value} {counts[severity]}" for severity in Severity if counts[severity]]
    return "\n".join([*lines, f"Found: {', '.join(told) or 'nothing'}."])


def _entry(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        f"{text}.", _WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False
    )


def _machine(facts: Facts) -> str:
    cuda = facts.built.get("cuda_version")
    words = [f"TensorFlow {facts.version or 'is not installed'}" + (f" (CUDA {cuda})" if cuda else "")]
    words.append(f"{facts.host.usable_cores or 'an unknown number of'} processors")
    if facts.host.available_bytes is not None:
        words.append(f"{in_bytes(facts.host.available_bytes)} of memory free")
    if facts.gpus.nvml == NOT_ASKED:
        words.append("GPUs not looked at (--device=cpu)")
    elif facts.gpus.nvml != "ok":
        words.append(f"no GPU known ({facts.gpus.nvml})")
    else:
        count = Counter(gpu.name for gpu in facts.gpus.used)
        words += [f"{number} x {name}" for name, number in count.items()] or ["no GPU"]
        words.append(f"driver {facts.gpus.driver}")
    return ", ".join(words) + "."


def _save(path: Path, params: Params, found: Sequence[Finding]) -> None:
    document = {
        "written_at": utc_now(),
        "findings": [each.facts() for each in found],
        "environment": environment.environment(names=params.record_hostname),
        "hardware": environment.hardware(),
    }
    write_whole(path, (json.dumps(document, indent=1) + "\n").encode())
