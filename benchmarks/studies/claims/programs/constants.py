"""An array used again and again while a graph is built, and numbers passed again and again to a function.

The figure is what --figure names: bytes and nodes of the graph, MiB of memory that the process holds after it is built,
or traces of the function.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil

from benchmarks.studies.claims.programs.told import tell

GRAPH_FIGURES = ("bytes", "nodes", "memory")
FIGURES = (*GRAPH_FIGURES, "traces")
WAYS = ("array", "tensor")


def graph_of(way: str, uses: int, width: int) -> Any:
    """A graph that multiplies by the same [`width`, `width`] matrix so many times: an array, or a tensor made once."""
    import tensorflow as tf

    matrix = np.random.default_rng(0).random((width, width), np.float32)
    graph = tf.Graph()
    with graph.as_default():
        factor = tf.constant(matrix) if way == "tensor" else matrix
        product = tf.ones([1, width])
        for _ in range(uses):
            product = tf.matmul(product, factor)
    return graph


def traces_of(way: str, uses: int) -> int:
    """How often a function is traced that is called with so many numbers: of Python, or tensors."""
    import tensorflow as tf

    traces = 0

    def twice(number: Any) -> Any:
        nonlocal traces
        traces += 1
        return 2 * number

    function = tf.function(twice, autograph=False)
    for number in range(uses):
        function(tf.constant(number) if way == "tensor" else number)
    return traces


def measured(figure: str, way: str, uses: int, width: int) -> tuple[float, dict[str, float]]:
    """The figure, and what else there is to tell."""
    process = psutil.Process()
    if figure == "traces":
        return traces_of(way, uses), {"calls": uses}
    graph_of("tensor", 1, 1)  # TensorFlow's first graph takes memory of its own
    before = process.memory_info().rss
    graph = graph_of(way, uses, width)
    after = process.memory_info().rss
    definition = graph.as_graph_def()
    facts = {
        "bytes": definition.ByteSize(),
        "nodes": len(definition.node),
        "memory": after / 2**20,
        "grown": (after - before) / 2**20,
        "array_bytes": 4 * width**2,
        "uses": uses,
    }
    return facts[figure], facts


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what `arguments` say, and tell it."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--figure", choices=FIGURES, required=True)
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--uses", type=int, required=True, help="of the array in the graph, or calls of the function")
    parser.add_argument("--width", type=int, default=256, help="of the matrix, in float32")
    options = parser.parse_args(arguments)
    figure, facts = measured(options.figure, options.way, options.uses, options.width)
    return tell(figure, **facts)


if __name__ == "__main__":
    sys.exit(main())
