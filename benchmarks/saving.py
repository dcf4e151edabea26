"""The pauses of a training to save it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks.checkpoints import CheckpointFacts, Checkpoints, SavingError, Written
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.measure import Recording
from benchmarks.resuming import (
    Resumption,
    images_per_step,
    restore,
    resumption,
    run_facts,
    steps_in_all,
)
from benchmarks.signals import Terminated
from benchmarks.step import Step, TrainingStep
from benchmarks.training_state import TrainingState, shapes
from benchmarks.workload import Workload


class Kept(NamedTuple):
    """Where a training is saved, and what of it is there to go on from."""

    checkpoints: Checkpoints
    resumed: Resumption | None


@contextlib.contextmanager
def open_checkpoints(draft: Draft, workload: Workload, console: Console) -> Iterator[Kept | None]:
    """What is kept of the training of `workload`, which has the folder to itself meanwhile; None without a folder.

    Raises UserError where it cannot be gone on with.
    """
    if not workload.params.train_dir:
        yield None
        return
    assert draft.recording is not None, "the run has begun to record"
    checkpoints = Checkpoints(workload.params.train_dir)
    checkpoints.lock()
    try:
        resumed = resumption(checkpoints, workload)
        if resumed:
            draft.recording.earlier = resumed.earlier
            for note in resumed.notes(workload):
                console.notice(f"NOTE: {note}")
        yield Kept(checkpoints, resumed)
    finally:
        checkpoints.unlock()


def prepare_saving(draft: Draft, workload: Workload, step: Step, kept: Kept, console: Console) -> Saving:
    """What saves the training of `step`, which goes on from what is `kept` of it. Raises UserError."""
    assert isinstance(step, TrainingStep), "what does not train is not saved; a rule says so"
    if kept.resumed:
        restore(kept.resumed, kept.checkpoints, step, kept.resumed.updates(workload))
    return Saving(draft, workload, kept, step, console)


class Saving:
    """The pauses to save `step`: every so many steps or seconds, as the parameters say.

    What was saved stands in the record of `draft` at once. `kept` is where to, and what the training goes on from.
    """

    def __init__(
        self,
        draft: Draft,
        workload: Workload,
        kept: Kept,
        step: TrainingStep,
        console: Console,
    ) -> None:
        self._draft = draft
        self._workload = workload
        self._checkpoints, self._resumed = kept
        self._step = step
        self._console = console
        self._state = TrainingState(step)
        self._shapes = {group: shapes(variables) for group, variables in self._state.groups().items()}
        self._saved: list[Written] = []
        self._last_step = self._resumed.facts.steps if self._resumed else 0
        self._last_seconds: float | None = None
        self._told_to_end: BaseException | None = None
        self._checkpoints.begin(self._state.groups(), workload.params.max_ckpts_to_keep)
        self._keep()

    def due(self, recording: Recording) -> bool:
        """Whether so many steps or seconds have gone by since the last checkpoint."""
        params = self._workload.params
        if params.save_model_steps:
            return recording.steps_of_training % params.save_model_steps == 0
        if not params.save_model_secs:
            return False
        since = recording.training_began if self._last_seconds is None else self._last_seconds
        return recording.clock() - since >= params.save_model_secs

    def __call__(self, recording: Recording) -> bool:
        """Save; the training goes on."""
        self._save(recording, complete=recording.steps_of_training >= steps_in_all(self._workload.params))
        return False

    def finish(self, recording: Recording) -> None:
        """Save the end of the training, unless that is done, and tell where it is."""
        if self._last_step != recording.steps_of_training:
            self._save(recording, complete=True)
        if self._saved:
            path, seconds, nbytes = self._saved[-1]
            self._console.notice(f"NOTE: the checkpoint of the end is {path} ({nbytes / 1e6:.1f} MB, {seconds:.2f} s).")

    def heeding(self, check: Callable[[], None]) -> Callable[[], None]:
        """`check`, which is called where no step goes on; that it ended the run there is remembered."""

        def checked() -> None:
            try:
                check()
            except (KeyboardInterrupt, Terminated) as told:
                self._told_to_end = told
                raise

        return checked

    def interrupted(self, recording: Recording, by: BaseException) -> None:
        """Save what was trained until the run was told to end, and say so; what goes wrong then is said only.

        `by` is what ended it. Where that is none of a check (a second signal, which does not wait), what the variables
        have may be half a step, and is not saved; nor is what was computed wrongly, or what is saved already.
        """
        if by is not self._told_to_end or self._last_step == recording.steps_of_training:
            return
        if wrong := self._draft.wrong(losses=not self._workload.params.allow_nonfinite_loss):
            self._console.notice(f"WARNING: nothing is saved at this end: {'; '.join(wrong)}.")
            return
        try:
            self(recording)
        except SavingError as error:
            self._console.notice(f"WARNING: nothing is saved at this end. {error}")
            return
        path, seconds, nbytes = self._saved[-1]
        self._console.notice(
            f"NOTE: saved {path} ({nbytes / 1e6:.1f} MB, {seconds:.2f} s), as the run is to end: "
            f"{recording.steps_of_training} steps are done."
        )

    def _save(self, recording: Recording, complete: bool) -> None:
        self._saved.append(self._checkpoints.write(self._facts(recording, complete)))
        self._last_step = recording.steps_of_training
        self._last_seconds = recording.clock()
        self._keep()

    def _facts(self, recording: Recording, complete: bool) -> CheckpointFacts:
        workload, so_far, before = self._workload, recording.so_far(), self._resumed.facts if self._resumed else None
        steps = so_far.steps - recording.earlier.steps
        skipped = int(workload.source.counted().get("skipped_images", 0))
        return CheckpointFacts(
            run=run_facts(workload),
            steps=so_far.steps,
            steps_in_all=steps_in_all(workload.params),
            complete=complete,
            images=(before.images if before else 0) + steps * images_per_step(workload),
            skipped_steps=so_far.skipped_steps,
            skipped_images=(before.skipped_images if before else 0) + skipped,
            training_seconds=so_far.training_seconds,
            wall_seconds=so_far.wall_seconds,
            losses=list(so_far.losses) if workload.params.deterministic else [],
            loss_scale=self._step.loss_scale.state(),
            network=self._shapes["network"],
            slots=self._shapes["slots"],
            own=self._shapes["own"],
        )

    def _keep(self) -> None:
        saved: list[dict[str, Any]] = [
            {"path": path, "seconds": seconds, "bytes": nbytes} for path, seconds, nbytes in self._saved
        ]
        self._draft.sections["checkpoints"] = {
            "folder": str(self._checkpoints.folder),
            "resumed_from": self._resumed.path if self._resumed else None,
            "resumed_from_step": self._resumed.facts.steps if self._resumed else 0,
            "saved": saved,
        }
