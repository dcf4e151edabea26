"""The claims about how Python builds and calls graphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.studies.claims import recorded
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Way
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.runs import way

_PROGRAMS = "benchmarks.studies.claims.programs"
_SAME_LOSS = 1e-2  # of a loss: kernels that sum in another order round otherwise, and training amplifies that
# By figure of the program: the fact that tells of it, and how.
_OF_GRAPH = {
    "bytes": (
        "bytes",
        "The graph has {more:,.0f} bytes instead of {ours:,.0f}. Beyond 2 GB a graph cannot be written at all.",
    ),
    "nodes": (
        "nodes",
        "The graph has {more:,.0f} nodes instead of {ours:,.0f}. TensorFlow merges equal constants when it optimises a "
        "graph to run it, but that is after it was built.",
    ),
    "memory": (
        "grown",
        "Building the graph took {more:.1f} MiB of memory instead of {ours:.1f}; what else the process holds is "
        "TensorFlow.",
    ),
}


def _constants(_machine: Machine) -> Sequence[Case | Missing]:
    """Sizes of graphs do not depend on the machine, but on TensorFlow's release."""
    shapes = [("bytes of the graph", "bytes", "bytes", 200), ("nodes of the graph", "nodes", "nodes", 200)]
    shapes += [("memory", "memory", "MiB held", 1000), ("calls of a function", "traces", "traces", 200)]
    return [
        Case(
            name,
            _constant("tensor", figure, uses),
            _constant("Python number" if figure == "traces" else "array", figure, uses),
            seconds=6.0,
            unit=unit,
            less_is_better=True,
            reasons=_of_calls if figure == "traces" else partial(_of_graph, figure=figure),
        )
        for name, figure, unit, uses in shapes
    ]


def _constant(name: str, figure: str, uses: int) -> Way:
    kind = "tensor" if name == "tensor" else "array"
    return Way(name, program=("-m", f"{_PROGRAMS}.constants", f"--figure={figure}", f"--way={kind}", f"--uses={uses}"))


def _of_graph(advised: Sequence[Measured], other: Sequence[Measured], *, figure: str) -> list[str]:
    """How often the array stands in the graph, and what the `figure` of the case is made of."""
    fact, words = _OF_GRAPH[figure]
    uses, array_bytes = recorded.fact(other, "uses"), recorded.fact(other, "array_bytes")
    ours, more = recorded.fact(advised, fact), recorded.fact(other, fact)
    if uses is None or array_bytes is None or ours is None or more is None:
        return []
    return [
        f"The array has {array_bytes:,.0f} bytes and is used {uses:,.0f} times. As it is, it becomes a constant of the "
        "graph at each use.",
        words.format(ours=ours, more=more),
    ]


def _of_calls(advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """The same trap in TensorFlow 2."""
    del advised
    calls = recorded.fact(other, "calls")
    return [
        f"A function of TensorFlow 2 called {calls or 0:,.0f} times with different Python numbers is traced anew for "
        "each, and keeps each graph; tensors of one type and shape share one."
    ]


CONSTANT_REUSE = Claim(
    "constant_reuse",
    "A NumPy array or list passed to operations makes a new tensor each time and exhausts memory when repeated: "
    "convert it once and pass the tensor.",
    "TensorFlow performance guide (2017), on constants",
    _constants,
)


def _loops(machine: Machine) -> Sequence[Case | Missing]:
    """From the shortest step to one that computes."""
    shapes = [("trivial", 1, 4000, 100, 14.0), ("resnet20", 128 if machine.gpus else 8, 100, 10, 20.0)]
    return [
        Case(
            f"{model}, {batch} image{'s' * (batch > 1)} a step",
            _steps("many steps a call", machine, model, batch, steps, per_call, f"--steps_per_loop={per_call}"),
            _steps("one step a call", machine, model, batch, steps, per_call),
            seconds=seconds,
            reasons=partial(_cost_of_calls, per_call=per_call),
        )
        for model, batch, steps, per_call, seconds in shapes
    ]


def _steps(name: str, machine: Machine, model: str, batch: int, steps: int, warmup: int, *flags: str) -> Way:
    """Both ways make the same steps, those of the warm-up included: so their losses can be held against each other."""
    return way(name, machine, model, batch, steps, f"--num_warmup_batches={warmup}", *flags, data="cifar10")


def _cost_of_calls(looped: Sequence[Measured], single: Sequence[Measured], *, per_call: int) -> list[str]:
    """What a call costs beside its step, and whether both trained alike."""
    ours, alone = recorded.step_seconds(looped), recorded.step_seconds(single)
    loss, loss_alone = recorded.last_loss(looped), recorded.last_loss(single)
    if ours is None or alone is None or loss is None or loss_alone is None:
        return []
    told = [f"A step took {1e6 * ours:,.0f} µs with {per_call} of them in a call, {1e6 * alone:,.0f} with one."]
    if ours < alone:
        told.append(
            f"The {1e6 * (alone - ours):,.0f} µs are what Python, starting a function and fetching its loss take: much "
            "where a step is short, and little beside a long one."
        )
    else:
        told.append(
            "A loop within TensorFlow has costs of its own, and a step that computes long hides those of calls."
        )
    same = abs(loss - loss_alone) <= _SAME_LOSS * abs(loss_alone)
    told.append(
        f"Both trained alike: the last loss was {loss_alone:.4g}."
        if same
        else f"They did not train alike: the last losses were {loss:.4g} and {loss_alone:.4g}."
    )
    return [
        *told,
        "Nothing can be done between the steps of a call: no evaluation, checkpoint, trace or time of its own.",
    ]


STEPS_PER_LOOP = Claim(
    "steps_per_loop",
    "Making many steps in one call of TensorFlow saves what each call from Python costs.",
    "TensorFlow's guides to loops on accelerators (steps_per_execution, iterations_per_loop)",
    _loops,
)
