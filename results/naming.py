"""What a configuration is called: the settings that people know it by, on one line."""

from collections.abc import Mapping
from typing import Any

from results.table import printable

SETTINGS = ("model", "dataset", "num_gpus", "device", "batch_size", "variable_update", "data_format", "precision")


def counted(number: object, noun: str) -> str:
    """Return "1 step" or "2 steps"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def name(settings: Mapping[str, Any]) -> str:
    """Return the known ones of `settings` (columns of a frame) in words, in their order."""
    known = {key: value for key, value in settings.items() if value not in (None, "")}
    forms = {"num_gpus": lambda value: counted(value, "tower"), "batch_size": lambda value: f"batch {value}"}
    words = [forms.get(key, str)(value) for key, value in known.items()]
    return printable(", ".join(words)) or "unknown configuration"
