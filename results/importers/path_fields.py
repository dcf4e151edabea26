"""Settings that only the path of a log tells, taken from there if the user says how."""

import re
from pathlib import Path
from typing import Any

from results.importers.run import Run
from results.importers.source import LogError


def take(pattern: re.Pattern[str], path: Path, run: Run) -> None:
    """Add the named groups of `pattern`, searched in `path`, to the run's settings, and say so in its provenance.

    Raise LogError where the pattern is not found, or says otherwise than the log.
    """
    match = pattern.search(str(path))
    if match is None:
        raise LogError("--fields_from_path does not match its path")
    found = {name: _value(text) for name, text in match.groupdict().items() if text is not None}
    known: dict[str, Any] = run.configuration | {"num_gpus": run.num_towers} if run.num_towers else run.configuration
    for name, value in found.items():
        if known.get(name, value) != value:
            raise LogError(f"--fields_from_path gives {name}={value}, but the log says {known[name]}")
    run.configuration = run.configuration | found
    run.provenance["fields_from_path"] = sorted(found)


def _value(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else text
