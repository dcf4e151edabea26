"""One way to place a small step on devices: its speed, where its operations were, and what crossed devices.

The last line of output is JSON: {"figure": steps a second, "facts": {...}}.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchmarks import devices
from benchmarks.compiled_step import CompiledStep
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.errors import UserError
from benchmarks.params import CommandLine, Params, ResolvedParams
from benchmarks.placement import first_step
from benchmarks.studies.claims.programs.placed_ways import COMPUTED, WAYS, Compute, Work
from benchmarks.topology.copies import Copies, moves_bytes, prepare
from benchmarks.topology.speed import CopyError

WARMUP_STEPS = 3
SECONDS = 2.0  # of the window
STRICT = "strict"  # the way that is without soft placement
HOST = "/cpu:0"
REPEATS = 5  # of the measurement of a copy, each of which is a difference of two times, and noisy
_NUMBER_BYTES = 4  # of a float32


class SmallStep(CompiledStep):
    """A step that computes what `compute` says, and has no towers. A call ends when a number of it is at the host."""

    def __init__(self, compute: Callable[[], tf.Tensor]) -> None:
        super().__init__([], [])
        self._compute = compute
        self.trace()

    def _step(self) -> tf.Tensor:
        result = self._compute()
        with tf.device(result.device):
            return tf.reshape(result, [-1])[0]

    def __call__(self) -> None:
        """Compute once."""
        assert self._run is not None
        self._run().numpy()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a way and print what it told."""
    options = _parser().parse_args(arguments)
    params = Params(
        device=options.device,
        num_gpus=options.devices,
        allow_soft_placement=options.way != STRICT,
        log_device_placement=True,  # look at the placement wherever it is; nobody reads the lines
    )
    try:
        there = devices.set_up(params).towers
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    compute, work = WAYS[options.way], COMPUTED[options.device]
    figure, facts = measure(params, compute, there, work)
    if options.way in ("soft", STRICT):
        facts["missing_device"] = asked_for_a_missing_device(params, work)
    if options.way == "alternating":
        facts["copies"] = copies(there, _NUMBER_BYTES * work.side**2)
    sys.stdout.write(json.dumps({"figure": figure, "facts": facts}) + "\n")
    return 0


def measure(
    params: Params,
    compute: Compute,
    there: Sequence[str],
    work: Work,
    clock: Callable[[], float] = time.perf_counter,
    seconds: float = SECONDS,
) -> tuple[float, dict[str, Any]]:
    """Steps a second of `compute` on the devices `there`, and where its operations were placed."""
    step = SmallStep(lambda: compute(there, work))
    facts = placed(params, step)
    return speed(step, clock, seconds), facts


def placed(params: Params, step: CompiledStep) -> dict[str, Any]:
    """Call `step` for the first time, and tell where its operations are, as the `placement` section of a record does.

    Raises UserError where an operation cannot be where it has to be.
    """
    draft, silent = Draft(CommandLine(params), params, []), Console(io.StringIO(), io.StringIO())
    with first_step(draft, _resolved(params), step, silent, in_warmup=True):
        step()  # type: ignore[operator]  # every kind of step is called; what it returns differs
    found: dict[str, Any] = draft.sections["placement"]
    return found


def speed(call: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    """Calls a second, in a window of at least so many `seconds` after the warm-up."""
    for _ in range(WARMUP_STEPS):
        call()
    calls, begin = 0, clock()
    while (elapsed := clock() - begin) < seconds or not calls:
        call()
        calls += 1
    return calls / elapsed


def asked_for_a_missing_device(params: Params, work: Work) -> dict[str, Any]:
    """What becomes of a product that asks for a GPU that is not there: where it was `moved`, or why it `failed`."""
    missing = f"/gpu:{len(tf.config.list_logical_devices('GPU'))}"
    try:
        step = SmallStep(lambda: WAYS["pinned"]((missing,), dataclasses.replace(work, side=8)))
        return {"asked_for": missing, "moved": placed(params, step)["moved"]}
    except UserError as error:
        return {"asked_for": missing, "failed": str(error)}


def copies(there: Sequence[str], nbytes: int) -> list[dict[str, Any]]:
    """What a copy of `nbytes` takes by itself, some times: from the host, and from device to device."""
    prepare()
    ends = dict.fromkeys([(HOST, there[0]), (there[0], there[-1])])
    return [_copy(source, target, nbytes) for source, target in ends if source != target]


def _copy(source: str, target: str, nbytes: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"from": source, "to": target, "bytes": nbytes}
    try:
        copied, made = moves_bytes(source, target), Copies((source, target))
        return facts | {"copied": copied, "seconds": [made.seconds(nbytes) for _ in range(REPEATS)]}
    except CopyError as error:
        return facts | {"problem": str(error)}


def _resolved(params: Params) -> ResolvedParams:
    return ResolvedParams(**vars(params))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.claims.programs.placing", description=__doc__)
    parser.add_argument("--way", required=True, choices=sorted(WAYS))
    parser.add_argument("--device", default="cpu", choices=("cpu", "gpu"), help="what the devices are (default cpu)")
    parser.add_argument("--devices", type=int, default=2, metavar="N", help="how many (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
