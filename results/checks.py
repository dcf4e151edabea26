"""What makes a run's figures unfit for comparison: functions over facts, a sentence for each thing that is wrong.

They serve runs of our own and records from elsewhere: a fact that is not known is None, and nothing is said of it.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results.measurement import Measurement
from results.reported import Reported
from results.statistics.step_statistics import StepStatistics

WRONG, UNFIT = "WRONG", "UNFIT"  # what a run is called that completed, and is not valid
TRIAL = "a trial of"  # how the problem of a run begins that a search made
NOT_VALID = "NOT VALID"  # what one is called that is not, and computed nothing wrong

Losses = Sequence[tuple[int, float]]  # (step, loss) in order; steps of the warm-up count from -N to -1

EXPLODED = 3.0  # times the first loss: by chance the loss of an untrained network rises, but not so far for so long
LEAST_REPORTED_STEPS = 50
FOREIGN_LOAD = "foreign load"  # how a problem begins that tells of it
NOT_FINITE = "the loss is not finite"  # likewise
FOREIGN_CPU_SHARE = 0.1  # of all processors; less than that the scheduler keeps out of the way of one busy process
TOO_FEW, TOO_BRIEF = "too few steps", "too short"  # how problems begin that short runs have
TOO_SHORT = "the window is too short to tell"  # why a record knows nothing of that
STOLEN_SHARE = 0.02  # of all processors, taken by the hypervisor: these times cannot be worked around
INPUT_WAIT_SHARE = 0.05  # of a step
SLOWED_SHARE = 0.05  # of the window: how much slower the clocks were is not known, but not more than all of it


@dataclass(frozen=True)
class Problem:
    """Why figures are not to be compared. `wrong`: what was computed is wrong; else only the figure is in doubt."""

    text: str
    wrong: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a run.

    `update`, `copies`, `load` and `gpus` are sections of a record's checks: `update` and `copies` have `problem` where
    the variable update or the towers' copies are wrong; `load` has cpu_share_of_others and stolen_share, `gpus` by GPU
    slowed_for (reasons, after the window), slowed_shares (of the window, by reason), uncorrected_ecc_errors and
    other_processes (numbers). `steps`: how many were measured, where their single times are
    not known. `input_wait_share`: the part of a step that would go if input cost nothing, where that was found out.
    `trial`: the flag of the search that it was made for, if it was.
    """

    losses: Losses = ()
    statistics: StepStatistics | None = None
    steps: int | None = None
    update: Mapping[str, Any] | None = None
    copies: Mapping[str, Any] | None = None
    load: Mapping[str, Any] | None = None
    gpus: Mapping[str, Mapping[str, Any]] | None = None
    input_wait_share: float | None = None
    trial: str = ""


def problems(facts: Facts) -> list[Problem]:
    """Everything that is wrong with a run, or doubtful about its figure; what is wrong comes first."""
    found = [
        *_wrong(facts.update),
        *_wrong(facts.copies),
        *_losses(facts.losses),
        *_steps(facts.statistics, facts.steps),
        *_load(facts.load or {}),
        *_gpus(facts.gpus or {}),
        *_input(facts.input_wait_share),
        *_trial(facts.trial),
    ]
    return sorted(found, key=lambda problem: not problem.wrong)


def losses_of(figures: Measurement | Reported) -> Losses:
    """The losses of a run of our own, warm-up first, or those that another program told."""
    if isinstance(figures, Reported):
        return [(row.step, row.loss) for row in figures.rows if row.loss is not None]
    warm_up = figures.warmup_losses
    return [*zip(range(-len(warm_up), 0), warm_up, strict=True), *enumerate(figures.losses, 1)]


def reported_problems(reported: Reported, steps: int | None = None) -> list[Problem]:
    """What is wrong with figures from elsewhere, as far as they tell; `steps` is how many were measured."""
    return problems(Facts(losses=losses_of(reported), steps=steps))


