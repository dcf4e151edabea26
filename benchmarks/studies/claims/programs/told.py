"""How a program of a study ends."""

from __future__ import annotations

import json
import sys
from typing import Any


def tell(figure: float, **facts: Any) -> int:
    """Print the line of JSON that the study reads; returns the exit code."""
    sys.stdout.write(json.dumps({"figure": figure, "facts": facts}) + "\n")
    return 0
