"""What a record's telemetry says, in words."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from results.schema import section

_MOST = 1e18  # no second and no quantity is as large
_LATE = 1.1  # times what was asked for: less is no news

# The reasons for which a GPU slows its clocks down that make a figure doubtful, as bits of NVML's
# nvmlClocksEventReasons. A power limit set in software is none of them: large GPUs run at it whenever they are busy.
SLOWED = {
    0x08: "a hardware slowdown",
    0x20: "its temperature (software limit)",
    0x40: "its temperature (hardware limit)",
    0x80: "the power brake",
}
# Those that are how a GPU is set: they make no figure doubtful, and say why it is not higher.
HELD = {
    0x02: "the clocks that were set for it",
    0x04: "its power limit",
    0x10: "the clocks of others (sync boost)",
}

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
    """What was out of order, then a sentence for each GPU, for the energy and for the host: means over the window."""
    yield from out_of_order(telemetry)
    gpus = section(telemetry, "gpus")
    for name in gpus:
        found = section(gpus, name)
        words = [*_means(found, _OF_A_GPU), *_held(found), *_seldom(found, telemetry.get("interval_seconds"))]
        yield f"{name}: {', '.join(words) or 'nothing is told of it'}"
    if isinstance(joules := telemetry.get("joules_per_image"), float):
        yield f"{joules:.4g} J an image, of the GPUs alone"
    if words := list(_means(section(telemetry, "host"), _OF_THE_HOST)):
        yield f"host: {', '.join(words)}"


def out_of_order(telemetry: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each GPU that was slowed down, had memory errors, or told less than was asked for."""
    gpus = section(telemetry, "gpus")
    for name in gpus:
        if words := list(_out_of_order(section(gpus, name))):
            yield f"{name}: {', '.join(words)}"


def is_held_down(reasons: float) -> bool:
    """Whether a GPU's clocks are held down for a reason of SLOWED or HELD; NVML's mask has others, such as idleness."""
    return any(int(reasons) & bit for bit in SLOWED | HELD)


def is_quantity(value: object) -> TypeGuard[float]:
    """Whether `value` of a record, which may come from anywhere, is a number that can be one of telemetry's."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST


def _means(found: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[str]:
    summary = section(found, "summary")
    for name, text in texts.items():
        mean = section(summary, name).get("mean")
        if is_quantity(mean):
            yield text.format(mean / 1e9 if name.endswith("bytes") else mean)


def _held(found: Mapping[str, Any]) -> Iterator[str]:
    """How long its clocks were held down by how it is set, which is in order."""
    for reason, share in _shares(found):
        if reason in HELD.values():
            yield f"held by {reason.removeprefix('its ')} in {share:.0%} of the time"


def _shares(found: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [(reason, share) for reason, share in section(found, "slowed_shares").items() if isinstance(share, float)]


def _out_of_order(found: Mapping[str, Any]) -> Iterator[str]:
    for reason, share in _shares(found):
        if reason not in HELD.values():
            yield f"slowed by {reason.removeprefix('its ')} in {share:.0%} of the time"
    for kind in ("corrected", "uncorrected"):
        errors = section(found, "counted").get(f"{kind}_ecc_errors")
        if is_quantity(errors) and errors > 0:
            yield f"{errors:.0f} {kind} ECC error{'s' if errors > 1 else ''}"
    if found.get("failure"):
        yield str(found["failure"])


def _seldom(found: Mapping[str, Any], asked: object) -> Iterator[str]:
    """How often it was looked at, where that was not as often as asked for."""
    every = found.get("every_seconds")
    if is_quantity(every) and is_quantity(asked) and every > _LATE * asked > 0:
        yield f"looked at every {every:.2g} s where {asked:g} s were asked for"
