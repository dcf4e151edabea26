"""What a run found beside its figure: sections of its record as paragraphs of an explanation.

A paragraph is a label, "" where it goes on with what stands before it, and a text, "" where there is nothing to tell.
A record may come from anywhere: what is unfit is left out.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from results import breakdown, cost, telemetry
from results.diagnosis import in_short
from results.naming import counted
from results.quantization import report as quantized
from results.record import RunRecord

_MOST_ENTRIES = 4  # devices, problems, flags that do not act: more are counted

Paragraphs = Iterator[tuple[str, str]]


def achieved(record: RunRecord) -> Paragraphs:
    """Operations a second, and what the backward pass needs."""
    found = record.cost
    for number, line in enumerate(cost.report(found)):
        yield ("" if number else "achieved"), line
    kept = cost.number(found.get("activation_bytes"))
    if kept is not None and found.get("flops_an_image") == found.get("training_flops"):
        yield "", f"the backward pass needs {size(kept)} of each image"


def in_effect(record: RunRecord) -> Paragraphs:
    """Which settings for the processors TensorFlow heeded, and what it was not built for."""
    found = record.environment.get("in_effect")
    if not isinstance(found, dict):
        return
    words = {True: "on", False: "off"}
    told = [f"oneDNN {words[found['onednn']]}"] if found.get("onednn") in (True, False) else []
    for name, meant in (("intra_threads", "within"), ("inter_threads", "across")):
        if isinstance(threads := found.get(name), dict):
            told.append(f"{threads.get('threads')} thread(s) {meant} operations (by {threads.get('by')})")
    ignored = found.get("ignored_variables")
    if isinstance(ignored, dict) and ignored:
        told.append(f"without effect: {', '.join(some(list(ignored)))}")
    sets = found.get("instruction_sets")
    unused = sets.get("unused") if isinstance(sets, dict) else None
    if isinstance(unused, list) and unused:
        told.append(f"not built for {', '.join(map(str, unused))}")
    system = [f"malloc is {found['malloc']}"] if isinstance(found.get("malloc"), str) else []
    if isinstance(found.get("openmp"), bool):
        system.append("OpenMP" if found["openmp"] else "no OpenMP")
    if isinstance(numa := found.get("numa"), dict) and isinstance(numa.get("processors"), dict):
        nodes = ", ".join(map(str, numa["processors"])) or "not known"
        system.append(f"NUMA nodes {nodes}, memory by {numa.get('memory')}")
    for number, line in enumerate(filter(None, ["; ".join(told), "; ".join(system)])):
        yield ("" if number else "in effect"), line


def primitives(record: RunRecord) -> Paragraphs:
    """Which of oneDNN's primitives took most of the time that they took in all."""
    kinds = [each for each in _dicts(record.onednn.get("primitives")) if isinstance(each.get("milliseconds"), float)]
    total = sum(each["milliseconds"] for each in kinds)
    told = [
        f"{each.get('primitive')} {each.get('implementation')} {each['milliseconds'] / total:.0%}".replace("  ", " ")
        for each in kinds
        if total
    ]
    yield "oneDNN", ", ".join(some(told))


def meanwhile(record: RunRecord) -> Paragraphs:
    """What the hardware did during the window."""
    for number, line in enumerate(some(list(telemetry.in_short(record.telemetry)))):
        yield ("" if number else "meanwhile"), line


def before(record: RunRecord) -> Paragraphs:
    """What was found before the run began, but for what is only told."""
    found = [each for each in _dicts(record.preflight.get("findings")) if each.get("severity") in ("stops", "warns")]
    for number, each in enumerate(some([str(each.get("what")) for each in found])):
        yield ("" if number else "preflight"), each


def exchange(record: RunRecord) -> Paragraphs:
    """How often and how much the devices exchange."""
    found = record.exchange
    sent = found.get("sent_bytes")
    if isinstance(sent, dict):
        devices = [f"{device} sends {size(count)}" for device, count in sent.items()]
        yield "exchange", f"{found.get('exchanges')} a step; {'; '.join(some(devices))}"
    elif found:
        yield "exchange", ", ".join(f"{key}: {value}" for key, value in found.items())
    topology = found.get("topology")
    if isinstance(topology, dict):
        yield "", f"towers in groups {topology.get('groups')}: {topology.get('why')}"
    if isinstance(found.get("exposed_share"), float):
        yield "", f"not hidden by computation: {found['exposed_share']:.1%} of a step"


