"""Results for services that follow them over time: Bencher and github-action-benchmark."""

import json
from collections.abc import Sequence
from typing import Any

from results.conditions import SOFTWARE, conditions
from results.exports.repeats import Result, results
from results.record import RunRecord


def bencher(records: Sequence[RunRecord]) -> bytes:
    """Return Bencher Metric Format: throughput in images per second, with the interval over the runs as bounds.

    https://bencher.dev/docs/reference/bencher-metric-format (for `bencher run --adapter json --file FILE`)
    """
    return _json({result.name[:1024]: {"throughput": _metric(result)} for result in results(records)})


def github_action_benchmark(records: Sequence[RunRecord]) -> bytes:
    """Return the input of github-action-benchmark with `tool: customBiggerIsBetter`.

    https://github.com/benchmark-action/github-action-benchmark (README, "customBiggerIsBetter"). `range` is half the
    95 % interval over the runs.
    """
    return _json([_entry(result) for result in results(records)])


def _metric(result: Result) -> dict[str, float]:
    metric = {"value": result.images_per_second}
    if bounds := result.interval:
        metric |= {"lower_value": bounds.low, "upper_value": bounds.high}
    return metric


def _entry(result: Result) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": result.name, "unit": "images/s", "value": result.images_per_second}
    if bounds := result.interval:
        entry["range"] = f"± {(bounds.high - bounds.low) / 2:.4g}"
    found = [conditions(record) for record in result.records]
    facts = {fact: dict.fromkeys(each[fact] for each in found if fact in each) for fact in SOFTWARE}
    lines = [f"{fact}: {', '.join(values)}" for fact, values in facts.items() if values]
    return entry | {"extra": "\n".join([f"runs: {len(result.records)}", *lines])}


def _json(data: object) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")
