"""How a run ends, whatever happens: one exit code, and one record of a run that began."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.draft import Draft
from benchmarks.errors import ExitCode, UserError
from benchmarks.signals import Terminated
from results.record import RunRecord


class Ending(NamedTuple):
    """The record of a run, good or bad, what the process ends with, and whether the record is to be left.

    It is not where another process leaves it, or where the run was `refused`: something that the user gave cannot be
    used, and it showed before anything was measured. Such records would tell nothing, and stand in every table.
    """

    record: RunRecord
    exit_code: ExitCode
    leaves_record: bool = True
    refused: bool = False


def run_to_end(draft: Draft, story: Callable[[], None], explain: Callable[[Exception], str]) -> Ending:
    """Let `story` happen; the record says how far it came. `explain` finds words for what went wrong."""
    try:
        story()
    except KeyboardInterrupt:
        return Ending(draft.record("interrupted", "by Ctrl-C"), ExitCode.INTERRUPTED)
    except Terminated:
        return Ending(draft.record("interrupted", "ended by SIGTERM"), ExitCode.TERMINATED)
    except Exception as error:  # noqa: BLE001  whatever ended the run, its record is due
        if draft.params.debug:
            traceback.print_exc()
        record = draft.record("failed", explain(error))
        if not isinstance(error, UserError):
            return Ending(record, ExitCode.FAILED)
        refused = not (record.measurement and record.measurement.step_seconds)
        return Ending(record, ExitCode.UNUSABLE, leaves_record=not refused, refused=refused)
    wrong = draft.wrong(losses=not draft.params.allow_nonfinite_loss)
    return Ending(draft.record("completed"), ExitCode.INVALID if wrong else ExitCode.VALID)
