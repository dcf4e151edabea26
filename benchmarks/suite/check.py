"""From the settings of cells to cells, or to all that is wrong with them at once, each with its line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from benchmarks.errors import UserError
from benchmarks.params import CommandLine, CommandLineError, notices, parse
from benchmarks.params.option import closest
from benchmarks.params.resolve import images_per_tower
from benchmarks.studies.claims.claim import PAIRS, asked, quoted
from benchmarks.suite.cells import Cell, names, unpassable
from benchmarks.suite.description import Placed, Setting, Settings
from benchmarks.suite.study_names import least_study_seconds, study_cases, study_names
from benchmarks.suite.words import FAILURES, STUDY_OPTIONS, WORDS_OF_A_CELL
from results import durations

_LIMIT_SECONDS, _LIMIT_OF_A_STUDY = 3600.0, 6 * 3600.0
_MOST_REPEATS = _MOST_RETRIES = 1000  # of a cell: with more a slip of the finger would run for ever
_RETRIES = {"crash": 1, "out_of_memory": 0, "hang": 1, "invalid": 0}
_ON_OUT_OF_MEMORY = ("fail", "halve_batch")
_TRAIN_DIR = "each run would go on with the training of the one before. Leave it out"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Checked:
    """The cells, with the command line that each was read as (None: a study), and what of it does not act."""

    cells: list[Cell]
    commands: list[CommandLine | None]
    notices: list[str]


def checked(placed: Sequence[Placed], problems: list[str]) -> Checked:
    """Check all cells; to `problems` is added what is wrong with them, each once."""
    found = [_checked(each) for each in placed]
    counts = Counter(problem for one in found for problem in one.problems)
    problems += [f"{problem}{f' ({count} cells)' if count > 1 else ''}" for problem, count in counts.items()]
    cells = _named([one.cell for one in found])
    equal = _equal(cells, [_asked(one) for one in found], placed, problems)
    distinct = [index for index in range(len(cells)) if index not in equal]
    commands = [found[index].command for index in distinct]
    told = [f"{len(equal)} cells stand more than once: each is one cell."] if equal else []
    told += [str(notice) for command in commands if command for notice in notices(command.params, command.given)]
    return Checked(_named([cells[index] for index in distinct]), commands, list(dict.fromkeys(told)))


@dataclass(frozen=True)
class _One:
    cell: Cell
    command: CommandLine | None
    problems: list[str]


def _checked(placed: Placed) -> _One:
    settings = {name: setting for name, setting in placed.settings.items() if setting.text is not None}
    words = {name: setting for name, setting in settings.items() if name in WORDS_OF_A_CELL}
    flags = {name: str(setting.text) for name, setting in settings.items() if name not in (*words, "study")}
    problems: list[str] = []
    study = str(settings["study"].text) if "study" in settings else ""
    most = _LIMIT_OF_A_STUDY if study else _LIMIT_SECONDS
    time_limit = _read(words, "time_limit", durations.seconds, most, problems)
    command = None
    for name, text in flags.items():
        if reason := unpassable(text):
            problems.append(f"{settings[name].where}: {name}: its value {reason}. Give another.")
    if study:
        _check_study(settings, flags, time_limit, problems)
    else:
        command = _command(flags, settings, placed.where, problems)
    cell = Cell(
        flags,
        name="",
        study=study,
        repeats=_read(words, "repeats", _from_to(1, _MOST_REPEATS), 1, problems),
        time_limit=time_limit,
        retries={
            failure: _read(words, f"retries.{failure}", _from_to(0, _MOST_RETRIES), _RETRIES[failure], problems)
            for failure in FAILURES
        },
        halves_batch=_read(words, "on_out_of_memory", _choice, _ON_OUT_OF_MEMORY[0], problems) == "halve_batch",
        batch_size=images_per_tower(command.params) if command else 0,
    )
    return _One(cell, command, problems)


def _check_study(settings: Settings, flags: dict[str, str], time_limit: float, problems: list[str]) -> None:
    study = settings["study"]
    if of_runs := [name for name in flags if name not in STUDY_OPTIONS]:
        told = f"study: {study.text} takes no flags of a run ({', '.join(of_runs)}): they stand in the study"
        problems.append(f"{study.where}: {told}. Leave them out.")
    try:
        known = study_names()
    except UserError as error:
        problems.append(f"{study.where}: {error}")
        return
    if study.text not in known:
        match = closest(str(study.text), known)
        meant = f" Did you mean {match}?" if match else ""
        problems.append(
            f"{study.where}: there is no study {study.text}.{meant} See python -m benchmarks.studies --list."
        )
    elif "cases" in settings:
        _check_cases(str(study.text), settings["cases"], problems)
    _read(settings, "pairs", _from_to(1, _MOST_REPEATS), 1, problems)
    budget = _read(settings, "budget", durations.seconds, 0.0, problems)
    if budget >= time_limit:
        limit = f"time_limit ({durations.about(time_limit)}), at which the study would be ended as one that hangs"
        told = f"{settings['budget'].where}: budget: {settings['budget'].text} is not below {limit}"
        problems.append(f"{told}. Lower it, or raise time_limit.")
    if budget and not problems and budget < (least := least_study_seconds(str(study.text), flags)):
        shortest = f"its shortest case is expected to take about {durations.about(least)}, and the start is counted too"
        told = f"budget: in {settings['budget'].text} {study.text} measures nothing: {shortest}"
        problems.append(f"{settings['budget'].where}: {told}. Give more.")


def _check_cases(study: str, cases: Setting, problems: list[str]) -> None:
    names = study_cases(study)
    for pattern in str(cases.text).split(","):
        if not any(asked(name, [pattern]) for name in names):
            told = f"cases: no case of {study} is called '{pattern}'. There are: {quoted(names)}"
            several = " Several are a list, as in cases: [one, other]." if "?" in pattern else ""
            problems.append(f"{cases.where}: {told}. * stands for anything.{several}")


def _command(flags: dict[str, str], settings: Settings, where: str, problems: list[str]) -> CommandLine | None:
    """What a run is told by `flags`; None where they are no command, as `problems` then says."""
    try:
        command = parse([f"--{name}={value}" for name, value in flags.items()])
    except CommandLineError as error:
        problems += [_located(problem, settings, where) for problem in error.problems]
        return None
    if command.params.train_dir and not command.params.eval:
        problems.append(f"{settings['train_dir'].where}: --train_dir={command.params.train_dir}: {_TRAIN_DIR}.")
    return command


def _located(problem: str, settings: Settings, where: str) -> str:
    """`problem` behind the line of the first flag in it that the suite sets."""
    for name in re.findall(r"--([a-z]\w*)", problem):
        for setting in (settings.get(name), settings.get(name.removeprefix("no"))):
            if setting:
                return f"{setting.where}: {problem}"
    return f"{where}: {problem}"


def _read(words: Settings, name: str, reader: Callable[[str], Value], default: Value, problems: list[str]) -> Value:
    """What the word `name` of a cell says, or `default`."""
    if name not in words:
        return default
    setting = words[name]
    try:
        return reader(str(setting.text))
    except ValueError as problem:
        problems.append(f"{setting.where}: {name}: {problem}")
        return default


def _from_to(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
            raise ValueError(f"'{text}' is no whole number from {least} to {most}.")
        return int(text)

    return read


def _choice(text: str) -> str:
    if text not in _ON_OUT_OF_MEMORY:
        raise ValueError(f"'{text}' is none of {', '.join(_ON_OUT_OF_MEMORY)}.")
    return text


def _named(cells: Sequence[Cell]) -> list[Cell]:
    called = iter(names([cell.flags for cell in cells if not cell.study]))
    return [replace(cell, name=_name_of_study(cell) if cell.study else next(called)) for cell in cells]


def _name_of_study(cell: Cell) -> str:
    return " ".join([f"study {cell.study}", *(f"{name}={text}" for name, text in cell.flags.items())])


def _asked(one: _One) -> str:
    """What a cell runs, however its flags are written: 05 is 5, and 60s is 1m."""
    command, cell = one.command, one.cell
    if command:
        return repr((sorted(command.given), command.params))
    if not cell.study or one.problems:
        return cell.id
    options = cell.flags
    budget = durations.seconds(options["budget"]) if "budget" in options else None
    cases = sorted(set(options["cases"].split(","))) if "cases" in options else None
    return repr((cell.study, budget, int(options.get("pairs", PAIRS)), cases))


def _equal(cells: Sequence[Cell], asked: Sequence[str], placed: Sequence[Placed], problems: list[str]) -> set[int]:
    """The indices of cells that stood before: two grids may have one in common. `problems` has those that differ.

    `asked` is what each of them runs.
    """
    first: dict[str, int] = {}
    equal = set()
    for index, cell in enumerate(cells):
        before = first.setdefault(asked[index], index)
        same = replace(cell, flags=cells[before].flags, name=cells[before].name)
        if before != index and cells[before] != same:
            told = f"{cell.name} stands at {placed[before].where} too, with other repeats, limits or retries"
            problems.append(f"{placed[index].where}: {told}. Leave one of them out.")
        elif before != index:
            equal.add(index)
    return equal
