"""What a suite will do: its cells, checked, or every problem of its file and of --set at once."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.params import CommandLine, Params
from benchmarks.params.option import closest
from benchmarks.preflight import gpu_facts
from benchmarks.suite import yaml_lines
from benchmarks.suite.cells import Cell, plan_id
from benchmarks.suite.check import checked
from benchmarks.suite.description import Description, described
from benchmarks.suite.expansion import SET, Expanded, expanded, set_axes

SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True)
class Plan:
    """A suite that can run. `missing` are the ids of the cells that need more GPUs than there are here.

    `notices` are what to know of it, a sentence each.
    """

    name: str
    cells: list[Cell]
    notices: list[str]
    missing: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """What stands for all that it does."""
        return plan_id(self.cells)


def shipped() -> dict[str, str]:
    """The suites that come with the benchmark, and what each is for."""
    found = {}
    for path in sorted(SHIPPED.glob("*.yaml")):
        root = yaml_lines.read(path, [])
        entries = {str(key.text): value for key, value in root} if isinstance(root, yaml_lines.Mapping) else {}
        about = entries.get("description")
        found[path.stem] = str(about.text) if isinstance(about, yaml_lines.Text) else ""
    return found


def read_plan(suite: str | None, sets: Sequence[str], max_cells: int) -> Plan:
    """The plan of `suite`, a file or the name of a shipped one, with what --set says. Raises UserError.

    Without a suite, --set alone makes one.
    """
    problems: list[str] = []
    axes = set_axes(sets, problems)
    if suite is None:
        found = Description("sweep", SET)
    else:
        path = _path(suite)
        found = described(yaml_lines.read(path, problems), path.stem, problems)
    cells = expanded(found, axes, max_cells, problems)
    if cells is None:
        raise UserError("\n".join(problems))
    ready = checked(cells.cells, problems)
    if not cells.cells and not problems:
        problems.append(f"{found.where}: the suite has no cell. Give flags, a grid or cells.")
    if problems:
        raise UserError("\n".join(sorted(dict.fromkeys(problems), key=_line)))
    return _on_this_machine(found, cells, ready.cells, ready.commands, ready.notices)


def _line(problem: str) -> int:
    """The line that a problem is about, to tell them in the order of the file."""
    found = re.match(r"[^:]*:(\d+): ", problem)
    return int(found[1]) if found else 0


def _path(suite: str) -> Path:
    """The file of a suite. Raises UserError where there is none."""
    path = Path(suite).expanduser()
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path
    known = sorted(each.stem for each in SHIPPED.glob("*.yaml"))
    if suite in known:
        return SHIPPED / f"{suite}.yaml"
    match = closest(suite, known)
    meant = f" Did you mean {match}?" if match else ""
    raise UserError(f"{suite} is no file, and no suite that is shipped: {', '.join(known)}.{meant}")


def _on_this_machine(
    found: Description, made: Expanded, cells: list[Cell], commands: list[CommandLine | None], told: list[str]
) -> Plan:
    """The plan, with those cells marked that need more GPUs than there are here, if the suite says to skip them."""
    notices = [*made.notices, *told]
    if not found.skips_missing_devices:
        return Plan(found.name, cells, notices)
    gpus = gpu_facts.read(Params(device="gpu"), os.environ)
    if gpus.visible is None:
        return Plan(found.name, cells, [*notices, f"This machine's GPUs are not known: {gpus.nvml}."])
    missing = frozenset(
        cell.id for cell, command in zip(cells, commands, strict=True) if not _fits(command, gpus.visible)
    )
    if missing:
        left = f"{len(missing)} of {len(cells)} cells need more GPUs than this machine has ({gpus.visible})"
        notices.append(f"{left}, and are left out (devices_missing: skip).")
    if len(missing) == len(cells):
        raise UserError(f"{found.where}: {notices[-1]} Nothing is left: {SET} device=cpu runs it on the processor.")
    return Plan(found.name, cells, notices, missing)


def _fits(command: CommandLine | None, gpus: int) -> bool:
    """Whether the run finds its GPUs; on a machine without any, auto takes the processor."""
    if command is None or command.params.device == "cpu" or (command.params.device == "auto" and not gpus):
        return True
    return command.params.num_gpus <= gpus
