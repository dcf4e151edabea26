"""The graph of a step as a file (--graph_file)."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from benchmarks.output_file import write

_TEXT = (".txt", ".pbtxt")


def write_graph(file: str, graph: tf.Graph) -> None:
    """Write `graph` to `file` as a GraphDef, as text or binary by its ending. Raises UserError where that fails."""
    definition = graph.as_graph_def()
    as_text = Path(file.removesuffix(".gz")).suffix in _TEXT
    write("graph_file", file, str(definition).encode() if as_text else definition.SerializeToString())
