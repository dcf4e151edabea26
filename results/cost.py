"""What an image costs, turned into operations a second, and into a share of what the devices were measured to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PEAKS = {"matrix_product": "a matrix product", "convolution": "a convolution"}
_MOST_FLOPS = 1e24  # nothing computes that many in a second
_UNITS = ("MFLOP", "GFLOP", "TFLOP", "PFLOP")


def achieved(cost: Mapping[str, Any], images_per_second: float, num_towers: int) -> dict[str, float]:
    """Return the operations a second of a run: those of an image * images a second, over all towers and of each.

    `cost` is the section of the record as far as it is known before the run's speed is.
    """
    total = cost["flops_an_image"] * images_per_second
    return {"flops_per_second": total, "flops_per_second_and_tower": total / num_towers}


def speed(section: Mapping[str, Any]) -> float | None:
    """Return the operations a second of a `cost` section, or of a peak in it; None where there are none."""
    return number(section.get("flops_per_second"))


def shares(cost: Mapping[str, Any]) -> dict[str, float]:
    """Return which share of each measured peak the run achieved, by the peak's name; {} where none was measured."""
    total, peaks = speed(cost), cost.get("peaks")
    if total is None or not isinstance(peaks, Mapping):
        return {}
    found = {name: speed(peaks[name]) for name in PEAKS if isinstance(peaks.get(name), Mapping)}
    return {name: total / peak for name, peak in found.items() if peak}


def report(cost: Mapping[str, Any]) -> list[str]:
    """Return lines for a screen, from the `cost` section of a record: its speed, and the shares of the peaks."""
    total, each = speed(cost), number(cost.get("flops_per_second_and_tower"))
    an_image = number(cost.get("flops_an_image"))
    if total is None or each is None or an_image is None:
        return []
    of_each = f" ({flops(each)}/s each tower)" if each < total else ""
    told = [f"{share:.1%} of {PEAKS[name]} ({flops(total / share)}/s)" for name, share in shares(cost).items() if share]
    on_same = [f"that is {', '.join(told)} alone on the same devices"] if told else []
    return [f"{flops(total)}/s{of_each}, as an image takes {flops(an_image)}", *on_same]


def flops(count: float) -> str:
    """Return a number of operations in words, as in 24.30 GFLOP."""
    power = next((power for power in range(len(_UNITS)) if count < 1000 ** (power + 3)), len(_UNITS) - 1)
    return f"{count / 1000 ** (power + 2):,.2f} {_UNITS[power]}"


def number(value: object) -> float | None:
    """Return `value` as a number of operations or bytes; None where it is none: a record may come from anywhere."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST_FLOPS:
        return None
    return float(value)
