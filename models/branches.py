"""Layers as values, for networks whose modules branch: a `Layer` takes `net` and `x` and returns `x`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import tensorflow as tf

    from models.layers import Net

Layer: TypeAlias = "Callable[[Net, tf.Tensor], tf.Tensor]"


def chain(layers: Sequence[Layer]) -> Layer:
    """One layer after the other."""

    def build(net: Net, x: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            x = layer(net, x)
        return x

    return build


def fork(*branches: Sequence[Layer]) -> Layer:
    """Each branch, a chain of its own, from the same input; their outputs joined along the channels."""
    return lambda net, x: net.concat([chain(branch)(net, x) for branch in branches])


def scoped(name: str, layer: Layer) -> Layer:
    """`layer`, with its names prefixed by `name/`."""

    def build(net: Net, x: tf.Tensor) -> tf.Tensor:
        with net.scope(name):
            return layer(net, x)

    return build
