"""The zoo: each network as frozen, published facts and one function of `(net, images)`. Imports no TensorFlow."""

import difflib

from models import alexnet, inception, resnet, trivial, vgg
from models.network import Network, Outputs

__all__ = ["NETWORKS", "Network", "Outputs", "get"]

NETWORKS: dict[str, dict[str, Network]] = {
    "imagenet": {**resnet.IMAGENET, **inception.IMAGENET, **alexnet.IMAGENET, **vgg.IMAGENET, **trivial.IMAGENET},
    "cifar10": {**resnet.CIFAR10, **alexnet.CIFAR10, **trivial.CIFAR10},
}


def get(name: str, data_name: str) -> Network:
    """The network called `name` for the images of `data_name`. Raises LookupError, naming what there is instead."""
    networks = NETWORKS[data_name]
    if name in networks:
        return networks[name]
    others = [other for other, family in NETWORKS.items() if name in family]
    if others:
        raise LookupError(f"Model {name!r} is built for {others[0]}, not {data_name}. Pass --data_name={others[0]}.")
    close = difflib.get_close_matches(name, networks, n=1)
    raise LookupError(
        f"Unknown model {name!r}." + (f" Did you mean {close[0]!r}?" if close else "") + " See --list_models."
    )
