"""What a configuration is called: the settings that people know it by, on one line."""

from collections.abc import Mapping
from typing import Any

from results.table import printable

SETTINGS = ("model", "dataset", "num_gpus", "device", "batch_size", "variable_update", "data_format", "precision")
_FORMS = {"num_gpus": "{} towers", "batch_size": "batch {}"}


def name(settings: Mapping[str, Any]) -> str:
    """Return the known ones of `settings` (columns of a frame) in words, in their order."""
    known = {key: value for key, value in settings.items() if value not in (None, "")}
    words = [_FORMS.get(key, "{}").format(value) for key, value in known.items()]
    return printable(", ".join(words)) or "unknown configuration"
