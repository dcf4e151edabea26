"""What psutil tells of the system, where the system lets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil

# Files of /proc that are missing or hidden, and such as psutil does not expect: it reads them by position and name.
_UNREADABLE = (psutil.Error, OSError, ValueError, LookupError, AttributeError, NotImplementedError)


def answer(question: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Return psutil's answer; None where it has none on this system, or cannot read the system's."""
    try:
        return question(*arguments, **named)
    except _UNREADABLE:
        return None
