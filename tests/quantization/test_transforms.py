"""What became of the old tool's transforms is counted in the files, also where the converter did not do it."""

from benchmarks.quantization.model_file import ModelFile, Operator, Tensor
from benchmarks.quantization.transforms import Graph, transforms

FLOAT, WHOLE = Tensor("FLOAT32", (-1, 4), constant=False), Tensor("INT8", (-1, 4), constant=False)
WEIGHTS, SHAPE = Tensor("FLOAT32", (4, 4), constant=True), Tensor("INT32", (2,), constant=False)


def test_what_a_file_still_has_is_counted():
    tensors = (FLOAT, WEIGHTS, FLOAT, FLOAT, SHAPE, FLOAT)
    used = (Operator("FULLY_CONNECTED", (0, 1), (2,)), Operator("SHAPE", (2,), (4,)), Operator("RESHAPE", (2, 4), (5,)))
    left = Operator("READ_VARIABLE", (1,), (3,))
    plain, quantized = (ModelFile(tensors, operators, (0,), (5,)) for operators in (used, (*used, left)))
    found = {
        each["name"]: (each["before"], each["after"]) for each in transforms(Graph({"Identity": 7}), plain, quantized)
    }
    assert found["strip unused nodes"] == (0, 1)
    assert found["remove identity"] == (7, 1)
    assert found["fold constants"] == (0, 1)
    assert found["quantise nodes"] == (2, 3), "a shape is no float"
    assert found["quantise weights"] == (64, 64)
