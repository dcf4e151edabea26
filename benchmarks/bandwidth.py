"""What an all-reduce was measured to do: times, bandwidths, correctness, and their table. Numbers in, values out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.studies import report

# The largest error that rounding explains, with gradients around 1 and up to hundreds of towers.
TOLERANCE = {"float32": 1e-5, "float16": 1e-2, "bfloat16": 1e-1}


@dataclass(frozen=True)
class Result:
    """What one algorithm did with one case.

    `nbytes` are those of one tower's gradients in `transfer_format`, as they travel; `exchanges` the all-reduces that
    they take; `sent_bytes` what leaves each device; `seconds` those of each measured step, for all gradients once.
    """

    case: str
    algorithm: str
    transfer_format: str
    towers: int
    nbytes: int
    exchanges: int
    sent_bytes: dict[str, int]
    seconds: list[float]
    largest_error: float

    @property
    def median_seconds(self) -> float:
        """Of one all-reduce."""
        return percentile(self.seconds, 50)

    @property
    def algorithm_bandwidth(self) -> float:
        """Bytes a second: `nbytes / median_seconds`."""
        return self.nbytes / self.median_seconds

    @property
    def bus_bandwidth(self) -> float:
        """Bytes a second: algorithm bandwidth x 2 (n - 1) / n, with n towers."""
        return self.algorithm_bandwidth * 2 * (self.towers - 1) / self.towers

    @property
    def right(self) -> bool:
        """Whether the error is no more than rounding explains."""
        return self.largest_error <= TOLERANCE[self.transfer_format]

    def figures(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {
            **vars(self),
            "median_seconds": self.median_seconds,
            "p99_seconds": percentile(self.seconds, 99),
            "algorithm_bytes_per_second": self.algorithm_bandwidth,
            "bus_bytes_per_second": self.bus_bandwidth,
            "right": self.right,
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie, between neighbours in proportion."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def table(results: Sequence[Result]) -> str:
    """A Markdown table, a row a result."""
    headings = [
        "gradients", "algorithm", "exchanges", "MB", "sent, MB", "median, ms", "p99, ms", "algbw, GB/s", "busbw, GB/s",
        "error", "",
    ]  # fmt: skip
    return report.table(headings, [_row(result) for result in results])


def line(result: Result) -> str:
    """The row of one result by itself, for who waits for the others."""
    case, algorithm, _, _, _, median, p99, algbw, busbw, error, verdict = _row(result)
    times = f"median {median} ms, p99 {p99} ms, algbw {algbw} GB/s, busbw {busbw} GB/s"
    return f"{case}: {algorithm}: {times}, error {error} {verdict}"


def _row(result: Result) -> list[str]:
    return [
        result.case,
        result.algorithm,
        str(result.exchanges),
        f"{result.nbytes / 1e6:.3f}",
        f"{max(result.sent_bytes.values()) / 1e6:.3f}",
        f"{1e3 * result.median_seconds:.3f}",
        f"{1e3 * percentile(result.seconds, 99):.3f}",
        f"{result.algorithm_bandwidth / 1e9:.3f}",
        f"{result.bus_bandwidth / 1e9:.3f}",
        f"{result.largest_error:.1e}",
        "right" if result.right else "WRONG",
    ]