def wrong_among(told: Sequence[str], checks: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the problems `told` by a record that say that something wrong was computed, where it does not mark them.

    `checks` are the record's: what they found is among its problems in the same words.
    """
    sections = [checks.get(name) for name in ("variable_update", "copies")]
    found = {
        problem
        for section in sections
        if isinstance(section, Mapping) and isinstance(problem := section.get("problem"), str)
    }
    return tuple(each for each in told if each in found or each.startswith(NOT_FINITE))


def _wrong(check: Mapping[str, Any] | None) -> Iterator[Problem]:
    if check and check.get("problem"):
        yield Problem(str(check["problem"]), wrong=True)


def _losses(losses: Losses) -> Iterator[Problem]:
    """A loss that is not finite, or that ends far above where it began."""
    step = next((step for step, loss in losses if not math.isfinite(loss)), None)
    if step is not None:
        where = f"warm-up step {step}" if step < 0 else f"step {step}"
        yield Problem(f"{NOT_FINITE} from {where} on", wrong=True)
    elif losses:
        first, tenth = abs(losses[0][1]), max(1, len(losses) // 10)
        last = statistics.median(loss for _, loss in losses[-tenth:])
        if first and last > EXPLODED * first:
            yield Problem(f"the loss explodes: it rose from {losses[0][1]:.4g} to {last:.4g}")


def _steps(found: StepStatistics | None, steps: int | None) -> Iterator[Problem]:
    """Too few steps, or none that are steady."""
    if found and found.unsteady:
        yield Problem(f"no steady state: {found.unsteady}")
    if found and found.too_few:
        yield Problem(f"{TOO_FEW}: {found.too_few}")
    if found is None and steps is not None and steps < LEAST_REPORTED_STEPS:
        yield Problem(f"{TOO_FEW}: {steps}, and a figure needs {LEAST_REPORTED_STEPS}")


def _load(load: Mapping[str, Any]) -> Iterator[Problem]:
    """Work of others on the same machine during the measured window."""
    others, stolen = load.get("cpu_share_of_others"), load.get("stolen_share")
    if load.get("reason") == TOO_SHORT:
        told = "what other programs did in so short a window cannot be told; more --num_batches can"
        yield Problem(f"{TOO_BRIEF}: {told}")
    if others is not None and others > FOREIGN_CPU_SHARE:
        yield Problem(f"{FOREIGN_LOAD}: other processes took {others:.0%} of the CPUs (limit {FOREIGN_CPU_SHARE:.0%})")
    if stolen is not None and stolen > STOLEN_SHARE:
        yield Problem(f"{FOREIGN_LOAD}: the hypervisor took {stolen:.0%} of the CPUs away (limit {STOLEN_SHARE:.0%})")


def _gpus(gpus: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """GPUs that were slowed down, whose memory failed, or that others computed on."""
    for gpu, state in gpus.items():
        shares = state.get("slowed_shares") or {}
        long = {reason: share for reason, share in shares.items() if share > SLOWED_SHARE}
        if long:
            told = ", ".join(f"{reason} in {share:.0%} of the window" for reason, share in long.items())
            yield Problem(f"throttled clocks: {gpu} ran slower for {told} (limit {SLOWED_SHARE:.0%})")
        if reasons := [reason for reason in state.get("slowed_for") or () if reason not in long]:
            yield Problem(f"throttled clocks: {gpu} ran slower for {', '.join(reasons)}")
        if errors := state.get("uncorrected_ecc_errors"):
            yield Problem(f"memory errors: {gpu} had {errors} in the window that ECC could not correct")
        if (others := state.get("other_processes") or 0) > 0:
            yield Problem(f"{FOREIGN_LOAD}: {others} other process(es) computed on {gpu}")


def _trial(search: str) -> Iterator[Problem]:
    if search:
        yield Problem(f"{TRIAL} --{search}, made to find what to run and not to be compared")


def _input(wait_share: float | None) -> Iterator[Problem]:
    if wait_share is not None and wait_share > INPUT_WAIT_SHARE:
        yield Problem(
            f"input-bound: {wait_share:.0%} of a step goes to its input (limit {INPUT_WAIT_SHARE:.0%}): the figure is "
            "not that of the model"
        )
