"""The transforms of TensorFlow 1's graph transform tool, and what the converter has done in the place of each.

What it did is looked at in the graph that was traced, in the float model and in the quantised one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from benchmarks.quantization.model_file import ModelFile

_PASSING_ON = ("Identity", "CheckNumerics", "ReadVariableOp", "StopGradient", "PreventGradient")
# What would be left of them in a file: a variable that was not frozen, and what LiteRT has no operator of its own for.
_STILL_PASSING_ON = ("READ_VARIABLE", "CUSTOM")
_FIXED = ("Const", "Placeholder", "NoOp")  # compute nothing
_SCALING = ("MUL",)


@dataclass(frozen=True)
class Graph:
    """What is counted of a TensorFlow graph: operations by type, and three numbers.

    `unused` are those that the output does not need, `of_constants` those that it needs and that do not depend on the
    images, `batch_norms` the batch norms, whether they are an operation each or composed of several.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    unused: int = 0
    of_constants: int = 0
    batch_norms: int = 0


def count(graph: tf.Graph, images: tf.Tensor, outputs: Iterable[tf.Tensor]) -> Graph:
    """Count the operations of `graph` between `images` and `outputs`."""
    operations = graph.get_operations()
    needed = _needed([tensor.op for tensor in outputs])
    depending = {images.op}
    for operation in operations:  # in the order of their making: what they take stands before them
        if any(tensor.op in depending for tensor in operation.inputs):
            depending.add(operation)
    of_constants = [each for each in needed if each not in depending and each.type not in (*_FIXED, *_PASSING_ON)]
    kinds = dict(Counter(operation.type for operation in operations).most_common())
    norms = sum(_is_batch_norm(operation, depending) for operation in needed)
    return Graph(kinds, len(set(operations) - needed - {images.op}), len(of_constants), norms)


def _is_batch_norm(operation: tf.Operation, depending: Container[tf.Operation]) -> bool:
    """Whether an operation is a fused batch norm, or the product of a composed one: by what a variance's root is in."""
    if operation.type == "Mul":
        factors = [tensor.op for tensor in operation.inputs if tensor.op not in depending]
        return len(factors) == 1 and any(each.type == "Rsqrt" for each in _needed(factors))
    return bool(operation.type.startswith("FusedBatchNorm"))


def _needed(outputs: Iterable[tf.Operation]) -> set[tf.Operation]:
    needed: set[tf.Operation] = set()
    waiting = list(outputs)
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return needed


def transforms(traced: Graph, plain: ModelFile, quantized: ModelFile) -> list[dict[str, Any]]:
    """What became of each transform: its name, what it is about, and the number of that before and after.

    `plain` is the float model. Batch norms that follow no convolution stay as a multiplication and an addition.
    """
    scalings = sum(_scales(plain, number) for number in range(len(plain.operators)))
    passing_on = [_number(traced.kinds, _PASSING_ON), _number(quantized.kinds(), _STILL_PASSING_ON)]
    return [
        _transform("strip unused nodes", "operations that the output does not need", traced.unused, quantized.unused()),
        _transform("remove identity", ", ".join(_PASSING_ON[:3]), *passing_on),
        _transform("fold constants", "operations on constants alone", traced.of_constants, quantized.of_constants()),
        _transform(
            "fold batch norms",
            "batch norms, or multiplications that are left of them",
            traced.batch_norms,
            min(traced.batch_norms, scalings),
        ),
        _transform(
            "quantise weights",
            "bytes of float32 constants",
            plain.constant_bytes().get("FLOAT32", 0),
            quantized.constant_bytes().get("FLOAT32", 0),
        ),
        _transform(
            "quantise nodes",
            "operators that compute in float",
            *(sum(file.in_float().values()) for file in (plain, quantized)),
        ),
        _transform("sort by execution order", "files that are out of order", None, _out_of_order(plain, quantized)),
    ]


def _transform(name: str, what: str, before: int | None, after: int) -> dict[str, Any]:
    return {"name": name, "what": what, "before": before, "after": after}


def _number(counts: Mapping[str, int], kinds: Iterable[str]) -> int:
    return sum(counts.get(kind, 0) for kind in kinds)


def _scales(model: ModelFile, number: int) -> bool:
    """Whether an operator multiplies by constants: what is left of a batch norm that nothing took in."""
    operator = model.operators[number]
    return operator.kind in _SCALING and any(model.tensors[index].constant for index in operator.inputs)


def _out_of_order(*models: ModelFile) -> int:
    return sum(not model.in_execution_order() for model in models)
