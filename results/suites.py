"""How runs came to be, and so which of them no comparison takes: trials of a search, and attempts made again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from results.naming import counted
from results.record import RunRecord
from results.schema import canonical

TRIAL, MADE_AGAIN = "made by a search", "that their suite made again"  # why records are set aside


class Origin(NamedTuple):
    """Whether a search made a run as a `trial`; the `run` of a suite that it was an `attempt` at, "" for none."""

    trial: bool = False
    run: str = ""
    attempt: int = 0


def origin(record: RunRecord) -> Origin:
    """How the run of `record` came to be."""
    attempt, trial = record.suite.get("attempt"), bool(record.trial)
    if not isinstance(attempt, int):
        return Origin(trial)
    return Origin(trial, canonical([record.suite.get(name) for name in ("set", "cell", "repeat")]), attempt)


def set_aside(origins: Mapping[str, Origin]) -> dict[str, str]:
    """Of runs by record id those that no comparison takes, valid or not, and why: TRIAL or MADE_AGAIN.

    A suite's last attempt at a run stands for all.
    """
    last: dict[str, tuple[int, str]] = {}
    for record_id, of in origins.items():
        if of.run:
            last[of.run] = max(last.get(of.run, (of.attempt, record_id)), (of.attempt, record_id))
    why = {
        record_id: TRIAL if of.trial else MADE_AGAIN if of.run and last[of.run] != (of.attempt, record_id) else ""
        for record_id, of in origins.items()
    }
    return {record_id: reason for record_id, reason in why.items() if reason}


def records_set_aside(records: Iterable[RunRecord]) -> dict[str, str]:
    """Of `records` those that no comparison takes, by record id, and why: TRIAL or MADE_AGAIN."""
    return set_aside({record.record_id: origin(record) for record in records})


def told(aside: Mapping[str, str]) -> list[str]:
    """A sentence for each reason for which runs are set aside."""
    return [f"Left out: {counted(count, 'record')} {why}." for why, count in Counter(aside.values()).items()]
