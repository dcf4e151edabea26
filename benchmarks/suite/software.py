"""The software that a suite runs with: where it goes on with another, its figures are of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.environment import checkout, digest_of_changes
from benchmarks.machine.software import packages

_PROJECT = Path(__file__).resolve().parents[2]
_NAMES = {"tensorflow": "TensorFlow", "commit": "commit"}


def software() -> dict[str, str]:
    """Version of TensorFlow and commit of the project, with what stands for changes to it, as far as they are known."""
    git = checkout(_PROJECT)
    commit = git["commit"][:12] if git["commit"] else ""
    if commit and git["dirty"]:  # without the digest, two states of one commit would read alike
        commit += f" with changes {digest_of_changes(_PROJECT)}".rstrip()
    found = {"tensorflow": packages()["tensorflow"] or "", "commit": commit}
    return {name: value for name, value in found.items() if value}


def changes(entries: Sequence[Mapping[str, Any]], now: Mapping[str, str]) -> list[str]:
    """What of the software was another one in a journal's `entries`, a sentence each.

    Journals of version 1 do not tell: nothing is said then.
    """
    before = [entry["software"] for entry in entries if isinstance(entry.get("software"), dict)]
    found = []
    for name, value in now.items():
        others = dict.fromkeys(str(each[name]) for each in before if each.get(name, value) != value)
        if others:
            told = f"{_NAMES[name]} is {value} now, and was {', '.join(others)} before"
            found.append(f"{told}: figures of a cell may be of both. To have one, begin anew in another --results_dir.")
    return found
