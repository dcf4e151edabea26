"""What a run did, in the words of the console's header."""

from collections.abc import Mapping
from typing import Any

TRAINING = "training"
TRAINING_AND_EVALUATION = "training + evaluation"
_BY_FLAG = {"forward_only": "forward only", "eval": "evaluation", "input_only": "input only"}


def mode(settings: Mapping[str, Any]) -> str:
    """Return the mode that `settings`, flags of a run, ask for."""
    found = next((words for flag, words in _BY_FLAG.items() if settings.get(flag)), None)
    if found:
        quantized = settings.get("quantize")
        return f"{found}, {quantized}" if quantized not in (None, "none") else found
    evaluates = any(value for name, value in settings.items() if name.startswith("eval_during_training"))
    return TRAINING_AND_EVALUATION if evaluates else TRAINING
