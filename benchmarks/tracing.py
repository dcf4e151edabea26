"""Steps that are traced by TensorFlow's profiler: in the warm-up, or in a pause of the window."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from benchmarks import xplane
from benchmarks.chrome_trace import chrome_trace
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.errors import UserError
from benchmarks.measure import Outcome, Recording, warm_up
from benchmarks.op_profile import milliseconds_by_type, table
from benchmarks.output_file import write
from benchmarks.params import ResolvedParams
from benchmarks.params.traced_steps import traced_steps

Step = Callable[[], Outcome]


class Tracing:
    """Traces the steps that the parameters of `draft` name, and writes the files they ask for.

    The record of `draft` says which steps they were.
    """

    def __init__(self, draft: Draft, params: ResolvedParams, kind: str, console: Console) -> None:
        """`kind` is what the towers run on, "cpu" or "gpu". Raises UserError where the run does not have the steps."""
        self._draft = draft
        self._params = params
        self._kind = kind
        self._console = console
        self.steps = traced_steps(params.trace_steps)
        if self.steps.first > params.num_batches:
            raise UserError(
                f"--trace_steps={params.trace_steps} is beyond the end of the run, which has {params.num_batches} "
                "steps. Give a step that it has."
            )

    def warm_up(self, step: Step, recording: Recording, steps: int, on_step: Callable[[Recording], None]) -> None:
        """Run `steps` steps outside the measurement, and trace those of them that are to be."""
        first, last = self.steps
        warm_up(step, recording, steps + first, on_step)
        with self._traced():
            warm_up(_annotated(step, first), recording, last - first + 1, on_step)
        warm_up(step, recording, -1 - last, on_step)

    def apart(self, step: Step, check: Callable[[], None]) -> None:
        """Make and trace steps that the measurement knows nothing of; their losses are told apart."""
        annotated, losses = _annotated(step, self.steps.first), []
        with self._traced():
            for _ in self.steps.numbers:
                losses.append(annotated().loss)
                check()
        if not self._params.input_only and not self._params.forward_only:
            self._draft.sections["trace"]["losses"] = losses

    @contextlib.contextmanager
    def _traced(self) -> Iterator[None]:
        """Trace what happens within; once it has, write the files."""
        with tempfile.TemporaryDirectory() as folder:
            with _profiled(folder, self._flags):
                yield
            (found,) = Path(folder).glob("plugins/profile/*/*.xplane.pb")
            space = found.read_bytes()
        profile = xplane.read(space)
        for complaint in profile.complaints:
            self._console.notice(f"WARNING: {self._flags}: the profiler says: {complaint}")
        if self._kind == "gpu" and not any(plane.is_gpu for plane in profile.planes):
            self._console.notice(
                f"WARNING: {self._flags}: the profiler saw nothing of the GPUs. The driver may reserve its counters "
                "for administrators (NVreg_RestrictProfilingToAdminUsers)."
            )
        self._write(space, profile)
        self._draft.sections["trace"] = {
            "steps": self.steps.numbers,
            "in_pause": not self.steps.in_warmup,
            "milliseconds": milliseconds_by_type(profile),
        }

    def _write(self, space: bytes, profile: xplane.Profile) -> None:
        params = self._params
        if params.trace_file:
            self._console.line(f"Dumping trace to {params.trace_file}")
            data = json.dumps(chrome_trace(profile), separators=(",", ":")).encode()
            write("trace_file", params.trace_file, data if params.use_chrome_trace_format else space)
        if params.tfprof_file:
            title = (
                f"{params.model}, {params.batch_size} images a tower, {params.num_gpus} tower(s), {params.precision}"
            )
            write("tfprof_file", params.tfprof_file, table(profile, title).encode())
            self._console.notice(f"Profile of operations: {params.tfprof_file}")

    @property
    def _flags(self) -> str:
        given = {"trace_file": self._params.trace_file, "tfprof_file": self._params.tfprof_file}
        return " and ".join(f"--{name}={value}" for name, value in given.items() if value)


class TracePause:
    """The pause in which steps are made and traced."""

    def __init__(self, tracing: Tracing, step: Step, check: Callable[[], None]) -> None:
        self._tracing = tracing
        self._step = step
        self._check = check

    def due(self, recording: Recording) -> bool:
        """Whether the latest step is the one after which to trace."""
        return len(recording.step_seconds) == self._tracing.steps.first

    def __call__(self, recording: Recording) -> bool:
        """Trace; the training goes on."""
        del recording
        self._tracing.apart(self._step, self._check)
        return False


@contextlib.contextmanager
def _profiled(folder: str, flags: str) -> Iterator[None]:
    """Let the profiler record what happens within, into `folder`; nothing is kept where it raises."""
    try:
        tf.profiler.experimental.start(folder)
    except tf.errors.AlreadyExistsError as error:
        raise UserError(
            f"{flags}: another profiler runs in this process already. End it, or leave that out."
        ) from error
    try:
        yield
    except BaseException:
        tf.profiler.experimental.stop(save=False)
        raise
    tf.profiler.experimental.stop()


def _annotated(step: Step, first: int) -> Step:
    """`step` as an event of the trace with its number, from `first` on."""
    number = first

    def annotated() -> Outcome:
        nonlocal number
        with tf.profiler.experimental.Trace(xplane.STEP, step_num=number, _r=1):
            outcome = step()
        number += 1
        return outcome

    return annotated
