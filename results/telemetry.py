"""What a record's telemetry says, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from results.schema import section

_OF_A_GPU = {
    "utilisation": "computing {:.0%} of the time",
    "power_watts": "{:.0f} W",
    "temperature_celsius": "{:.0f} °C",
    "sm_clock_mhz": "{:.0f} MHz",
    "memory_used_bytes": "{:.1f} GB used",
}
_OF_THE_HOST = {
    "cpu_utilisation": "processors busy {:.0%} of the time",
    "running_tasks": "{:.1f} tasks that run or wait",
    "stolen_share": "{:.0%} stolen",
    "resident_bytes": "{:.1f} GB resident",
}


def in_short(telemetry: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each GPU, for the energy and for the host: means over the window, of what was told."""
    gpus = section(telemetry, "gpus")
    for name in gpus:
        found = section(gpus, name)
        words = [*_means(found, _OF_A_GPU), *_slowed(found)]
        if found.get("failure"):
            words.append(str(found["failure"]))
        yield f"{name}: {', '.join(words) or 'nothing is told of it'}"
    if isinstance(joules := telemetry.get("joules_per_image"), float):
        yield f"{joules:.4g} J an image, of the GPUs alone"
    if words := list(_means(section(telemetry, "host"), _OF_THE_HOST)):
        yield f"host: {', '.join(words)}"


def _means(found: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[str]:
    summary = section(found, "summary")
    for name, text in texts.items():
        mean = section(summary, name).get("mean")
        if isinstance(mean, float | int):
            yield text.format(mean / 1e9 if name.endswith("bytes") else mean)


def _slowed(found: Mapping[str, Any]) -> Iterator[str]:
    for reason, share in section(found, "slowed_shares").items():
        if isinstance(share, float):
            yield f"slowed by {reason.removeprefix('its ')} in {share:.0%} of the samples"
