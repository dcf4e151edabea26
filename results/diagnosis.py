"""What bounds a step: an experiment in which one thing after another is made free, read into a verdict.

The experiment times a step in several ways, in turn (benchmarks/diagnosis). Each way makes one thing more free than the
one before it: the input is there, the batch is on the device, nothing is exchanged. What is left is the model on the
device: a part that grows with the batch (compute), and one that does not (launch overhead).
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results.breakdown import BELOW_ZERO, NOT_MEASURABLE
from results.naming import counted

# The ways in which a step is timed, and what tables call them. A run need not have them all.
WAYS = {
    "real": "step of the run",
    "host_batch": "the same, batch in the host's memory",
    "synthetic": "the same, batch on the device",
    "independent": "the same, nothing exchanged",
    "one_image": "the same, one image a tower",
    "two_images": "the same, two images a tower",
    "trivial": "step of a trivial model, same input",
    "input_alone": "input alone",
}
# The same on a screen that has little room for them.
_IN_SHORT = {
    "real": "run",
    "host_batch": "batch in host memory",
    "synthetic": "batch on device",
    "independent": "nothing exchanged",
    "one_image": "one image a tower",
    "trivial": "trivial model",
    "input_alone": "input alone",
}
FEW_IMAGES = ("one_image", "two_images")  # the ways whose steps do not have the run's batch
INPUT, TRANSFER, EXCHANGE, LAUNCH, COMPUTE = "input", "transfer", "variable exchange", "launch overhead", "compute"
RULE_OF_THUMB = 0.8  # of the time; a GPU that computes less suggests that it waits for input
_NOT_THE_MODEL = 0.9  # of the step with the model: a trivial model that takes as long shows that the input bounds both
_LONGEST_STEP = 1e6  # seconds
_MOST_GAIN = 100.0  # times faster; what is left of a step beyond that is noise

Seconds = Mapping[str, float]  # of a step, by way


@dataclass(frozen=True)
class Gain:
    """What would be gained if `bound` cost nothing: seconds of a step, and images a second.

    `seconds` is the median over the rounds of what a step took less in each, from `least_seconds` to `most_seconds`.
    """

    bound: str
    seconds: float
    images_per_second: float
    least_seconds: float
    most_seconds: float

    @property
    def doubt(self) -> str:
        """Why nothing follows from it, in words; "" where it was gained in every round."""
        if self.most_seconds < 0:
            return BELOW_ZERO
        return NOT_MEASURABLE if self.least_seconds <= 0 else ""


@dataclass(frozen=True)
class Diagnosis:
    """The verdict over all rounds: medians of the times, and what each bound costs, the dearest first.

    `rivals` are bounds that are not cheaper than the first in every round. `input_share` is the part of the step that
    input and transfer take, None where there is no input. `remarks` hold the experiment against what else is known.
    """

    step_seconds: dict[str, float]
    gains: tuple[Gain, ...]
    rivals: tuple[str, ...]
    input_share: float | None
    remarks: tuple[str, ...]

    @property
    def bound(self) -> str:
        """What costs most; "" where that is not measurable."""
        return "" if self.gains[0].doubt else self.gains[0].bound

    @property
    def verdict(self) -> str:
        """What bounds the step, in words."""
        sure = [gain.bound for gain in self.gains if not gain.doubt]
        if not sure:
            return "what bounds the step is not measurable: no part costs more than the rounds differ"
        dearer = [gain.bound for gain in itertools.takewhile(lambda gain: gain.doubt, self.gains)]
        if dearer:
            costly = f"{' and '.join(sure)} cost{'s' * (len(sure) == 1)} something in every round"
            return f"{costly}; {_perhaps(dearer)}"
        rivals = [bound for bound in self.rivals if bound in sure]
        told = f"{sure[0]} bounds the step"
        if rivals:
            told = f"{' and '.join([sure[0], *rivals])} bound the step: none of them clearly more than the others"
        doubtful = [bound for bound in self.rivals if bound not in sure]
        return f"{told}; {_perhaps(doubtful)}" if doubtful else told


def diagnose(
    rounds: Sequence[Seconds], batch_size: int, num_towers: int, *, model: str, gpu_utilisation: float | None
) -> Diagnosis:
    """The verdict over `rounds`; `gpu_utilisation` is the share of time in which the GPUs computed in the run's step.

    The step of the run is "real" where it has input that is made, else "synthetic".
    """
    times = {way: statistics.median(each[way] for each in rounds) for way in rounds[0]}
    of_rounds = [savings(each, batch_size) for each in rounds]
    saved = {bound: statistics.median(each[bound] for each in of_rounds) for bound in of_rounds[0]}
    ranked = sorted(saved, key=saved.__getitem__, reverse=True)
    first = ranked[0]
    rivals = tuple(bound for bound in ranked[1:] if any(each[bound] >= each[first] for each in of_rounds))
    step = step_of_run(times)
    images = batch_size * num_towers
    gains = tuple(
        Gain(bound, saved[bound], _gain(saved[bound], step, images), *_extent([each[bound] for each in of_rounds]))
        for bound in ranked
    )
    share = (times["real"] - times["synthetic"]) / times["real"] if "real" in times else None
    found = Diagnosis(times, gains, rivals, share, ())
    remarks = [*_trivial_model(found, model), *_rule_of_thumb(found, gpu_utilisation)]
    return Diagnosis(times, gains, rivals, share, tuple(remarks))


def step_of_run(times: Seconds) -> float:
    """Seconds of the step as the run makes it."""
    return times.get("real", times["synthetic"])


def savings(times: Seconds, batch_size: int) -> dict[str, float]:
    """Seconds that a step would take less if a bound were free, by bound; below 0 where noise is larger.

    Whatever else were free, the step still waits for its input: it cannot get shorter than the input alone.
    """
    step, on_device = step_of_run(times), times["synthetic"]
    alone = times.get("independent", on_device)
    launch = _launch(times, alone, batch_size)
    costs = {LAUNCH: launch, COMPUTE: alone - launch}
    if "independent" in times:
        costs[EXCHANGE] = on_device - alone
    if "host_batch" in times:
        costs[TRANSFER] = times["host_batch"] - on_device
    most = step - times["input_alone"] if "input_alone" in times else step
    saved = {bound: min(cost, most) for bound, cost in costs.items()}
    if "real" in times:
        saved[INPUT] = step - times.get("host_batch", on_device)
    return saved


def _perhaps(bounds: Sequence[str]) -> str:
    return f"{' and '.join(bounds)} may cost more, but not in every round"


def _launch(times: Seconds, batch: float, batch_size: int) -> float:
    """The part of a step that does not grow with the batch: where a line through two times meets a batch of 0."""
    images, seconds = (1, times["one_image"]) if "one_image" in times else (2, times["two_images"])
    at_none = (batch_size * seconds - images * batch) / (batch_size - images)
    return min(max(0.0, at_none), batch)


def _extent(seconds: Sequence[float]) -> tuple[float, float]:
    return min(seconds), max(seconds)


def _gain(seconds: float, step: float, images: int) -> float:
    left = max(step - seconds, step / _MOST_GAIN)
    return images / left - images / step


def _trivial_model(found: Diagnosis, model: str) -> list[str]:
    """Whether the speed rises when the model costs nothing."""
    times = found.step_seconds
    if model == "trivial" or "real" not in times:
        return []
    share = times["trivial"] / times["real"]
    told = f"with a trivial model the step takes {share:.0%} of its time"
    by_input = found.bound in (INPUT, TRANSFER)
    if share >= _NOT_THE_MODEL:
        said = f"but the experiment says that {found.bound} does" if found.bound else "but the experiment cannot tell"
        said = "as the experiment says" if by_input else said
        return [f"{told}: what feeds it bounds it, {said}"]
    return [f"{told}{': model and input take processors from each other' * by_input}"]


def _rule_of_thumb(found: Diagnosis, utilisation: float | None) -> list[str]:
    """What a GPU's utilisation suggests, and whether the experiment says the same."""
    if utilisation is None:
        return []
    suggested = utilisation < RULE_OF_THUMB
    by_input = found.bound in (INPUT, TRANSFER)
    what = (
        f"the GPUs computed {utilisation:.0%} of the time, {'under' if suggested else 'not under'} {RULE_OF_THUMB:.0%}"
    )
    rule = f"{what}: by the rule of thumb the input is {'' if suggested else 'not '}the bottleneck"
    if not found.bound:
        return [f"{rule}; the experiment cannot tell"]
    if suggested == by_input:
        return [f"{rule}, as the experiment says"]
    return [f"{rule}, but the experiment says that it is {'' if by_input else 'not: it is '}{found.bound}"]


