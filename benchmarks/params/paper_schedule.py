"""--paper_schedule: the options that train a model as its paper did, but for those that were given."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import models
from benchmarks.params.data_set import data_name
from benchmarks.params.params import Params
from models.network import Network
from models.recipes import Falling, Recipe, Stages

_RATES = ("piecewise_learning_rate_schedule", "resnet_base_lr")  # they say rate and decay together
_DECAYS = (
    *_RATES, "cosine_decay", "num_epochs_per_decay", "learning_rate_decay_factor", "minimum_learning_rate"
)  # fmt: skip
_OF_AN_OPTIMIZER = ("momentum", "nesterov", "rmsprop_momentum", "rmsprop_decay", "rmsprop_epsilon")
# An option of the paper's also gives way to others that say the same in another way.
_RIVALS = {
    "init_learning_rate": _RATES,
    "learning_rate_batch_size": ("init_learning_rate", *_RATES),
    "num_learning_rate_warmup_epochs": ("resnet_base_lr",),  # it has a warm-up of its own
    "gradient_clip_norm": ("gradient_clip",),
    **dict.fromkeys(_DECAYS, _DECAYS),
}


def with_paper_schedule(params: Params, given: Collection[str]) -> Params:
    """`params` with what their model's paper says, where they ask for it; options that were `given` stay."""
    return dataclasses.replace(params, **taken_from_paper(params, given))


def network_of(params: Params) -> Network | None:
    """The network that `params` name; None where there is no such one, which is for other rules to say."""
    name = data_name(params)
    try:
        return models.get(params.model, name) if name in models.NETWORKS else None
    except LookupError:
        return None


def taken_from_paper(params: Params, given: Collection[str]) -> dict[str, Any]:
    """The options that the paper sets, with its values; {} without --paper_schedule."""
    settings = _settings(params)
    another = "optimizer" in given and params.optimizer != settings.get("optimizer")
    idle = _OF_AN_OPTIMIZER if another else ()
    return {
        name: value
        for name, value in settings.items()
        if name not in idle and not {name, *_RIVALS.get(name, ())} & set(given)
    }


def paper_facts(params: Params, given: Collection[str]) -> dict[str, Any]:
    """What a record keeps: the source, what was set by it, and which of its options flags say otherwise."""
    network = network_of(params)
    if not params.paper_schedule or network is None or network.recipe is None:
        return {}
    taken = taken_from_paper(params, given)
    otherwise = [name for name in _settings(params) if name not in taken]
    return {
        "source": network.recipe.source,
        "epochs": network.recipe.epochs,
        "set": taken,
        "not_set": otherwise,
        "without": network.recipe.without,
    }


def notice(facts: dict[str, Any]) -> str:
    """What stderr says of `facts`."""
    told = ", ".join(f"{name}={value}" for name, value in facts["set"].items()) or "nothing"
    kept = f" By other flags: {', '.join(facts['not_set'])}." if facts["not_set"] else ""
    length = f" Its training has {facts['epochs']:g} epochs." if facts["epochs"] else ""
    without = f" Not done: {facts['without']}." if facts["without"] else ""
    return f"--paper_schedule ({facts['source']}) sets {told}.{kept}{length}{without}"


def _settings(params: Params) -> dict[str, Any]:
    """All options that the recipe of the model speaks of."""
    network = network_of(params)
    recipe = network.recipe if params.paper_schedule and network else None
    if recipe is None:
        return {}
    rms = recipe.optimizer == "rmsprop"
    settings = {
        "optimizer": recipe.optimizer,
        "rmsprop_momentum" if rms else "momentum": recipe.momentum,
        "nesterov": None if rms else recipe.nesterov,
        "rmsprop_decay": recipe.rmsprop_decay,
        "rmsprop_epsilon": recipe.rmsprop_epsilon,
        "init_learning_rate": recipe.learning_rate,
        "learning_rate_batch_size": recipe.batch_size,
        "num_learning_rate_warmup_epochs": recipe.warmup_epochs,
        **_decay(recipe, recipe.learning_rate if params.init_learning_rate is None else params.init_learning_rate),
        "weight_decay": recipe.weight_decay,
        "label_smoothing": recipe.label_smoothing,
        "gradient_clip_norm": recipe.largest_norm,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _decay(recipe: Recipe, rate: float | None) -> dict[str, Any]:
    """The options of the decay; `rate` is what it begins with."""
    if isinstance(recipe.decay, Falling):
        return {"num_epochs_per_decay": float(recipe.decay.epochs), "learning_rate_decay_factor": recipe.decay.factor}
    if isinstance(recipe.decay, Stages):
        assert rate is not None, "what falls in stages has a rate"
        rates = [f"{rate * factor:.6g}" for factor in recipe.decay.factors]
        parts = [part for pair in zip(rates, map(str, recipe.decay.epochs), strict=False) for part in pair]
        return {"piecewise_learning_rate_schedule": ";".join([*parts, rates[-1]])}
    return {}
