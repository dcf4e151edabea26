"""What a configuration is called: the settings that people know it by, on one line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from results.repeats import SETTINGS
from results.texts import printable, shown


def counted(number: int, noun: str) -> str:
    """Return "1 step" or "2,000 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def counted_names(several: Sequence[str]) -> str:
    """Return "8 x Tesla P100", or of several kinds "1 x Tesla V100 + 2 x Tesla K80"."""
    return " + ".join(f"{count} x {each}" for each, count in Counter(several).items())


def name(facts: Mapping[str, Any], *also: str) -> str:
    """Return what is known of SETTINGS, and of `also`, in words: "resnet50, imagenet, 8 towers, gpu, batch 64, NCHW".

    `facts` are columns of a frame, or those of a comparison.
    """
    known = {key: facts[key] for key in dict.fromkeys((*SETTINGS, *also)) if facts.get(key) not in (None, "")}
    return printable(", ".join(_words(key, value) for key, value in known.items())) or "unknown configuration"


def names(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name for each of `configurations`, which are facts of a comparison.

    Where several different ones share a name, it goes on with what else is not the same in them.
    """
    short = [_name_of_facts(facts) for facts in configurations]
    distinct = {frozenset(facts.items()): name for facts, name in zip(configurations, short, strict=True)}
    ambiguous = {name for name, count in Counter(distinct.values()).items() if count > 1}
    telling = {
        name: _varying([f for f, s in zip(configurations, short, strict=True) if s == name]) for name in ambiguous
    }
    return [
        ", ".join([name, *(f"{field}={shown(facts[field])}" for field in telling.get(name, ()) if field in facts)])
        for facts, name in zip(configurations, short, strict=True)
    ]


def _words(key: str, value: object) -> str:
    if key == "num_gpus":
        return f"{value} tower{'' if str(value) == '1' else 's'}"
    return f"batch {value}" if key == "batch_size" else str(value)


def _name_of_facts(facts: Mapping[str, str]) -> str:
    known = {key: value for key, value in facts.items() if value != "null"}
    return name({"dataset": known.get("data_name")} | known)


def _varying(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    fields = sorted({name for facts in configurations for name in facts})
    return [name for name in fields if len({facts[name] for facts in configurations if name in facts}) > 1]
