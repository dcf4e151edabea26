"""What the claims came to, as one page for a browser: a forest plot a study, the tables, and what is told of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.studies.claims import writing
from benchmarks.studies.claims.claim import Claim, Promise
from benchmarks.studies.claims.effect import (
    CONFIRMED,
    CONTRADICTED,
    LARGER,
    MEASURED,
    NEGLIGIBLE,
    NO_DIFFERENCE,
    SMALLER,
    UNTOLD,
)
from benchmarks.studies.claims.schedule import Progress, Story
from results.naming import counted
from results.report.forest import Effect, forest, forest_size
from results.report.html import html
from results.report.page import Figure, Page, Section, Table
from results.report.svg import Drawer

UNIT = "times as good (95 % interval)"
# Colours of the palette, told apart by colour-blind eyes too, and their markers.
_STYLES = {CONFIRMED: 2, CONTRADICTED: 5, NO_DIFFERENCE: 0, SMALLER: 1, LARGER: 4, MEASURED: 3, UNTOLD: 7}
_HOW_TO_READ = (
    "Right of the line at 1 the advised way is better. A bar is the 95 % interval of an effect; what was claimed of it "
    f"is shaded. {writing.BY_CHANCE}"
)
_HEADINGS = ("case", "times as good", "outcome", "+figures", "+why")  # few, and none that must not wrap: for a phone


def document(story: Story) -> str:
    """The page as HTML."""
    return html(page(story))


def page(story: Story) -> Page:
    """The page of `story`."""
    draw, claims = Drawer(), writing.claims(story)
    plots = tuple(found for claim in claims if (found := _plot(claim, story, draw)))
    effects = (Section("effects", "Effects", (_HOW_TO_READ,), figures=plots),) if plots else ()
    return Page(writing.TITLE, _summary(story), (*effects, *(_section(claim, story) for claim in claims)))


def _summary(story: Story) -> tuple[str, ...]:
    outcomes = Counter(writing.outcome(each) for each in story.cases)
    told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    machine = story.machine
    gpus = f", {', '.join(f'{n} x {name}' for name, n in Counter(machine.gpus).items())}" if machine.gpus else ""
    here = f"On a machine with {counted(machine.cores, 'core')}{gpus or ' and no GPU that TensorFlow sees'}."
    missing = f" It cannot run {counted(len(story.missing), 'other case')}." if story.missing else ""
    return (f"{here} {counted(len(story.cases), 'case')}{': ' * bool(told)}{told}.{missing}",)


def _plot(claim: Claim, story: Story, draw: Drawer) -> Figure | None:
    """The effects of the cases of `claim` that were measured; None where there are none yet."""
    effects = [_effect(each) for each in _of(claim, story) if each.pairs]
    if not effects:
        return None
    rows = tuple((each.label, f"{each.value:.4g}", _bounds(each), each.kind) for each in effects)
    return Figure(
        claim.name,
        f"Forest plot of {claim.name}: "
        + "; ".join(f"{each.label}: {each.value:.3g}, {each.kind}" for each in effects),
        draw(forest, effects, UNIT, size=forest_size(effects)),
        Table(("case", "times as good", "interval", "outcome"), rows),
    )


def _effect(progress: Progress) -> Effect:
    found, outcome = progress.finding.effect, writing.outcome(progress)
    claimed = _claimed(progress.case.promise)
    return Effect(progress.case.name, found.value, found.low, found.high, claimed, outcome, _STYLES.get(outcome, 6))


def _claimed(promise: Promise) -> tuple[float | None, float | None] | tuple[()]:
    if promise.either:
        return ()
    return (1 / (1 + NEGLIGIBLE) if promise.not_worse else promise.least, promise.most)


def _bounds(effect: Effect) -> str:
    return "-" if effect.low is None or effect.high is None else f"{effect.low:.3g} to {effect.high:.3g}"


def _of(claim: Claim, story: Story) -> Sequence[Progress]:
    return [each for each in story.cases if each.claim.name == claim.name]


def _section(claim: Claim, story: Story) -> Section:
    """What a claim says, and a row for each of its cases with its figures and what is told of it below."""
    rows = [_row(each, story) for each in _of(claim, story)]
    rows += [
        (missing.name, "-", "cannot run here", "-", f"This machine lacks {missing.lacks}.")
        for of, missing in story.missing
        if of.name == claim.name
    ]
    return Section(claim.name, claim.name, (claim.says, f"Source: {claim.source}."), (Table(_HEADINGS, tuple(rows)),))


def _row(progress: Progress, story: Story) -> tuple[str, ...]:
    _, advised, other, unit, gain, claimed, pairs, outcome = writing.row(progress)
    figures = (
        f"{advised}; {other} {unit}. Claimed: {claimed}. {counted(int(pairs), 'pair')}." if progress.pairs else "-"
    )
    words = writing.told(progress, story)
    return progress.case.name, gain or "-", outcome, figures, words[:1].upper() + words[1:]
