"""What a ratio says, in words."""

from typing import NamedTuple

from results.statistics.two_sides import LEVEL, Ratio

ONE_RUN = "one run"  # which says nothing of the next one, so there is no interval


class Verdict(NamedTuple):
    """`kind`: one of "faster", "slower", "small difference", "no difference", "too few runs", "no interval"."""

    kind: str
    words: str


def verdict(ratio: Ratio, threshold: float, p_adjusted: float | None = None, family: int = 1) -> Verdict:
    """Say what `ratio` (B over A) says of B.

    "faster" and "slower": the interval excludes 1, and the ratio passes the practical `threshold` (a fraction). Of
    `family` comparisons at once, the p value adjusted for all of them must be small as well. "no difference": the
    interval lies within the threshold on both sides.
    """
    if ratio.low is None or ratio.high is None:
        return Verdict("no interval", f"ratio {_number(ratio.value)}")
    practical = 1 + threshold
    p = ratio.p if p_adjusted is None else p_adjusted
    differs = (ratio.low > 1 or ratio.high < 1) and p is not None and p <= 1 - LEVEL
    if 1 / practical < ratio.low and ratio.high < practical:
        return Verdict("no difference", f"no difference larger than {percent(threshold)}, {_interval(ratio)}")
    if differs:
        words, passes = _difference(ratio), max(ratio.value, 1 / ratio.value) >= practical
        if passes:
            return Verdict("faster" if ratio.value > 1 else "slower", words)
        return Verdict("small difference", f"{words}: not clearly above {percent(threshold)}")
    among = f" for {family} comparisons at once" if ratio.low > 1 or ratio.high < 1 else ""
    return Verdict("too few runs", f"too few runs{among}: {_interval(ratio)}")


def percent(fraction: float) -> str:
    """Return a fraction as "2 %", with as many digits as it has, three at most."""
    return f"{100 * fraction:.3g} %"


def bounds(ratio: Ratio) -> str:
    """Return the interval of `ratio` as "1.05 to 1.11", or ONE_RUN where a side has no more, so that there is none."""
    if ratio.low is None or ratio.high is None:
        return ONE_RUN
    digits = 2 if ratio.high - ratio.low >= 0.02 else 3 if ratio.high - ratio.low >= 0.002 else 4
    digits = min(digits, 0 if ratio.high >= 100 else 2 if ratio.high >= 10 else 4)  # as few as the ratio beside it has
    return f"{ratio.low:.{digits}f} to {ratio.high:.{digits}f}"


def _difference(ratio: Ratio) -> str:
    if ratio.value > 1:
        return f"{_number(ratio.value)}x faster, {_interval(ratio)}"
    assert ratio.low is not None
    assert ratio.high is not None
    turned = Ratio(1 / ratio.value, 1 / ratio.high, 1 / ratio.low)
    return f"{_number(turned.value)}x slower, {_interval(turned)}"


def _interval(ratio: Ratio) -> str:
    return f"{100 * LEVEL:.0f} % interval {bounds(ratio)}"


def _number(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"
