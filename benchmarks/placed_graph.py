"""What a graph that TensorFlow has placed tells: what runs where, what was moved, and what crosses devices."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

NAMED = 20  # operations of one kind that were moved alike; of more, their number is told

_SENDS, _RECEIVES = ("_Send", "_HostSend"), ("_Recv", "_HostRecv")
# Values that a function is called with and returns, and transfers, which are told apart.
_NO_OPERATIONS = {"_Arg", "_DeviceArg", "_Retval", "_DeviceRetval", *_SENDS, *_RECEIVES}
_TRANSPOSES = ("Transpose", "_MklTranspose")  # the latter is oneDNN's
_OF_IMAGES = re.compile("Conv|Pool|BatchNorm")  # a bias, which has a layout too, may be that of a dense layer
_INLINED = re.compile(r".*/_\d+/")  # what TensorFlow puts before the names of a function's nodes where it is called
_HANDS_ON = ("Identity", "Switch")  # what comes out has the shape of what goes in


class Sizes(NamedTuple):
    """What is known of the bytes of tensors before a graph is placed: by name, and of arguments by their number."""

    tensors: Mapping[str, int | None]
    arguments: tuple[int | None, ...]

    @classmethod
    def of(cls, graph: tf.Graph) -> Sizes:
        """Of the tensors of `graph`; None where the shape is known only when it runs."""
        outputs = (output for operation in graph.get_operations() for output in operation.outputs)
        return cls({output.name: _nbytes(output) for output in outputs}, tuple(map(_nbytes, graph.inputs)))


def placed(function: Any, sizes: Sizes) -> dict[str, Any]:
    """What of the `placement` section the graphs of `function`, a RunMetadata.FunctionGraphs, tell.

    `operations`: type -> number by device; `layout`: data format -> number of operations that have one, transposes,
    and how many of these were `asked_for`; `moved`: what TensorFlow put elsewhere than it was asked for; `crossing`:
    tensors and bytes that go from device to device in a step. What XLA compiles together is one operation.
    """
    nodes = {node.name: node for part in function.partition_graphs for node in part.node}
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for node in nodes.values():
        if node.op not in _NO_OPERATIONS:
            kinds[short(node.device)][node.op] += 1
    return {
        "operations": {device: dict(kinds[device].most_common()) for device in sorted(kinds)},
        "layout": {
            "operations": dict(Counter(_text(node, "data_format") for node in nodes.values() if _has_layout(node))),
            "transposes": sum(map(_transposes, nodes.values())),
            "asked_for": sum(map(_transposes, function.pre_optimization_graph.node)),
        },
        "moved": _moved(function.pre_optimization_graph, nodes),
        "crossing": _crossing(nodes, sizes),
    }


def _has_layout(node: Any) -> bool:
    return bool(_OF_IMAGES.search(node.op)) and "data_format" in node.attr


def _transposes(node: Any) -> bool:
    return node.op in _TRANSPOSES


def short(device: str) -> str:
    """A device by the name that a run has for it: /cpu:0, or /job:worker/replica:0/task:1/cpu:0 in a cluster."""
    spec = tf.DeviceSpec.from_string(device)
    index = "*" if spec.device_index is None else spec.device_index
    local = f"/{spec.device_type.lower()}:{index}" if spec.device_type else ""
    if spec.job in (None, "localhost"):
        return local or "any"
    return f"/job:{spec.job}/replica:{spec.replica or 0}/task:{spec.task or 0}{local}"


def satisfies(device: str, requested: str) -> bool:
    """Whether `device`, a full name, is one that `requested`, which may leave parts of it open, asks for."""
    found, wanted = tf.DeviceSpec.from_string(device), tf.DeviceSpec.from_string(requested)
    parts = ("job", "replica", "task", "device_type", "device_index")
    return all(getattr(wanted, part) in (None, getattr(found, part)) for part in parts)


def _moved(asked: Any, nodes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations that are not where the graph `asked` for them, by type and devices, with the names of NAMED.

    What was optimised away, or asked for nothing, is not among them.
    """
    requested = _requested(asked)
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, node in nodes.items():
        wanted = requested.get(name) or requested.get(_INLINED.sub("", name))
        if wanted and node.op not in _NO_OPERATIONS and not satisfies(node.device, wanted):
            groups[node.op, short(wanted), short(node.device)].append(name)
    return [
        {"type": kind, "requested": wanted, "device": device, "operations": len(names), "names": names[:NAMED]}
        for (kind, wanted, device), names in sorted(groups.items())
    ]


