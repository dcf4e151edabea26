"""What a .tflite file has in it: operators in their order, and tensors. Read by the schema that LiteRT brings along."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

_BYTES = {"FLOAT32": 4, "FLOAT16": 2, "INT8": 1, "UINT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "BOOL": 1}
BETWEEN_NUMBERS = ("QUANTIZE", "DEQUANTIZE")  # bring numbers from one format to another, and compute nothing


@dataclass(frozen=True)
class Tensor:
    """A tensor: the type of its numbers, its shape (-1: as many as images), and whether the file has its values."""

    dtype: str
    shape: tuple[int, ...]
    constant: bool

    @property
    def nbytes(self) -> int:
        """Bytes of its values, where the file has them."""
        return math.prod(self.shape) * _BYTES.get(self.dtype, 0) if self.constant else 0


@dataclass(frozen=True)
class Operator:
    """An operator: its kind, and the tensors that it takes and makes."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile:
    """The operators of a model, in the order of the file; `inputs` and `outputs` are its own tensors."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def kinds(self) -> dict[str, int]:
        """How many operators there are of each kind, the most frequent first."""
        return dict(Counter(operator.kind for operator in self.operators).most_common())

    def constant_bytes(self) -> dict[str, int]:
        """Bytes of the weights and other constants, by the type of their numbers."""
        found: Counter[str] = Counter()
        for tensor in self.tensors:
            found[tensor.dtype] += tensor.nbytes
        return {dtype: count for dtype, count in found.most_common() if count}

    def computing(self) -> Iterator[Operator]:
        """The operators that do more than bring numbers into another format."""
        return (operator for operator in self.operators if operator.kind not in BETWEEN_NUMBERS)

    def in_float(self) -> dict[str, int]:
        """How many operators compute in floating point, by kind: they make float numbers of float numbers alone."""
        return dict(Counter(operator.kind for operator in self.computing() if self._is_float(operator)).most_common())

    def in_execution_order(self) -> bool:
        """Whether every operator stands behind those that make what it takes."""
        made = {*self.inputs, *(index for index, tensor in enumerate(self.tensors) if tensor.constant)}
        for operator in self.operators:
            if not made.issuperset(operator.inputs):
                return False
            made.update(operator.outputs)
        return True

    def unused(self) -> int:
        """How many operators make nothing that the model's outputs need."""
        needed, waiting = set(), list(self.outputs)
        makers = {index: operator for operator in self.operators for index in operator.outputs}
        while waiting:
            operator = makers.get(waiting.pop())
            if operator and operator not in needed:
                needed.add(operator)
                waiting += operator.inputs
        return sum(operator not in needed for operator in self.operators)

    def of_constants(self) -> int:
        """How many operators compute what could have been folded: they take nothing but constants."""
        return sum(self._all_constant(operator) for operator in self.computing())

    def _all_constant(self, operator: Operator) -> bool:
        return all(self.tensors[index].constant for index in operator.inputs)

    def _is_float(self, operator: Operator) -> bool:
        """Weights in whole numbers beside float activations are no float arithmetic; a DEQUANTIZE before would be."""
        made = [self.tensors[index].dtype for index in operator.outputs]
        taken = [self.tensors[index].dtype for index in operator.inputs]
        return "FLOAT32" in made and not {"INT8", "INT4"} & {*taken, *made}


def read(model: bytes) -> ModelFile:
    """What the .tflite file `model` has in its first graph."""
    found: Any = schema.Model.GetRootAs(model, 0)
    graph = found.Subgraphs(0)
    kinds = [_kind(found.OperatorCodes(index)) for index in range(found.OperatorCodesLength())]
    tensors = [_tensor(found, graph.Tensors(index)) for index in range(graph.TensorsLength())]
    operators = [_operator(graph.Operators(index), kinds) for index in range(graph.OperatorsLength())]
    return ModelFile(
        tuple(tensors),
        tuple(operators),
        tuple(graph.Inputs(index) for index in range(graph.InputsLength())),
        tuple(graph.Outputs(index) for index in range(graph.OutputsLength())),
    )


def _kind(code: Any) -> str:
    """Files before 2020 had no number above 127, and a field of its own for the others."""
    return _NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]


def _tensor(model: Any, tensor: Any) -> Tensor:
    signature = tensor.ShapeSignatureLength()
    shape = [tensor.ShapeSignature(index) for index in range(signature)] or [
        tensor.Shape(index) for index in range(tensor.ShapeLength())
    ]
    return Tensor(_TYPES[tensor.Type()], tuple(shape), model.Buffers(tensor.Buffer()).DataLength() > 0)


def _operator(operator: Any, kinds: list[str]) -> Operator:
    """-1 stands for an input that is left out."""
    inputs = [operator.Inputs(index) for index in range(operator.InputsLength())]
    outputs = tuple(operator.Outputs(index) for index in range(operator.OutputsLength()))
    return Operator(kinds[operator.OpcodeIndex()], tuple(index for index in inputs if index >= 0), outputs)


def _names(numbered: Any) -> dict[int, str]:
    return {number: name for name, number in vars(numbered).items() if isinstance(number, int)}


_NAMES = _names(schema.BuiltinOperator)
_TYPES = _names(schema.TensorType)
