"""Where a suite stands in a folder: none yet, this one, or another one; and what it had done when it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.params import CommandLineError, parse
from benchmarks.suite import journal
from benchmarks.suite.attempts import INTERRUPTED, OUTCOMES, Attempt, History, code_of, message_of, outcome_of
from benchmarks.suite.cells import Cell, shard, unpassable
from benchmarks.suite.journal import Header, Journal
from benchmarks.suite.plan import Plan
from results import store
from results.record import RunRecord

_WORDS = {"repeats": "repeats", "time_limit": "time_limit", "retries": "retries", "halves_batch": "on_out_of_memory"}
_OTHER_CELLS = "other cells"
_UNSEEN = "its record is complete; how its process ended then, nobody saw"
_FACTS = {  # what a line of each kind has
    "start": ("cell", "repeat", "number", "batch_size"),
    "end": tuple(name for name in Attempt._fields if name not in Attempt._field_defaults),
}


def resumed(results_dir: Path, part: tuple[int, int], plan: Plan | None) -> Header:
    """The suite that began in `results_dir`. Raises UserError where there is none, or it is not `plan`."""
    path = results_dir / journal.file_name(part)
    found = journal.header(path) if path.exists() else None
    if found is None:
        others = ", ".join(each.name for each in journal.journals(results_dir) if each != path)
        way_out = f"Give the --shard of what began there: {others}" if others else "Leave --resume out to begin one"
        torn = " with a whole first line" if path.exists() else ""
        raise UserError(
            f"--resume: --results_dir={results_dir} has no {path.name}{torn}: that has not begun. {way_out}."
        )
    if plan is not None and plan.id != found.plan:
        what = f"suite {found.suite}" if plan.name != found.suite else "the suite as it was then"
        now = f"{plan.name} has {_others(found, plan)} now"
        raise UserError(
            f"--results_dir={results_dir} is of {what} ({_told(path, found)}), and {now}. "
            "--resume without a suite goes on with that one; for this one give another --results_dir."
        )
    _check_flags(found)
    return found


def _others(found: Header, plan: Plan) -> str:
    """What is not the same in `plan` and in what began, a plan of another id: cells, or words of cells."""
    of_part = {cell.id: cell for cell in shard(plan.cells, *found.shard) if cell.id not in plan.missing}
    began = {cell.id: cell for cell in found.cells}
    if of_part.keys() != began.keys():
        return _OTHER_CELLS
    differing = [
        word
        for name, word in _WORDS.items()
        if any(getattr(cell, name) != getattr(began[cell_id], name) for cell_id, cell in of_part.items())
    ]
    return f"other {', '.join(differing)}" if differing else _OTHER_CELLS


def _check_flags(found: Header) -> None:
    """Raise UserError where this version does not know a flag of `found`, which may have begun with another one."""
    problems = [f"{cell.name}: {problem}" for cell in found.cells for problem in _problems(cell)]
    if problems:
        told = "--resume: the suite began with a version whose flags were others. Go on with that, or begin a new one."
        raise UserError("\n".join([told, *problems]))


def _problems(cell: Cell) -> Sequence[str]:
    if reasons := [f"--{name}: its value {why}." for name, text in cell.flags.items() if (why := unpassable(text))]:
        return reasons
    try:
        parse([] if cell.study else cell.arguments())
    except CommandLineError as error:
        return error.problems
    return ()


def check_unused(results_dir: Path, shard: tuple[int, int], plan: Plan) -> None:
    """Raise UserError where a suite has begun in `results_dir` already, or another shares it."""
    own = journal.file_name(shard)
    for path in journal.journals(results_dir):
        found = journal.header(path)
        if found is None or (found.plan == plan.id and path.name != own and found.shard[1] == shard[1] > 1):
            continue  # another shard of the same suite
        if found.plan == plan.id and path.name == own:
            raise UserError(
                f"--results_dir={results_dir} has this suite already ({_told(path, found)}). --resume goes on with it; "
                "to run it anew give another --results_dir."
            )
        if found.plan == plan.id:
            raise UserError(
                f"--results_dir={results_dir} has this suite in {found.shard[1]} parts ({_told(path, found)}). Give "
                "the same --shard, or another --results_dir."
            )
        differing = _others(found, plan)
        same = plan.name == found.suite and differing != _OTHER_CELLS
        what = f"this suite with {differing}" if same else f"another suite, {found.suite}"
        raise UserError(
            f"--results_dir={results_dir} is of {what} ({_told(path, found)}). --resume without a "
            "suite goes on with that one; for this one give another --results_dir."
        )


def history(found: Journal, results_dir: Path) -> History:
    """What was done when the suite ended: what its journal says, and records that came before their line in it.

    Those lines are written now.
    """
    past = _of_lines(found.entries, found.path)
    told = {(attempt.cell, attempt.repeat, attempt.number) for attempt in past.all}
    open_ends = [
        entry
        for entry in found.entries
        if entry["kind"] == "start" and (entry["cell"], entry["repeat"], entry["number"]) not in told
    ]
    if open_ends:
        set_id = found.entries[0]["set"]
        records = [record for record in _records(results_dir) if record.suite.get("set") == set_id]
        for entry in open_ends:
            for attempt in _left(entry, records):
                found.append("end", **attempt._asdict())
                past.add(attempt)
    return past


def in_journal(results_dir: Path, shard: tuple[int, int]) -> History:
    """What was done as far as the journal says; nothing is written."""
    path = results_dir / journal.file_name(shard)
    return _of_lines(journal.read(path), path)


def _of_lines(entries: Sequence[dict[str, Any]], path: Path) -> History:
    for entry in entries:
        lacking = [name for name in _FACTS.get(entry["kind"], ()) if name not in entry]
        if lacking:
            told = f"has a line '{entry['kind']}' without {', '.join(lacking)}, which is none of a journal"
            raise UserError(f"{path}: {told}. Mend it, or leave it out.")
    ended = [entry for entry in entries if entry["kind"] == "end"]
    return History(Attempt(**{name: entry[name] for name in Attempt._fields if name in entry}) for entry in ended)


def _left(entry: dict[str, Any], records: Iterable[RunRecord]) -> Iterable[Attempt]:
    """The attempt that `entry` began, as far as one of `records` is of it."""
    wanted = {"cell": entry["cell"], "repeat": entry["repeat"], "attempt": entry["number"]}
    for record in records:
        if wanted.items() <= record.suite.items() and outcome_of(record) != INTERRUPTED:
            outcome, code = _end(record)
            unseen = _UNSEEN if record.status == "completed" else ""
            yield Attempt(
                entry["cell"],
                entry["repeat"],
                entry["number"],
                outcome,
                code,
                _seconds(str(entry.get("at") or record.started_at), record.finished_at),
                Path(record.file).name,
                "; ".join(filter(None, (message_of(record), unseen))),
                record.steady_images_per_second,
                entry["batch_size"],
                bool(record.wrong),
            )
            return


def _end(record: RunRecord) -> tuple[str, int]:
    """Outcome and exit code of the attempt at a run that left `record`.

    A record that the suite wrote in place of the run's says both; of the run's own, they follow from what it says.
    """
    outcome, code = record.suite.get("outcome"), record.suite.get("code")
    if outcome in OUTCOMES and isinstance(code, int):
        return str(outcome), code
    return outcome_of(record), code_of(record)


def _seconds(began: str, ended: str) -> float:
    """Seconds from one time of records to another; none where the clock was set back in between."""
    return max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds())


def _records(results_dir: Path) -> list[RunRecord]:
    return list(store.readable(set(results_dir.glob("*.json"))))


def _told(path: Path, found: Header) -> str:
    """When it began, and how far it has come."""
    ended = sum(entry["kind"] == "end" for entry in journal.read(path))
    return f"began {found.started_at[:19]}Z, {ended} attempts at {len(found.order)} runs so far"
