"""What flags that the user adds to every run do to the two ways of a case."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.errors import UserError
from benchmarks.params import Params, parse
from benchmarks.params.rules import readable_data
from benchmarks.studies import report
from benchmarks.studies.claims.claim import Case, Way
from benchmarks.studies.claims.schedule import Story

_LENGTH = {"num_batches"}  # in which ways may differ for want of time, and need not


def check_flags(story: Story, run_flags: Sequence[str]) -> None:
    """Give up the cases whose runs cannot have `run_flags`.

    Raises UserError where that is all of them, and where flags for both ways of a case set what these differ in.
    """
    if not run_flags:
        return
    runs = []
    for progress in story.cases:
        if progress.case.advised.program:
            report.note(f"NOTE: {progress.name}: a program of its own measures it, to which flags after -- do not go.")
        else:
            runs.append(progress)
    for progress in runs:
        case = progress.case
        try:
            lost = differing(case) - differing(case, run_flags) - _LENGTH
        except UserError as error:
            progress.failure = str(error)
            continue
        if lost:
            raise UserError(
                f"{' '.join(run_flags)} after --: '{case.advised.name}' and '{case.other.name}' of {progress.name} "
                f"differ in {', '.join(f'--{name}' for name in sorted(lost))}. Leave that out, or leave the case out "
                "by --cases."
            )
    if runs and all(progress.failure for progress in runs):
        raise UserError(runs[0].failure)


def differing(case: Case, more: Sequence[str] = ()) -> set[str]:
    """The flags that have another value in one way of `case` than in the other, with `more` of them in both.

    Raises UserError where a run would.
    """
    advised, other = (vars(asked_for(way, more)) for way in (case.advised, case.other))
    return {name for name, value in advised.items() if other[name] != value}


def asked_for(way: Way, more: Sequence[str] = ()) -> Params:
    """What the flags of `way`, with `more` of them, ask for. Raises UserError where a run would.

    The files that it reads are made when its turn comes: nobody looks for those.
    """
    flags = [*way.flags, *more]
    params = parse(flags, leave_out=(readable_data,)).params
    made = way.prepared_by and f"--data_dir={params.data_dir}" in way.flags
    return params if made else parse(flags).params