def bound(record: RunRecord) -> Paragraphs:
    """What bounds the step, and what would be gained."""
    found = record.diagnosis
    if not isinstance(found.get("verdict"), str):
        return
    yield "diagnosis", found["verdict"]
    yield "", in_short(found.get("ways"))
    gains = found.get("gains")
    told = ["{bound} {images_per_second}".format_map(defaultdict(str, _gained(each))) for each in _dicts(gains)]
    yield "", f"images/s more if it cost nothing: {', '.join(told)}" if told else ""
    remarks = found.get("remarks")
    for remark in some([str(each) for each in remarks]) if isinstance(remarks, list) else []:
        yield "", remark


def parts(record: RunRecord) -> Paragraphs:
    """What the parts of the step take."""
    yield "breakdown", breakdown.in_short(record.step_breakdown)


def advice(record: RunRecord) -> Paragraphs:
    """What was chosen for auto, and why; not of the default auto."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for flag, found in record.advice.items():
        if (
            isinstance(found, dict)
            and found.get("value") is not None
            and (flag != "data_format" or flag in record.given)
        ):
            by_reason[f"{found.get('reason')}. Source: {found.get('source')}"].append(f"--{flag}={found['value']}")
    for number, (why, flags) in enumerate(by_reason.items()):
        yield ("" if number else "auto"), f"{' '.join(flags)}: {why}"


def suite(record: RunRecord) -> Paragraphs:
    """Which run of which suite this is."""
    if record.suite:
        found = defaultdict(str, record.suite)
        yield "suite", "{suite} (set {set}), cell {cell}: repeat {repeat}, attempt {attempt}".format_map(found)
        asked = record.suite.get("batch_size")
        yield "", f"memory ran out with the batch of {asked} that it asks for: it was halved" if asked else ""


def trial(record: RunRecord) -> Paragraphs:
    """Which trial of which search this is."""
    if record.trial:
        found = defaultdict(str, record.trial)
        peak = size(record.trial.get("peak_memory_bytes"))
        yield (
            "trial",
            "number {number} of the search {set}: {outcome}, at most {peak}".format_map(found | {"peak": peak}),
        )


def accuracy(record: RunRecord) -> Paragraphs:
    """The last evaluation, and the time to the accuracy asked for."""
    found = _dicts(record.evaluation.get("evaluations"))
    if not found:
        return
    told = defaultdict(str, {name: _short(value) for name, value in found[-1].items()})
    last = "top-1 {top_1}, top-5 {top_5} of {images} images after step {step}".format_map(told)
    yield "accuracy", f"{last} ({counted(len(found), 'evaluation')})"
    if isinstance(took := record.evaluation.get("time_to_accuracy"), dict):
        told = defaultdict(str, {name: _short(value) for name, value in took.items()})
        times = "{training_seconds} s of training, {wall_seconds} s with evaluations".format_map(told)
        yield "", f"top-1 {_short(record.evaluation.get('target_top_1'))} was reached after {times}"


def traced(record: RunRecord) -> Paragraphs:
    """Which steps were traced."""
    steps = record.trace.get("steps")
    if not isinstance(steps, list) or not steps:
        return
    numbers = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    where = "made in a pause, apart from the figure" if record.trace.get("in_pause") else "of the warm-up"
    yield "traced", f"{'step' if len(steps) == 1 else 'steps'} {numbers} {where}"


def checkpoints(record: RunRecord) -> Paragraphs:
    """What a training saved, and where it went on from."""
    found = record.checkpoints
    if not found:
        return
    before = found.get("resumed_from_step")
    yield "checkpoints", f"{len(_dicts(found.get('saved')))} saved in {found.get('folder')}"
    yield "", f"went on after step {before} of the training" if before else ""


def quantization(record: RunRecord) -> Paragraphs:
    """What a quantised model is, how fast, how right, and what the conversion did."""
    for number, line in enumerate(quantized(record.quantization)):
        yield ("" if number else "quantised"), line


def size(count: Any) -> str:
    """A number of bytes, in words."""
    if not isinstance(count, int | float) or not 0 <= count < 1e18:
        return str(count)
    return f"{count / 1e6:,.2f} MB" if count >= 1e5 else f"{count:,.0f} B"


def some(entries: Sequence[str]) -> list[str]:
    """The first of `entries`, and how many more there are."""
    more = len(entries) - _MOST_ENTRIES
    return [*entries[:_MOST_ENTRIES], *([f"and {more} more"] if more > 0 else [])]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _gained(gain: dict[str, Any]) -> dict[str, Any]:
    """`gain` with its images a second as text: rounded, or why there are none."""
    if gain.get("doubt"):
        return gain | {"images_per_second": gain["doubt"]}
    value = gain.get("images_per_second")
    return gain | {"images_per_second": f"{value:+,.1f}"} if isinstance(value, float) else gain
