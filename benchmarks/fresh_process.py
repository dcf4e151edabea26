"""A run in a fresh process, watched to its end: how it ended, what it said, and the record that it left or not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.children import start_python
from benchmarks.memory import MIB, resident, says_out_of_memory
from benchmarks.params import parse
from benchmarks.params.resolve import images_per_tower
from results import store
from results.record import RunRecord

PROGRAM = Path(__file__).resolve().parents[1] / "run_benchmark.py"
END_SECONDS = 20.0  # for a process that was told to end: it does so after its step
_LOOK_SECONDS = 0.05  # between looks at its memory: in that time a process can fill some hundred MiB
_MESSAGE_LINES = 12  # the end of what a failed process said


class Ended(NamedTuple):
    """A process that has ended: by itself, or by this one because it was over a limit, of memory or of time.

    `code` is negative where a signal ended it. `peak_bytes` is the most memory that it and its children were seen to
    hold, 0 where nobody looked. `words` are what it said, on stdout and stderr.
    """

    code: int
    peak_bytes: int
    over_limit: bool
    took_too_long: bool
    words: str
    seconds: float

    @property
    def last_words(self) -> str:
        """What it said of its end: its own messages, or else its last lines."""
        lines = self.words.splitlines()
        own = [line for line in lines if line.startswith(f"{PROGRAM.name}: ")] or lines[-_MESSAGE_LINES:]
        return "\n".join(own)


class Watch(NamedTuple):
    """What to do while a process runs.

    It is ended where it holds more than `limit_bytes` of memory (None: nobody looks), or after `limit_seconds`.
    `signal_to_send` gives the signal that it is to get, once there is one: it then has END_SECONDS. `on_look` is called
    twenty times a second.
    """

    limit_seconds: float = float("inf")
    limit_bytes: float | None = None
    signal_to_send: Callable[[], int | None] = lambda: None
    on_look: Callable[[], object] = lambda: None


def finish(words: Sequence[str], watch: Watch) -> Ended:
    """Run Python with `words` to its end, and end with it whatever it has started."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        began = time.monotonic()
        process = start_python(words, stdout=said, stderr=subprocess.STDOUT)
        peak, over, too_long = _wait(process, watch, began + watch.limit_seconds)
        seconds = time.monotonic() - began
        said.seek(0)
        return Ended(process.wait(), peak, over, too_long, said.read(), seconds)


def _wait(process: subprocess.Popen[str], watch: Watch, end_at: float) -> tuple[int, bool, bool]:
    """Wait for `process`: the most bytes that it was seen to hold, and whether it was ended for that.

    And whether it was at the time `end_at`, in seconds of the monotonic clock.
    """
    peak, before, kill_at, sent = 0, 0, float("inf"), None
    try:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            watch.on_look()
            if watch.limit_bytes is not None:
                # A process that it just starts has its parent's memory for a moment, which counts twice then.
                held = resident(seen)
                peak, before = max(peak, min(before, held)), held
                if peak > watch.limit_bytes:
                    return peak, True, False
            if sent is None and (sent := watch.signal_to_send()) is not None:
                process.send_signal(sent)
                kill_at = time.monotonic() + END_SECONDS
            if time.monotonic() > min(kill_at, end_at):
                return peak, False, sent is None
            time.sleep(_LOOK_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):  # its group is its session: what it has started goes too
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return peak, False, False


def record_left(folder: Path, known: set[Path], own: Callable[[RunRecord], bool]) -> RunRecord | None:
    """The first of the records in `folder`, beside the files that were `known`, that is the `own` one."""
    return next(filter(own, store.readable(set(folder.glob("*.json")) - known)), None)


def ran_out(ended: Ended, limit_bytes: float = float("inf")) -> str:
    """Why a process that left no record ran out of memory, in words; "" where it did not."""
    if ended.over_limit:
        return f"it held {ended.peak_bytes / MIB:,.0f} MiB, more than the {limit_bytes / MIB:,.0f} MiB of its limit"
    if ended.took_too_long:
        return ""
    if ended.code == -signal.SIGKILL:
        return "it was killed, as the system does where memory runs out"
    if ended.code < 0 and says_out_of_memory(ended.words):
        return f"it died of signal {-ended.code}, and said that memory ran out"
    return ""


def record_in_place(
    arguments: Sequence[str],
    began: str,
    message: str,
    *,
    status: str = "failed",
    peaks: Mapping[str, Any] | None = None,
    out_of_memory: bool = False,
) -> RunRecord:
    """The record of a run with `arguments` that could not leave one itself; `began` is when, as records write it."""
    from benchmarks.draft import Draft  # needs NumPy, for which who has nothing to record must not wait

    command = parse(arguments)
    params = replace(command.params, batch_size=images_per_tower(command.params))
    draft = Draft(command, params, [str(PROGRAM), *arguments], started_at=began, out_of_memory=out_of_memory)
    draft.peaks = dict(peaks or {})
    return draft.record(status, message)
