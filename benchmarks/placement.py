"""Where TensorFlow puts the operations of a step, seen once: when the first step of the warm-up places them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks import failures
from benchmarks.asynchronous_step import AsynchronousStep
from benchmarks.compiled_step import CompiledStep
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.errors import UserError
from benchmarks.params import ResolvedParams
from benchmarks.params.placement_rules import looks
from benchmarks.placed_graph import Sizes, asked_for, placed, satisfies, short
from results import placement

_TRACE = "graph_run_metadata_graph"  # what TensorBoard knows the graphs by


@contextlib.contextmanager
def first_step(
    draft: Draft, params: ResolvedParams, step: object, console: Console, *, in_warmup: bool
) -> Iterator[None]:
    """Within it `step` is to be called for the first time, `in_warmup` or later, which places its operations.

    The record of `draft` then knows what was moved, and stderr says so. Where operations ask for nothing but CPUs that
    there are, nothing can be moved, and nothing is looked at unless --log_device_placement or --device_policy=strict
    asks for it. Raises UserError where an operation cannot be, or is not, where it has to be.
    """
    graphs = graphs_of(step)
    if not params.allow_soft_placement:
        check_there(graphs)
    section = draft.sections.setdefault("placement", {})
    asked = looks(params)
    if not asked and _only_on_cpus(graphs):
        section["moved"] = []
        with _explained(params):
            yield
        return
    if isinstance(step, AsynchronousStep) or not in_warmup:  # for flags a rule says so, but for trainings that go on
        if asked:
            raise UserError(f"{asked[0]}: what is left of this training has no warm-up. Leave it out.")
        section["not_looked_at"] = "each worker begins at a time of its own" if in_warmup else "there is no warm-up"
        yield
        return
    with _explained(params), _graphs_of_functions() as functions:
        yield
    if not (found := _found(functions, graphs)):
        if asked:
            raise UserError(f"{asked[0]}: TensorFlow does not tell where this step's operations are. Leave it out.")
        section["not_looked_at"] = "TensorFlow did not tell"
        return
    section |= found
    for line in placement.moved(section):
        console.notice(f"WARNING: {line}")
    if params.log_device_placement:
        for line in placement.report(section):
            console.notice(line)
    if params.device_policy == "strict" and section["moved"]:
        raise UserError(_refused(section))


def graphs_of(step: object) -> list[tf.Graph]:
    """The graphs that a call of `step` runs; one that TensorFlow does not run has none."""
    steps = step.steps if isinstance(step, AsynchronousStep) else [step]
    return [each.graph for each in steps if isinstance(each, CompiledStep)]


def check_there(graphs: Sequence[tf.Graph]) -> None:
    """Raises UserError, with names, where operations of `graphs` ask for a device that there is not."""
    for wanted, operations in asked_for(graphs).items():
        if not _there(wanted):
            others = f" and {len(operations) - 1} more" if len(operations) > 1 else ""
            there = ", ".join(short(device.name) for device in tf.config.list_logical_devices())
            raise UserError(
                f"--noallow_soft_placement: {operations[0].type} {operations[0].name}{others}: asked for on "
                f"{short(wanted)}, which is not there, only {there}. Pass --allow_soft_placement to let TensorFlow "
                "move what it cannot place."
            )


def _only_on_cpus(graphs: Sequence[tf.Graph]) -> bool:
    """Whether the operations of `graphs` ask for CPUs that there are, or for nothing where there is nothing else."""
    there = tf.config.list_logical_devices()
    if all(device.device_type == "CPU" for device in there):
        return all(map(_there, asked_for(graphs)))
    return False


def _there(wanted: str) -> bool:
    return any(satisfies(_in_full(device), wanted) for device in tf.config.list_logical_devices())


def _in_full(device: tf.config.LogicalDevice) -> str:
    """The name of `device` with the process that it is in, which TensorFlow leaves out where there is only one."""
    here = tf.DeviceSpec(job="localhost", replica=0, task=0)
    return str(here.make_merged_spec(tf.DeviceSpec.from_string(device.name)).to_string())


@contextlib.contextmanager
def _graphs_of_functions() -> Iterator[list[Any]]:
    """The graphs (RunMetadata.FunctionGraphs) of all functions that are first called within, once it has been left.

    TensorFlow hands them out in 2.14 and 2.21 alike, but in public only as what TensorBoard shows of a trace.
    """
    functions: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        writer = tf.summary.create_file_writer(folder)  # before the trace begins: it calls functions of its own
        tf.summary.trace_on(graph=True)
        try:
            yield functions
            with writer.as_default(step=0):
                tf.summary.trace_export("step")
        finally:
            tf.summary.trace_off()
            writer.close()
        (file,) = Path(folder).iterdir()
        for event in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            for value in tf.compat.v1.Event.FromString(event).summary.value:
                if value.metadata.plugin_data.plugin_name == _TRACE:
                    metadata = tf.compat.v1.RunMetadata.FromString(value.tensor.string_val[0])
                    functions += metadata.function_graphs


def _found(functions: Sequence[Any], graphs: Sequence[tf.Graph]) -> dict[str, Any]:
    """What the `functions` tell of the graph of the step: of the one that has its operations, whoever else ran some.

    {} where none has: the step has no graph, or it was placed before.
    """
    if not graphs:
        return {}
    (graph,) = graphs
    own = {operation.name for operation in graph.get_operations()}

    def in_common(function: Any) -> float:
        names = {node.name for node in function.pre_optimization_graph.node}
        return len(own & names) / len(own | names)

    best = max(functions, key=in_common, default=None)
    return placed(best, Sizes.of(graph)) if best is not None and in_common(best) else {}


@contextlib.contextmanager
def _explained(params: ResolvedParams) -> Iterator[None]:
    """Let TensorFlow's words on an operation that it cannot place be the user's."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if not (told := failures.unplaceable(str(error.message), params)):
            raise
        raise UserError(told) from error


def _refused(section: dict[str, Any]) -> str:
    told = "; ".join(placement.moved(section, most=10))
    return f"--device_policy=strict: {told}. Pass --device_policy=report to measure them where they are."
