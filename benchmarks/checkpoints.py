"""The checkpoints of a training in a folder: which there are, what they are of, and how they are written.

TensorFlow writes the data of a checkpoint, then its index, and then, by renaming, the file `checkpoint`, which says
which ones count; only after that the oldest are deleted. So whatever ends the process, the last that counts is whole.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from benchmarks.errors import UserError

PREFIX = "model.ckpt"  # tf_cnn_benchmarks' name
FORMAT = 1
_FACTS_KEY = "facts/.ATTRIBUTES/VARIABLE_VALUE"  # the name that TensorFlow gives a variable kept as `facts`
_UNREADABLE = (tf.errors.OpError, LookupError, ValueError, RuntimeError)  # what reading damaged files raises

Shapes = dict[str, list[int]]


class SavingError(Exception):
    """A checkpoint could not be written. The message is for the user; those before it are as they were."""


@dataclass(frozen=True, kw_only=True)
class CheckpointFacts:
    """What a checkpoint is of, and how far the training had come; it stands in the checkpoint, as JSON.

    `run` has the flags and facts that a resumed run is compared by. `steps` are those done, of the `steps_in_all` that
    were asked for; `complete` says that the training ended with them. `images` are those seen over all towers, and the
    rest is as in `Earlier`. `network`, `slots` and `own` are the shapes of the variables that the checkpoint has.
    """

    run: dict[str, Any]
    steps: int
    steps_in_all: int
    complete: bool
    images: int
    skipped_steps: int = 0
    skipped_images: int = 0
    training_seconds: float = 0.0
    wall_seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    loss_scale: dict[str, float] = field(default_factory=dict)
    network: Shapes = field(default_factory=dict)
    slots: Shapes = field(default_factory=dict)
    own: Shapes = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> CheckpointFacts:
        """What `to_json` has made. Raises ValueError where that has been another version."""
        found = json.loads(text)
        if found.get("format") != FORMAT:
            raise ValueError(f"its format is {found.get('format')}, and this version reads {FORMAT}")
        return cls(**found)


class Written(NamedTuple):
    """A checkpoint that was written: its path without endings, the seconds that took, and its size on disk."""

    path: str
    seconds: float
    nbytes: int


class Checkpoints:
    """Those in `folder`, which the option `flag` names; what is wrong with them is an error that says what to do."""

    def __init__(self, folder: str | Path, flag: str = "train_dir") -> None:
        self.folder = Path(folder).expanduser().absolute()
        self._given = f"--{flag}={folder}"
        self._lock: int | None = None
        self._facts: tf.Variable | None = None
        self._manager: tf.train.CheckpointManager | None = None

    def paths(self) -> list[str]:
        """The checkpoints that count and are there, the oldest first."""
        return [path for path in self._named() if Path(f"{path}.index").is_file()]

    def latest(self) -> str | None:
        """The one to go on from; None where the folder is to be trained in anew. Raises UserError where it is neither.

        A file of a checkpoint without the one that says that it counts may be all that somebody has.
        """
        if found := self.paths():
            return found[-1]
        if self._named():
            raise UserError(
                f"{self._given}: its file 'checkpoint' names {Path(self._named()[-1]).name}, and no checkpoint that it "
                "names is there. Delete that file to train anew, or give another folder."
            )
        stray = sorted(self.folder.glob(f"{PREFIX}-*.index"))
        if stray:
            raise UserError(
                f"{self._given} has {stray[-1].name}, but no readable file 'checkpoint' that says which checkpoints "
                f"count (a first one that was cut off leaves it so). Delete {PREFIX}-* to train anew, or give another "
                "folder."
            )
        return None

    def facts(self, path: str) -> CheckpointFacts:
        """What the checkpoint `path` is of. Raises UserError where it is damaged, or not one of this benchmark."""
        try:
            reader = tf.train.load_checkpoint(path)
            if not reader.has_tensor(_FACTS_KEY):
                raise UserError(
                    f"{self._given}: {Path(path).name} is a checkpoint of another program (tf_cnn_benchmarks, Keras). "
                    "Give another folder."
                )
            text = reader.get_tensor(_FACTS_KEY)
        except _UNREADABLE as error:
            raise self._damaged(path, error) from error
        try:
            return CheckpointFacts.from_json(text)
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{self._given}: {Path(path).name} was written by another version of this benchmark ({error}). Give "
                "another folder, or train on with that version."
            ) from error

    def read(self, path: str, variables: Mapping[str, Mapping[str, tf.Variable]]) -> None:
        """Assign what the checkpoint `path` has to `variables`, by group and name; all of them are in it.

        Raises UserError where it is damaged.
        """
        try:
            status = tf.train.Checkpoint(**variables).restore(path)
            status.assert_existing_objects_matched().expect_partial()
        except (*_UNREADABLE, AssertionError) as error:
            raise self._damaged(path, error) from error

    def begin(self, variables: Mapping[str, Mapping[str, tf.Variable]], keep: int) -> None:
        """Be ready to write `variables`, by group and name, and to keep so many checkpoints."""
        with tf.device("/cpu:0"):
            self._facts = tf.Variable("", trainable=False, name="facts")
        self._manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(facts=self._facts, **variables), str(self.folder), keep, checkpoint_name=PREFIX
        )

    def lock(self) -> None:
        """Have the folder alone, until the process ends, and clear away what one that was killed left of a checkpoint.

        Raises UserError where another process trains in it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"{self._given}: another process trains in it. Wait for it, or give another folder.") from (
                error
            )
        except OSError as error:
            raise UserError(f"{self._given}: {error.strerror}. Give a folder that can be written.") from error
        for unfinished in self.folder.glob(f"{PREFIX}-*_temp"):
            shutil.rmtree(unfinished, ignore_errors=True)

    def unlock(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write(self, facts: CheckpointFacts) -> Written:
        """Write the variables as they are now; `facts` name no step that was saved before. Raises SavingError."""
        assert self._manager is not None, "writing has begun"
        assert self._facts is not None, "writing has begun"
        begin, path = time.perf_counter(), str(self.folder / f"{PREFIX}-{facts.steps}")
        try:
            self._facts.assign(facts.to_json())
            self._manager.save(checkpoint_number=facts.steps)
        except (tf.errors.OpError, OSError) as error:
            self._clear_away(path)
            raise SavingError(
                f"{self._given}: {Path(path).name} could not be written ({_reason(error)}). The checkpoints before it "
                "are as they were; see to the disk, and the same command goes on from the last of them."
            ) from error
        except BaseException:  # a second signal, which does not wait
            self._clear_away(path)
            raise
        seconds = time.perf_counter() - begin
        return Written(path, seconds, sum(file.stat().st_size for file in self.folder.glob(f"{Path(path).name}.*")))

    def _named(self) -> list[str]:
        """Those that the file `checkpoint` names, the oldest first."""
        state = tf.train.get_checkpoint_state(str(self.folder)) if self.folder.is_dir() else None
        return list(state.all_model_checkpoint_paths) if state else []

    def _clear_away(self, path: str) -> None:
        """Remove what there is of a checkpoint that could not be written, unless it counts all the same."""
        if path in self._named():
            return
        shutil.rmtree(f"{path}_temp", ignore_errors=True)
        for file in self.folder.glob(f"{Path(path).name}.*"):
            file.unlink(missing_ok=True)

    def _damaged(self, path: str, error: Exception) -> UserError:
        name, before = Path(path).name, [other for other in self.paths() if other != path]
        way_out = (
            f"Delete {name}.* to take {Path(before[-1]).name}, the one before it"
            if before
            else "It is the only one: delete it and the file 'checkpoint' to train anew"
        )
        return UserError(
            f"{self._given}: the checkpoint {name} is damaged ({_reason(error)}). {way_out}, or give another folder."
        )


def _reason(error: Exception) -> str:
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    text = re.sub(r"\{\{function_node .*?\}\} ?| \[Op:\w+\]", "", text)  # where in the graph tells a user nothing
    return f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else 'no message'}"
