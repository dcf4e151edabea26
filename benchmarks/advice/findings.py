"""What an advice comes to: values in, tables, sentences and rows out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.advice.candidates import Candidate, chosen
from benchmarks.advice.cost_model import Prediction
from benchmarks.advice.machine import Machine
from benchmarks.advice.measured import Ranked
from benchmarks.advice.one_device import OneDevice
from benchmarks.advice.rules import Choice
from benchmarks.studies.report import table
from results.naming import counted

_LESS = 0.99  # of the fastest: what is nearer is no contradiction


@dataclass(frozen=True)
class Findings:
    """An advice. By number of devices: the rule's choice, and the candidates, the fastest first, with what they give.

    `base` is what one device gives; None, as `machine`, where it is not known, and nothing predicted: `why_not` says
    why. `broken` names GPUs of which the driver does not tell.
    """

    model: str
    batch_size: int
    kind: str
    machine: Machine | None
    base: OneDevice | None
    choices: Mapping[int, Choice]
    predicted: Mapping[int, Sequence[tuple[Candidate, Prediction]]] = field(default_factory=dict)
    measured: Mapping[int, Sequence[Ranked]] = field(default_factory=dict)
    why_not: str = ""
    broken: Sequence[str] = ()


def told(found: Findings) -> str:
    """All of it for people."""
    parts = [_heading(found)]
    for count in sorted({*found.predicted, *found.measured}):
        if predictions := found.predicted.get(count):
            parts.append(_predictions(count, predictions, chosen(found.choices[count])))
        if runs := found.measured.get(count):
            parts += [_runs(count, runs), *_agreement(found, count)]
    return "\n\n".join([*parts, *_rules(found.choices), *_rule_against_prediction(found)])


def _heading(found: Findings) -> str:
    lines = [f"{found.model}, {found.batch_size} images a device and step"]
    if found.machine:
        card = found.machine.accelerator
        gpus = f"{found.machine.gpus} x {card}" if card else counted(found.machine.gpus, "GPU")
        lines[0] += f", on {found.machine.name} ({gpus})"
        lines.append(f"Links: {found.machine.source}.")
    else:
        lines[0] += ", on logical CPU devices" if found.kind == "cpu" else ""
        lines.append(f"Nothing is predicted: {found.why_not}.")
    lines += [f"Not told of, and left out: {name}." for name in found.broken]
    if found.base:
        lines.append(f"One device: {found.base.images_per_second:,.1f} images/s ({found.base.source}).")
    if found.predicted:
        lines.append(
            "Predicted from that alone: how much of the exchange computation hides is a guess, within the intervals."
        )
    return "\n".join(lines)


def _predictions(count: int, predictions: Sequence[tuple[Candidate, Prediction]], rule: Candidate) -> str:
    rows = [
        [
            f"{candidate}{' (auto)' * (candidate == rule)}",
            f"{each.images_per_second:,.1f}",
            f"{each.low:,.1f} to {each.high:,.1f}",
            f"{each.compute_seconds / each.step_seconds:.0%}",
            f"{1000 * each.exchange_seconds:,.1f}",
            each.busiest,
        ]
        for candidate, each in predictions
    ]
    headings = [f"{count} devices, predicted", "images/s", "nine in ten", "computing", "exchange, ms", "busiest link"]
    return table(headings, rows)


def _runs(count: int, runs: Sequence[Ranked]) -> str:
    rows = [
        [
            str(each.candidate),
            f"{each.images_per_second:,.1f}",
            f"{each.interval.low:,.1f} to {each.interval.high:,.1f}" if each.interval else "one run",
            _against_first(each) if number else "",
        ]
        for number, each in enumerate(runs)
    ]
    return table([f"{count} devices, measured", "images/s", "95 % interval", "against the first"], rows)


def _against_first(each: Ranked) -> str:
    if each.bounds is None:
        return f"{each.share:.2f}, one run"
    told = f"{each.share:.2f} ({each.bounds[0]:.2f} to {each.bounds[1]:.2f})"
    return told if each.slower else f"{told}: not told apart"


def _agreement(found: Findings, count: int) -> list[str]:
    """Whether what was predicted, and what the rule takes, is what the runs show."""
    runs = found.measured[count]
    first, slower = runs[0].candidate, [each.candidate for each in runs if each.slower]
    words = []
    if order := [candidate for candidate, _ in found.predicted.get(count, ())]:
        wrong = [each for each in slower if order.index(each) < order.index(first)]
        if not slower:
            words.append("The runs tell no candidate from the fastest, so the predicted order stands untested.")
        elif wrong:
            words.append(f"Prediction and runs disagree: it has {_listed(wrong)} before {first}.")
        else:
            words.append(f"Prediction and runs agree: {first} before {_listed(slower)}.")
    rule = chosen(found.choices[count])
    of_rule = {each.candidate: each for each in runs}.get(rule)
    alike = [each.candidate for each in runs[1:] if not each.slower]
    if of_rule is None:
        words.append(f"What the rule takes, {rule}, is not among these.")
    elif of_rule.slower:
        words.append(f"What the rule takes, {rule}, is slower than {first} here.")
    elif rule != first:
        words.append(f"What the rule takes, {rule}, is not told from the fastest.")
    elif alike:
        words.append(f"What the rule takes, {rule}, is not told from {_listed(alike)}.")
    else:
        words.append(f"What the rule takes, {rule}, is the fastest.")
    return [" ".join(words)]


def _listed(candidates: Sequence[Candidate]) -> str:
    return " and ".join(map(str, candidates))


def _rules(choices: Mapping[int, Choice]) -> list[str]:
    """A sentence for each rule, with the numbers of devices that it is for."""
    of_rule: dict[str, list[int]] = {}
    for count, choice in choices.items():
        of_rule.setdefault(choice.rule, []).append(count)
    return [_rule(counts, choices[counts[-1]]) for counts in of_rule.values()]


def _rule(counts: Sequence[int], choice: Choice) -> str:
    devices = f"{', '.join(map(str, counts))} device{'s' * (counts[-1] > 1)}"
    return (
        f'On {devices} auto takes {" ".join(chosen(choice).flags)}. Rule "{choice.rule}": {choice.reason}. '
        f"Source: {choice.source}."
    )


def _rule_against_prediction(found: Findings) -> list[str]:
    """That the rule takes what is predicted to be slower, where it is and no runs say which is right."""
    shares = {}
    for count, predictions in found.predicted.items():
        speeds = {candidate: each.images_per_second for candidate, each in predictions}
        rule = chosen(found.choices[count])
        if count not in found.measured and rule in speeds and speeds[rule] < _LESS * max(speeds.values()):
            shares[count] = 1 - speeds[rule] / max(speeds.values())
    if not shares:
        return []
    least, most = f"{min(shares.values()):.0%}", f"{max(shares.values()):.0%}"
    return [
        f"The prediction contradicts the rule on {', '.join(map(str, sorted(shares)))} devices: what auto takes is "
        f"predicted to give {least if least == most else f'{least} to {most}'} less than the first. Which of them is "
        "right, runs on such a machine tell: --measure there."
    ]


def rows(found: Findings) -> list[dict[str, Any]]:
    """A row for each candidate on each number of devices; None where a figure is not known."""
    made = []
    for count in sorted({*found.predicted, *found.measured}):
        predictions, runs = (
            dict(found.predicted.get(count, ())),
            {r.candidate: r for r in found.measured.get(count, ())},
        )
        for rank, candidate in enumerate(runs or predictions, 1):
            prediction, ran = predictions.get(candidate), runs.get(candidate)
            made.append(
                {
                    "devices": count,
                    "rank": rank,
                    **vars(candidate),
                    "chosen_by_rule": candidate == chosen(found.choices[count]),
                    "predicted_images_per_second": prediction and prediction.images_per_second,
                    "predicted_low": prediction and prediction.low,
                    "predicted_high": prediction and prediction.high,
                    "measured_images_per_second": ran and ran.images_per_second,
                    "measured_low": ran and ran.interval and ran.interval.low,
                    "measured_high": ran and ran.interval and ran.interval.high,
                    "slower_than_first": ran and ran.slower,
                }
            )
    return made


def facts(found: Findings) -> dict[str, Any]:
    """As JSON."""
    return {
        "model": found.model,
        "batch_size": found.batch_size,
        "machine": found.machine
        and {name: getattr(found.machine, name) for name in ("name", "accelerator", "gpus", "source")},
        "one_device": found.base and found.base._asdict(),
        "rules": {str(count): dataclasses.asdict(choice) for count, choice in found.choices.items()},
        "candidates": rows(found),
    }