def report(facts: Mapping[str, Any]) -> list[str]:
    """Lines for a screen, from the `diagnosis` section of a record: the verdict, the times, the gains, the remarks."""
    ways = facts["ways"]
    lines = [f"Diagnosis: {facts['verdict']} ({counted(len(ways['synthetic']['step_seconds']), 'round')})."]
    for way, of_way in ways.items():
        lines.append(f"  {WAYS.get(way, way):<38} {_time(of_way, facts['images_per_step'])}{_usage(of_way)}")
    lines.append("If it cost nothing (median of the differences within each round, and from least to most):")
    lines += map(_gained, facts["gains"])
    return [*lines, *(f"{remark[0].upper()}{remark[1:]}." for remark in facts["remarks"])]


def _gained(gain: Mapping[str, Any]) -> str:
    least, most = (-1e3 * gain[name] + 0.0 for name in ("least_seconds", "most_seconds"))
    extent = f"({least:+.2f} to {most:+.2f})"
    if gain["doubt"]:
        return f"  {gain['bound']:<18} {gain['doubt']} {extent} ms a step"
    more = gain["images_per_second"]
    return f"  {gain['bound']:<18} {-1e3 * gain['seconds']:+10.2f} {extent} ms a step  {more:+12,.1f} images/sec"


def in_short(ways: object) -> str:
    """The median step of each way in words, from the `ways` of a record's section; what is unfit is left out."""
    found = ways if isinstance(ways, dict) else {}
    medians = {name: _median(found.get(way)) for way, name in _IN_SHORT.items()}
    told = [f"{name} {1e3 * seconds:,.2f}" for name, seconds in medians.items() if seconds is not None]
    return f"ms a step: {', '.join(told)}" if told else ""


def _median(of_way: object) -> float | None:
    """Seconds of a step; None where there are none that a step can take: a record may come from anywhere."""
    seconds = of_way.get("step_seconds") if isinstance(of_way, dict) else None
    if not isinstance(seconds, list) or not seconds:
        return None
    if not all(type(each) in (int, float) and 0 <= each < _LONGEST_STEP for each in seconds):
        return None
    return float(statistics.median(seconds))


def _time(of_way: Mapping[str, Any], images: int) -> str:
    seconds = statistics.median(of_way["step_seconds"])
    speed = f"{images / seconds:12,.1f} images/sec" if of_way["whole_batch"] else " " * 23
    return f"{1e3 * seconds:10.2f} ms {speed}"


def _usage(of_way: Mapping[str, Any]) -> str:
    """What the process used meanwhile."""
    words = [f"{of_way['cpus']:.1f} CPUs busy"] if of_way["cpus"] is not None else []
    if of_way["read_bytes_per_second"] is not None:
        words.append(f"{of_way['read_bytes_per_second'] / 1e6:,.1f} MB/s read")
    if of_way["gpu_utilisation"] is not None:
        words.append(f"GPU {of_way['gpu_utilisation']:.0%}")
    return f"  {', '.join(words)}" if words else ""
