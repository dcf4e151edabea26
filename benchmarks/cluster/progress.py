"""How far a process has come, and which one keeps all others waiting though it lives. No TensorFlow.

A heartbeat says that a process lives, not that it gets on: its main thread may hang while another answers. So each
heartbeat carries a mark: where the main thread is, and how long it may stay there. The driver holds the marks of all
processes against the clock.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from benchmarks.cluster.cluster import Task

# A step that takes so many times the median has met more than a slow moment of the machine.
UNUSUAL = 20
_RECENT_STEPS = 50

Outcome = TypeVar("Outcome")


class Mark(NamedTuple):
    """Where a main thread is: `number` counts such places, which are the same in processes that step together.

    `seconds` is how long it may stay there, and None where it waits until other processes have done their part.
    """

    number: int
    doing: str
    seconds: float | None


class Stuck(NamedTuple):
    """A process that has been at `mark` for `seconds`, longer than it may."""

    task: Task
    mark: Mark
    seconds: float


class Progress:
    """Where this process is. The main thread moves `mark` on, and any other may read it.

    A stage of the set-up may take `setup_seconds`, and so may a first step, which compiles. Later steps, and what is
    between them, may take `step_seconds`, or 20 times the median of the last 50 steps where that is more: that no
    machine is so slow that its usual step counts as a fault.
    """

    def __init__(
        self, setup_seconds: float, step_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.mark = Mark(0, "starting", setup_seconds)
        self._setup_seconds = setup_seconds
        self._step_seconds = step_seconds
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=_RECENT_STEPS)
        self._steps = 0

    def stage(self, doing: str) -> None:
        """The run begins something that may take long; `doing` says what, as in "building the model"."""
        self._move(doing, self._setup_seconds)

    def watched(self, step: Callable[[], Outcome]) -> Callable[[], Outcome]:
        """`step`, whose calls are marked; the first one may take long."""
        first = True

        def run() -> Outcome:
            nonlocal first
            self._steps += 1
            self._move(f"in step {self._steps}", self._setup_seconds if first else self._patience())
            begin = self._clock()
            outcome = step()
            self._recent.append(self._clock() - begin)
            self._move(f"past step {self._steps}", self._patience())
            first = False
            return outcome

        return run

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Meanwhile this process waits for others, for as long as it takes."""
        before = self.mark
        self.mark = before._replace(seconds=None)
        try:
            yield
        finally:
            self.mark = before

    def _move(self, doing: str, seconds: float) -> None:
        self.mark = Mark(self.mark.number + 1, doing, seconds)

    def _patience(self) -> float:
        return max(self._step_seconds, UNUSUAL * statistics.median(self._recent))


class Standstill:
    """Notices who does not get on, from what is heard of every process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[Task, tuple[Mark, float]] = {}

    def heard(self, task: Task, mark: Mark) -> None:
        """`task` is at `mark`."""
        if task not in self._since or self._since[task][0] != mark:
            self._since[task] = (mark, self._clock())

    def forgive(self) -> None:
        """Start counting anew: this process itself was held up, and has not heard how far the others have come."""
        self._since = {task: (mark, self._clock()) for task, (mark, _) in self._since.items()}

    def stuck(self) -> list[Stuck]:
        """The processes that keep the run from going on; none unless each of them has taken longer than it may.

        Who steps together with others waits for them within the step, so the ones to blame are those that have come
        least far: the others may only be waiting.
        """
        now = self._clock()
        at_work = [Stuck(task, mark, now - since) for task, (mark, since) in self._since.items() if _is_at_work(mark)]
        least = min((each.mark.number for each in at_work), default=0)
        behind = [each for each in at_work if each.mark.number == least]
        late = [each for each in behind if each.mark.seconds is not None and each.seconds > each.mark.seconds]
        return behind if len(late) == len(behind) else []


def _is_at_work(mark: Mark) -> bool:
    return mark.seconds is not None


def explain(stuck: list[Stuck], names: Mapping[Task, str]) -> str:
    """What to tell of the processes that are `stuck`."""
    first = stuck[0]
    who = ", ".join(names[each.task] for each in stuck)
    one = len(stuck) == 1
    return (
        f"{who}: {'it lives but does' if one else 'they live but do'} not get on: {first.mark.doing} for "
        f"{first.seconds:.0f} s, where {first.mark.seconds:.0f} s are allowed (--cluster_timeout_secs or {UNUSUAL} "
        "median steps; --setup_timeout_secs up to the end of the first step)"
    )