def _requested(asked: Any) -> dict[str, str]:
    """The device that each node asks for; of a function's nodes where all functions that name one alike agree."""
    found: dict[str, str] = {}
    for function in asked.library.function:
        for node in function.node_def:
            agreed = found.setdefault(node.name, node.device) == node.device
            found[node.name] = node.device if agreed else ""
    return found | {node.name: node.device for node in asked.node}


def _crossing(nodes: Mapping[str, Any], sizes: Sizes) -> list[dict[str, Any]]:
    """What goes from device to device: `unknown` counts tensors whose shape is known only when they are sent.

    A tensor in the host's memory is on the host, whatever device computes with it.
    """
    received = {_channel(node): node for node in nodes.values() if node.op in _RECEIVES}
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for node in nodes.values():
        if node.op not in _SENDS:
            continue
        receiver = received.get(_channel(node))
        source, target = _memory(node), _memory(receiver) if receiver else short(_text(node, "recv_device"))
        if source != target:
            nbytes = _sent(node, nodes, sizes)
            found[source, target].update(tensors=1, bytes=nbytes or 0, unknown=int(nbytes is None))
    return [{"from": source, "to": target} | counts for (source, target), counts in sorted(found.items())]


def _channel(node: Any) -> tuple[str, ...]:
    return tuple(_text(node, name) for name in ("send_device", "recv_device", "tensor_name"))


def _text(node: Any, name: str) -> str:
    return str(node.attr[name].s.decode())


def _memory(node: Any) -> str:
    """The device in whose memory a sender or a receiver has its tensor."""
    if node.op.startswith("_Host"):
        return short(tf.DeviceSpec.from_string(node.device).replace(device_type="CPU", device_index=0).to_string())
    return short(node.device)


def _sent(sender: Any, nodes: Mapping[str, Any], sizes: Sizes) -> int | None:
    """The bytes of what `sender` sends; None where they are not known."""
    for name in _sources(sender.input[0], nodes):
        node, _, output = name.rpartition(":")
        if (nbytes := sizes.tensors.get(name)) is not None:
            return nbytes
        found = nodes.get(node)
        if found is not None and found.op == "_Arg":
            index = found.attr["index"].i
            return sizes.arguments[index] if index < len(sizes.arguments) else None
        if found is not None and found.op == "Const" and output == "0":
            value = found.attr["value"].tensor
            return _bytes_of(tf.TensorShape(value.tensor_shape), tf.dtypes.as_dtype(value.dtype))
    source = _text(sender, "_src")  # what it was before oneDNN made one operation of several
    return sizes.tensors.get(f"{source}:0") if f"{source}:1" not in sizes.tensors else None


def _sources(tensor: str, nodes: Mapping[str, Any]) -> Iterator[str]:
    """`tensor`, and what it was handed on from."""
    while True:
        yield tensor if ":" in tensor else f"{tensor}:0"
        node = nodes.get(tensor.partition(":")[0])
        if node is None or node.op not in _HANDS_ON or not node.input:
            return
        tensor = node.input[0]


def _nbytes(tensor: tf.Tensor) -> int | None:
    return _bytes_of(tensor.shape, tensor.dtype)


def _bytes_of(shape: tf.TensorShape, dtype: tf.DType) -> int | None:
    if not shape.is_fully_defined() or not dtype.size or dtype in (tf.resource, tf.variant, tf.string):
        return None
    return int(shape.num_elements() * dtype.size)


def asked_for(graphs: Iterable[tf.Graph]) -> dict[str, list[Any]]:
    """The operations of `graphs`, by the device that they ask for; those that ask for none are left out."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for graph in graphs:
        for operation in graph.get_operations():
            if operation.device:
                found[operation.device].append(operation)
    return dict(found)
