"""What the claims came to, as text for a screen, as a document and as figures."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.studies import report
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, quoted
from benchmarks.studies.claims.effect import Finding
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.schedule import Progress, Story, seconds_of_claim
from results.checks import TOO_BRIEF, TOO_FEW
from results.comparison.verdict import bounds
from results.durations import about, figure
from results.record import RunRecord

WIDTH = 118
NOT_MEASURED = "not measured"
TITLE = "What the performance guide claims, measured on this machine"
HOW = (
    "Figures are medians. 'Times as good' is the geometric mean of the pairs' ratios, with its 95 % interval: the runs "
    "of a pair are neighbours in time, so it need not be the quotient of the medians."
)
BY_CHANCE = "An interval of 95 % is of its case alone: of 20 cases in which nothing differs, one is told to by chance."


def listing(claims: Sequence[Claim], machine: Machine, pairs: int) -> str:
    """Name, cost, claim and source of each study; the cost is that of so many pairs of each case on `machine`."""
    lines = []
    for claim in claims:
        every = claim.cases(machine)
        cases = [case for case in every if isinstance(case, Case)]
        count = f"{len(cases)} cases" if len(cases) == len(every) else f"{len(cases)} of {len(every)} cases on a CPU"
        cost = f"{count}, about {about(seconds_of_claim(claim, machine, pairs))}" if cases else "not on a CPU"
        lines.append(f"{claim.name}  ({cost})")
        lines.append(_indented(claim.says))
        lines.append(_indented(f"Cases: {quoted(case.name for case in claim.cases(machine))}"))
        lines.append(f"    Source: {claim.source}")
    return "\n".join(lines)


def _indented(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, initial_indent="    ", subsequent_indent="    ")


def text(story: Story) -> str:
    """The table of the cases that came to something, and under it what each claim came to."""
    measured = sum(bool(each.pairs) for each in story.cases)
    notes = textwrap.fill(f"{HOW} {BY_CHANCE}" if measured > 1 else HOW, WIDTH)
    table = [_table(story), notes] if measured else []
    return "\n\n".join([*table, *_paragraphs(story)])


def document(story: Story) -> str:
    """The same as a Markdown document."""
    return f"# {TITLE}\n\n{text(story)}\n"


def figures(story: Story) -> list[dict[str, Any]]:
    """Every single figure, as plain values."""
    measured = [_plain(each, story) for each in story.cases]
    return measured + [
        {"study": claim.name, "case": missing.name, "outcome": "cannot run here", "lacks": missing.lacks}
        for claim, missing in story.missing
    ]


def lacks(story: Story) -> str:
    """All that this machine lacks of what the cases need."""
    return ", ".join(dict.fromkeys(missing.lacks for _, missing in story.missing))


def claims(story: Story) -> list[Claim]:
    """The claims of a story, each once."""
    found = {claim.name: claim for claim in [*(e.claim for e in story.cases), *(c for c, _ in story.missing)]}
    return list(found.values())


def outcome(progress: Progress) -> str:
    """The word for what became of a case."""
    if progress.failure:
        return "failed"
    return progress.finding.judgment.outcome if progress.pairs else NOT_MEASURED


def _table(story: Story) -> str:
    headings = ["study: case", "advised", "other", "unit", "times as good", "claimed", "pairs", ""]
    rows = [row(each) for each in story.cases if each.pairs or each.failure]
    rows += [[f"{claim.name}: {each.name}", "", "", "", "", "", "", "cannot run here"] for claim, each in story.missing]
    return report.table(headings, rows)


def row(progress: Progress) -> list[str]:
    """The cells of a case in the table."""
    case, pairs = progress.case, progress.pairs
    if not pairs:
        return [progress.name, "", "", case.unit, "", str(case.promise), "0", outcome(progress)]
    advised, other = (statistics.median(each.figure for each in side) for side in zip(*pairs, strict=True))
    ratio = progress.finding.effect
    gain = f"{ratio.value:.3g} ({'one pair' if ratio.low is None else bounds(ratio)})"
    sides = [f"{case.advised.name}: {_figure(advised)}", f"{case.other.name}: {_figure(other)}"]
    return [progress.name, *sides, case.unit, gain, str(case.promise), str(len(pairs)), outcome(progress)]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _paragraphs(story: Story) -> Iterator[str]:
    """A paragraph a claim: what it says, what came of each case, and why."""
    for claim in claims(story):
        name = claim.name
        lines = [f"{name}: {claim.says} ({claim.source})"]
        cases = [each for each in story.cases if each.claim.name == name]
        lines += [f"{each.case.name}: {told(each, story)}" for each in cases if _begun(each)]
        lines += [_lacks(missing) for of, missing in story.missing if of.name == name]
        if left := [each.case.name for each in cases if not _begun(each)]:
            lines.append(f"{NOT_MEASURED}, as {story.why_not}: {', '.join(left)}")
        yield "\n".join(
            textwrap.fill(line, WIDTH, initial_indent="- " * (number > 0), subsequent_indent="  " * (number > 0))
            for number, line in enumerate(lines)
        )


def _begun(progress: Progress) -> bool:
    """Whether there is something to tell of this case that is not true of all whose turn did not come."""
    return bool(progress.pairs or progress.failure or progress.ended_after)


def not_measured(progress: Progress, story: Story) -> str:
    """What is said of a case without pairs."""
    why = f"its first pair was not done after {figure(progress.ended_after)}, when the time was over"
    return f"{NOT_MEASURED}, as {why if progress.ended_after else story.why_not}"


def told(progress: Progress, story: Story) -> str:
    """What came of a case, and why: sentences."""
    if progress.failure:
        return f"failed: {progress.failure}"
    if not progress.pairs:
        return f"{not_measured(progress, story)}."
    finding = progress.finding
    sentences = [f"{finding.judgment.outcome}: {finding.judgment.words}."]
    return " ".join([*sentences, *finding.reasons, *_doubts(finding)])


def _lacks(missing: Missing) -> str:
    return f"{missing.name}: cannot run here: this machine lacks {missing.lacks}."


def _doubts(finding: Finding) -> list[str]:
    """How many of the runs computed something wrong, and how many are doubtful by themselves, with the first reasons.

    That they are short is none: all are meant to be, and the pairs tell whether they were too short.
    """
    records = _records(finding)
    wrong = [record.wrong[0] for record in records if record.wrong]
    doubts = [
        [each for each in record.problems if not each.startswith((TOO_FEW, TOO_BRIEF))]
        for record in records
        if not record.wrong
    ]
    doubted = [problems[0] for problems in doubts if problems]
    told = [f"Of {len(records)} runs {len(wrong)} computed something WRONG: {wrong[0]}."] if wrong else []
    if doubted:
        told.append(f"Of {len(records)} runs {len(doubted)} are doubtful by themselves: {doubted[0]}.")
    return told


def _records(finding: Finding) -> list[RunRecord]:
    return [run.record for pair in finding.pairs for run in pair if run.record]


def _plain(progress: Progress, story: Story) -> dict[str, Any]:
    case, finding = progress.case, progress.finding
    ratio = finding.effect if progress.pairs else None
    return {
        "study": progress.claim.name,
        "claim": progress.claim.says,
        "source": progress.claim.source,
        "case": case.name,
        "unit": case.unit,
        "less_is_better": case.less_is_better,
        "advised": {"name": case.advised.name, "flags": case.advised.flags, "program": case.advised.program},
        "other": {"name": case.other.name, "flags": case.other.flags, "program": case.other.program},
        "claimed": {**vars(case.promise), "words": str(case.promise)},
        "outcome": outcome(progress),
        "words": finding.judgment.words if progress.pairs else progress.failure or not_measured(progress, story),
        "reasons": finding.reasons,
        "times_as_good": ratio and {"value": ratio.value, "low": ratio.low, "high": ratio.high},
        "pairs": [{"advised": _side(advised), "other": _side(other)} for advised, other in progress.pairs],
    }


def _side(measured: Measured) -> dict[str, Any]:
    record = {"record_id": measured.record.record_id} if measured.record else {}
    return {"figure": measured.figure, "facts": measured.facts, **record}
