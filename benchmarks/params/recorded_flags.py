"""--rerun=RECORD.json on a command line: the flags that a record was given, in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.discretion import with_this_host
from benchmarks.params.advised import FLAGS as ADVISED
from benchmarks.params.option import closest
from benchmarks.params.params import Params, options
from results import store
from results.record import RecordError, RunRecord
from results.schema import section

FLAG = "rerun"
_ANOTHER = "Give a record that run_benchmark.py wrote into its --results_dir, one JSON file."
_LENGTH = re.compile("--?num_(batches|epochs)(=|$)")  # the two flags exclude one another


def with_recorded_flags(arguments: Sequence[str], problems: list[str]) -> tuple[list[str], RunRecord | None]:
    """Return `arguments` with the flags of the record before them that --rerun names, so that they override those.

    The record is None where no argument names one, or it cannot be used: `problems` then has the reason.
    """
    rest, files = _parted(arguments)
    if not files:
        return rest, None
    if len(files) > 1:
        problems.append(f"--{FLAG} stands {len(files)} times. One run can repeat one record: give it once.")
        return rest, None
    path = Path(files[0]).expanduser()
    try:
        record = store.read(path)
        flags = recorded_flags(record)
    except RecordError as error:
        where = "" if error.file else f"{files[0]}: "
        problems.append(f"--{FLAG} cannot be used: {where}{error}. {store.similar(path) or _ANOTHER}")
        return rest, None
    if any(map(_LENGTH.match, rest)):
        flags = {name: value for name, value in flags.items() if not _LENGTH.match(f"--{name}=")}
    return [*(written(name, value) for name, value in flags.items()), *rest], record


def recorded_flags(record: RunRecord) -> dict[str, Any]:
    """Return the flags that make the run of `record` again, and their values.

    They are those that were given, or that auto has set, and say what is measured and until when, as they were
    resolved; where a run writes to, and what it prints, is not taken from a record. Raise RecordError where it has
    none, or has flags that do not exist here.
    """
    if record.provenance:
        tool = record.provenance.get("tool", "another tool")
        raise RecordError(f"it was imported from {tool}, and has no flags of this benchmark to run again")
    if not record.params:
        raise RecordError("it is no run of run_benchmark.py, and has no flags to run again")
    unknown = [name for name in record.given if name not in options()]
    if unknown:
        named = ", ".join(f"--{name}{_meant(name)}" for name in unknown)
        git = record.environment.get("git")
        commit = git.get("commit") if isinstance(git, dict) else "not known"
        raise RecordError(f"this version does not know its flags {named}; the record is of commit {commit}")
    flags = {}
    advised = {name: section(record.advice, name).get("value") for name in ADVISED if name in record.advice}
    for name in dict.fromkeys((*record.given, *advised)):
        if name in advised and advised[name] is None:
            continue  # it was as if it had not been given
        value = record.params.get(name)
        if name == "num_epochs" and record.params.get("num_batches"):
            name, value = "num_batches", record.params["num_batches"]  # exact, where epochs may be rounded
        declared = options()[name]
        if (declared.run_only and not declared.rerun) or value is None or (declared.hosts and _is_left_out(value)):
            continue
        if not isinstance(value, str | int | float):
            raise RecordError(f"the value of --{name} is no text, number or truth value", f"params.{name}")
        flags[name] = with_this_host(value) if isinstance(value, str) else value
    return flags


def _is_left_out(value: Any) -> bool:
    """Return whether a host stands in the record under another name only: it has to be given again."""
    return bool(re.match(r"host-\d+(:|$)", str(value)))


def overridden(record: RunRecord, params: Params) -> list[str]:
    """Return what the command line says in place of the record's flags, a sentence each."""
    recorded = recorded_flags(record)
    lengths = [name for name in recorded if _LENGTH.match(f"--{name}=")]
    replaced = [name for name, value in recorded.items() if name not in lengths and getattr(params, name) != value]
    told = [f"--{name}={getattr(params, name)} replaces {recorded[name]}, which the record has." for name in replaced]
    for name in lengths:
        length = params.num_batches if params.num_epochs is None else f"{params.num_epochs} epochs"
        if length != recorded[name]:
            told.append(f"The length of the run, {length}, replaces --{name}={recorded[name]}, which the record has.")
    return told


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments that are not --rerun, and the values of those that are."""
    rest: list[str] = []
    files: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            return [*rest, argument, *remaining], files
        if re.fullmatch(f"--?{FLAG}", argument):
            files.append(next(remaining, ""))
        elif match := re.match(f"--?{FLAG}=", argument):
            files.append(argument[match.end() :])
        else:
            rest.append(argument)
    return rest, files


def written(name: str, value: Any) -> str:
    """Return the flag `name` with its value as a command line has it."""
    return f"--{name}={str(value).lower() if isinstance(value, bool) else value}"


def _meant(name: str) -> str:
    match = closest(name, options())
    return f" (is it --{match} now?)" if match else ""
