"""Short names of configurations for people, the same from night to night."""

from collections import Counter
from collections.abc import Mapping, Sequence


def names(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name for each: "resnet50, 8 x 64, replicated, NCHW, fp32" (towers x images per tower).

    Where several different ones share a name, it goes on with what else is not the same in them.
    """
    short = [_short(facts) for facts in configurations]
    distinct = {frozenset(facts.items()): name for facts, name in zip(configurations, short, strict=True)}
    ambiguous = {name for name, count in Counter(distinct.values()).items() if count > 1}
    telling = {
        name: _varying([f for f, s in zip(configurations, short, strict=True) if s == name]) for name in ambiguous
    }
    return [
        ", ".join([name, *(f"{field}={facts[field]}" for field in telling.get(name, ()) if field in facts)])
        for facts, name in zip(configurations, short, strict=True)
    ]


def _short(facts: Mapping[str, str]) -> str:
    size = " x ".join(facts[name] for name in ("num_gpus", "batch_size") if name in facts)
    parts = [facts.get("model", "unknown model"), size]
    parts += [facts.get(name, "") for name in ("variable_update", "data_format", "precision")]
    return ", ".join(part for part in parts if part and part != "null")


def _varying(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    fields = sorted({name for facts in configurations for name in facts})
    return [name for name in fields if len({facts[name] for facts in configurations if name in facts}) > 1]
