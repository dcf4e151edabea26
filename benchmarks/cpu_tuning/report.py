"""What a search for settings found, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import geometric_mean

from benchmarks.cpu_tuning.rounds import against_default
from benchmarks.cpu_tuning.settings import Setting
from results.comparison.verdict import bounds
from results.statistics.between_runs import interval

_ROW = "{:>6}{:>8}  {:<6}{:>6}{:>7}{:>6}{:>12}  {:<22}  {}"


def table(
    finals: Mapping[Setting, Sequence[float]], before: Mapping[Setting, Sequence[float]], default: Setting, images: int
) -> list[str]:
    """A row for each setting, the fastest first: those of the `finals`, then those that were left out `before`.

    Numbers are images a second, of each run. The interval and the ratio are of runs of the same kind, so that a row
    without a run of the finals has a ratio to those that the default had then.
    """
    lines = [
        _ROW.format("towers", "batch", "layout", "intra", "inter", "runs", "images/s", "95 % interval", "against yours")
    ]
    earlier = {setting: speeds for setting, speeds in before.items() if setting not in finals}
    for speeds, of_all in ((finals, finals), (earlier, before)):
        in_order = sorted((each for each in speeds if speeds[each]), key=lambda each: -geometric_mean(speeds[each]))
        lines += [_row(setting, of_all, default, images) for setting in in_order]
    return lines


def named(setting: Setting, images: int) -> str:
    """`setting` in words."""
    return (
        f"{setting.towers} tower(s) of {images // setting.towers} image(s), {setting.data_format}, threads "
        f"{_threads(setting.intra_threads)} within and {_threads(setting.inter_threads)} across operations"
    )


def _row(setting: Setting, speeds: Mapping[Setting, Sequence[float]], default: Setting, images: int) -> str:
    of_setting = speeds[setting]
    known = interval(of_setting)
    if setting == default:
        compared = "(yours)"
    elif speeds.get(default):
        found = against_default(speeds, setting, default)
        compared = f"{found.value:.2f} ({bounds(found)})"
    else:
        compared = ""
    return _ROW.format(
        setting.towers,
        images // setting.towers,
        setting.data_format,
        _threads(setting.intra_threads),
        _threads(setting.inter_threads),
        len(of_setting),
        f"{geometric_mean(of_setting):,.1f}",
        f"{known.low:,.1f} to {known.high:,.1f}" if known else "",
        compared,
    ).rstrip()


def _threads(number: int) -> str:
    return str(number) if number else "auto"
