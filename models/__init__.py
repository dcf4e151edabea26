"""The zoo: each network as frozen, published facts and one function of `(net, images)`. Imports no TensorFlow."""

import difflib
import itertools
from collections.abc import Iterable

from models import (
    alexnet,
    densenet,
    efficientnet,
    googlenet,
    inception,
    inception4,
    lenet,
    mobilenet,
    overfeat,
    resnet,
    trivial,
    vgg,
)
from models.network import Network, Outputs
from models.recipes import Recipe

__all__ = ["NETWORKS", "Network", "Outputs", "Recipe", "get"]

_IMAGENET = (
    resnet,
    inception,
    inception4,
    googlenet,
    densenet,
    mobilenet,
    efficientnet,
    vgg,
    alexnet,
    overfeat,
    lenet,
    trivial,
)
_CIFAR10 = (resnet, densenet, alexnet, trivial)

NETWORKS: dict[str, dict[str, Network]] = {
    "imagenet": {name: network for family in _IMAGENET for name, network in family.IMAGENET.items()},
    "cifar10": {name: network for family in _CIFAR10 for name, network in family.CIFAR10.items()},
}


def get(name: str, data_name: str) -> Network:
    """The network called `name` for the images of `data_name`. Raises LookupError, naming what there is instead."""
    networks = NETWORKS[data_name]
    if name in networks:
        return networks[name]
    others = [other for other, family in NETWORKS.items() if name in family]
    if others:
        raise LookupError(f"Model {name!r} is built for {others[0]}, not {data_name}. Pass --data_name={others[0]}.")
    close = _closest(name, networks)
    raise LookupError(
        f"Unknown model {name!r}." + (f" Did you mean {close!r}?" if close else "") + " See --list_models."
    )


def _closest(name: str, networks: Iterable[str]) -> str | None:
    """The one of `networks` most like `name`; of equals the one that begins like it for longer, as depths come last."""

    def likeness(other: str) -> tuple[float, int]:
        alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False))
        return difflib.SequenceMatcher(None, other, name).ratio(), len(list(alike))

    return max(difflib.get_close_matches(name, networks, n=10), key=likeness, default=None)
