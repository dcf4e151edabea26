"""Going on with a training that another process has begun: whether that can be done, and from where."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.checkpoints import CheckpointFacts, Checkpoints, Shapes
from benchmarks.errors import UserError
from benchmarks.measure import Earlier
from benchmarks.params import ResolvedParams
from benchmarks.step import TrainingStep
from benchmarks.training_state import TrainingState, shapes
from benchmarks.workload import Workload

_MOST_NAMED = 3  # variables that do not fit; more are counted

# What a resumed run may have otherwise than the one before it, which it is told.
_MAY_DIFFER = (
    "variable_update", "num_towers", "batch_size", "synthetic", "data_format", "precision", "staged_vars",
    "variable_consistency", "tf_random_seed",
)  # fmt: skip
_NO_FLAGS = {"num_towers": "the number of towers", "synthetic": "whether images are synthetic"}


class Resumption(NamedTuple):
    """The checkpoint at `path` to go on from, and what it is of."""

    path: str
    facts: CheckpointFacts

    @property
    def earlier(self) -> Earlier:
        """What was done before."""
        found = self.facts
        return Earlier(
            found.steps, found.skipped_steps, found.training_seconds, found.wall_seconds, tuple(found.losses)
        )

    def batches_seen(self, workload: Workload) -> int:
        """How many batches of each tower were seen: exactly, where towers and batches are as they were."""
        return self.facts.images // images_per_step(workload)

    def updates(self, workload: Workload) -> int:
        """How many updates a schedule has behind it, of so many images as a step has now."""
        done, images = self.facts.steps - self.facts.skipped_steps, self.facts.images
        return done * images // (self.facts.steps * images_per_step(workload)) if self.facts.steps else 0

    def notes(self, workload: Workload) -> list[str]:
        """What to tell of it, a sentence each."""
        left = steps_in_all(workload.params) - self.facts.steps
        told = [f"resumed from {self.path}: {self.facts.steps} steps are done, {left} are left."]
        before, now = self.facts.run, run_facts(workload)
        told += [
            f"{_NO_FLAGS.get(name, f'--{name}')} was {before[name]} at the checkpoint, and is {now[name]}."
            for name in _MAY_DIFFER
            if before[name] != now[name]
        ]
        if self.facts.skipped_images:
            told.append(
                f"{self.facts.skipped_images} images could not be decoded before. The input goes on so many images "
                "earlier at most than it would have."
            )
        return told


def run_facts(workload: Workload) -> dict[str, Any]:
    """What a run is told apart by, for checkpoints."""
    params, found = workload.params, workload.devices
    names = ("model", "data_name", "optimizer", *(name for name in _MAY_DIFFER if hasattr(params, name)))
    return {
        **{name: getattr(params, name) for name in names},
        "num_towers": found.num_towers,
        "synthetic": bool(workload.source.facts.get("synthetic")),
    }


def images_per_step(workload: Workload) -> int:
    """Images of a step over all towers."""
    return workload.params.batch_size * workload.devices.num_towers


def steps_in_all(params: ResolvedParams) -> int:
    """The steps of a training, those of the warm-up included."""
    return params.num_warmup_batches + params.num_batches


def resumption(checkpoints: Checkpoints, workload: Workload) -> Resumption | None:
    """From where to go on with `workload`; None where its training has not begun.

    Raises UserError where the latest checkpoint cannot be used for it, or nothing is left to train.
    """
    path = checkpoints.latest()
    if path is None:
        return None
    facts, params = checkpoints.facts(path), workload.params
    check_network(facts, path, workload)
    if facts.run.get("optimizer") != params.optimizer:
        raise UserError(
            f"--train_dir={params.train_dir}: {Path(path).name} was trained with --optimizer={facts.run['optimizer']}, "
            f"and --optimizer={params.optimizer} would begin without what it remembers. Give the same one, or another "
            "folder."
        )
    if facts.steps >= steps_in_all(params):
        raise UserError(
            f"--train_dir={params.train_dir}: nothing is left to train. {Path(path).name} has {facts.steps} steps, and "
            f"--num_warmup_batches={params.num_warmup_batches} and --num_batches={params.num_batches} ask for "
            f"{steps_in_all(params)} in all. Give a larger --num_batches, or another folder; --eval evaluates what is "
            "there."
        )
    return Resumption(path, facts)


def check_network(facts: CheckpointFacts, path: str, workload: Workload) -> None:
    """Raise UserError where the variables of a checkpoint are not those of the network."""
    needed = {each.name: list(each.shape) for each in workload.declarations}
    problems = _differences(facts.network, needed)
    params, of = workload.params, facts.run
    another_data_set = of.get("data_name") != params.data_name
    if problems or another_data_set:
        what = f"--model={of.get('model')} on {of.get('data_name')}"
        raise UserError(
            f"--train_dir={params.train_dir}: {Path(path).name} is of {what}, and this run is --model={params.model} "
            f"on {params.data_name}{': ' if problems else ''}{'; '.join(problems)}. Give the same model and data set, "
            "or another folder."
        )


def restore(found: Resumption, checkpoints: Checkpoints, step: TrainingStep, updates: int) -> None:
    """Let `step` go on as after `found`, with so many `updates`. Raises UserError where the checkpoint is damaged."""
    state = TrainingState(step)
    same_towers = found.facts.own == shapes(state.own)
    checkpoints.read(found.path, state.groups(with_own=False))
    state.spread()
    if same_towers and state.own:
        checkpoints.read(found.path, {"own": state.own})
    step.rate.go_to(updates)
    step.counter.go_to(found.facts.steps)
    step.loss_scale.restore(found.facts.loss_scale)


def begun_with(workload: Workload, found: Resumption | None) -> Workload:
    """`workload` with the input where `found` left it."""
    return dataclasses.replace(workload, batches_seen=found.batches_seen(workload)) if found else workload


def _differences(have: Shapes, need: Shapes) -> list[str]:
    """What of the variables that are needed is missing or of another shape, in words."""
    missing = [name for name in need if name not in have]
    other = [f"{name} {have[name]} (not {need[name]})" for name in need if have.get(name, need[name]) != need[name]]
    unknown = [name for name in have if name not in need]
    told = {"lacks": missing, "has besides": unknown, "of another shape:": other}
    return [f"{what} {_some(names)}" for what, names in told.items() if names]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
