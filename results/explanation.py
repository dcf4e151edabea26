"""One record explained on a screen: what ran, on what, the figure, whether it holds, and how to run it again."""

import shlex
import statistics
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from results import placement, sections
from results.checks import WRONG
from results.conditions import conditions
from results.frame import accelerator, facts
from results.measurement import Measurement
from results.mode import mode
from results.naming import counted, counted_names, name
from results.record import RunRecord
from results.sections import Paragraphs, size, some
from results.statistics.between_runs import interval
from results.table import state
from results.texts import printable

WIDTH = 100
_LABEL = 12
_MOST_LINES = 3  # of one paragraph; more is cut off


def explain(record: RunRecord, repeats: Sequence[float]) -> str:
    """Return the explanation of `record`; `repeats` are the values of all valid runs of its configuration and machine.

    At most some 40 lines of WIDTH columns.
    """
    paragraphs = [
        *_run(record),
        *_figure(record, repeats),
        *sections.achieved(record),
        *_validity(record),
        *_machine(record),
        *sections.before(record),
        *sections.in_effect(record),
        *sections.meanwhile(record),
        *_placement(record),
        *sections.exchange(record),
        *sections.bound(record),
        *sections.parts(record),
        *sections.primitives(record),
        *sections.suite(record),
        *sections.trial(record),
        *sections.advice(record),
        *sections.accuracy(record),
        *sections.quantization(record),
        *sections.traced(record),
        *sections.checkpoints(record),
        *_not_acting(record),
        *_again(record),
    ]
    return "\n".join(line for label, text in paragraphs if text for line in _wrapped(label, text)) + "\n"


def _run(record: RunRecord) -> Paragraphs:
    yield "record", f"{record.record_id}  {record.file}"
    yield "ran", name(facts(record))
    optimizer = record.configuration.get("optimizer")
    rate = record.configuration.get("init_learning_rate")
    words = [f"optimizer {optimizer}" * bool(optimizer), f"learning rate {rate}" * (rate is not None)]
    if isinstance(scale := record.model.get("learning_rate_scale"), float):
        words.append(f"times {scale:g} for the images of a step")
    if isinstance(record.model.get("parameters"), int):
        words.append(f"{record.model['parameters']:,} parameters")
    yield "", ", ".join(filter(None, [mode(record.configuration), *words, *_cluster(record)]))
    if record.started_at:
        yield "when", f"{record.started_at[:19].replace('T', ' ')} to {record.finished_at[11:19]} UTC, {record.status}"
    if isinstance(paper := record.model.get("paper_schedule"), dict):
        yield "schedule", f"of {paper.get('source')}, but for {_names(paper.get('not_set')) or 'nothing'}"
    if record.provenance:
        yield "from", ", ".join(f"{key}: {value}" for key, value in record.provenance.items())


def _names(found: Any) -> str:
    return ", ".join(map(str, found)) if isinstance(found, list) else ""


def _cluster(record: RunRecord) -> list[str]:
    hosts = record.cluster.get("hosts")
    if not isinstance(hosts, dict):
        return []
    counts = [f"{len(found)} {job}" for job, found in hosts.items() if isinstance(found, list) and found]
    return [f"processes: {', '.join(counts)}"]


def _figure(record: RunRecord, repeats: Sequence[float]) -> Paragraphs:
    value, measurement = record.images_per_second, record.measurement
    if value is None:
        yield "figure", "none"
        return
    if measurement:
        steps = len(measurement.step_seconds)
        window = f"{measurement.images:,} images ({counted(steps, 'step')}) in {measurement.window_seconds:.2f} s"
        yield "figure", f"{value:,.2f} images/s: {window}"
        yield "", _within(record)
    else:
        yield "figure", f"{value:,.2f} images/s, as reported"
    yield "", _among(record.steady_images_per_second, repeats)
    if measurement:
        yield from _steps(measurement)


def _within(record: RunRecord) -> str:
    """How well this run is measured."""
    found, known = record.statistics, record.steady_interval
    if found is None or known is None:
        return "no interval: the steps support none"
    steady = f"steady from step {found.steady_from}: " if found.steady_from > 1 else ""
    return f"{steady}{known.value:,.2f}, within this run known to {known.low:,.2f} to {known.high:,.2f} (95 %)"


def _among(value: float | None, repeats: Sequence[float]) -> str:
    """The run among the repeats of its configuration: only they tell what the next run will do."""
    found = interval(repeats)
    if value is None or found is None:
        return "no other valid run of this configuration beside it: how far runs differ is not known"
    return (
        f"{len(repeats)} valid runs of this configuration in its folder: mean {found.value:,.2f}, 95 % interval "
        f"{found.low:,.2f} to {found.high:,.2f}; this run's {value:,.2f} is {value / found.value - 1:+.1%} off"
    )


def _steps(measurement: Measurement) -> Paragraphs:
    seconds = measurement.step_seconds
    if seconds:
        milliseconds = [1000 * each for each in (statistics.median(seconds), min(seconds), max(seconds))]
        median, fastest, slowest = (f"{each:,.2f}" for each in milliseconds)
        jitter = f", jitter {measurement.jitter:.1%}" if measurement.jitter is not None else ""
        yield "steps", f"median {median} ms ({fastest} to {slowest}){jitter}"
    first, until = measurement.first_step_seconds, measurement.time_to_first_step_seconds
    warmup = [f"{counted(len(measurement.warmup_step_seconds), 'step')} of warm-up, not in the figure"]
    warmup += [f"the very first took {first:.2f} s"] if first is not None else []
    warmup += [f"and ended {until:.1f} s after the start"] if until is not None else []
    yield "", ", ".join(warmup)
    if measurement.losses:
        first_loss, *_, last_loss = (*measurement.losses[:1], *measurement.losses)
        yield "loss", f"{first_loss:.3f} in the first measured step, {last_loss:.3f} in the last"


def _validity(record: RunRecord) -> Paragraphs:
    if record.valid:
        yield "valid", "yes: it completed, and nothing was found wrong with it"
    told = [*filter(None, [record.message]), *record.problems]
    words = {text: WRONG if text in record.wrong else state(record.valid, record.status, False) for text in told}
    before = ""
    for text in some(told):
        word = words.get(text, before)  # the last may say how many more there are
        yield word * (word != before), text
        before = word
    check = record.checks.get("variable_update")
    if isinstance(check, dict):
        worst, most = check.get("largest_difference"), check.get("tolerance")
        if not check.get("problem"):  # else it is among the problems
            yield (
                "checked",
                f"the update against one device's: largest difference {_short(worst)} (at most {_short(most)})",
            )


def _short(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _machine(record: RunRecord) -> Paragraphs:
    known = conditions(record)
    gpus = record.hardware.get("gpus")
    named = [gpu.get("name") for gpu in gpus if isinstance(gpu, dict)] if isinstance(gpus, list) else []
    names = [str(each or "GPU not told") for each in named]
    used = accelerator(record) if len(set(names)) > 1 and record.configuration.get("device") == "gpu" else ""
    own = f", of which the run used {used}" if used else ""
    hardware = [
        ("{}", record.environment.get("hostname")),
        ("{}", known.get("cpu")),
        ("{} usable cores", known.get("usable_cores")),
        ("{} GiB", known.get("memory_gib")),
        ("{}", f"{counted_names(names)}{own}" if names else None),
        ("driver {}", known.get("driver")),
        ("{} each", known.get("power_limit")),
    ]
    yield "machine", ", ".join(form.format(value) for form, value in hardware if value)
    yield "", ", ".join(_circumstances(known))
    git = record.environment.get("git")
    changed = " with uncommitted changes" if isinstance(git, dict) and git.get("dirty") else ""
    software = {fact: known.get(fact) for fact in ("tensorflow", "numpy", "python", "cudnn", "nccl", "kernel")}
    software["commit"] = f"{known['commit'][:12]}{changed}" if "commit" in known else None
    yield "software", ", ".join(f"{label} {value}" for label, value in software.items() if value)
    variables = record.environment.get("variables")
    if isinstance(variables, dict):
        of_run = record.environment.get("variables_of_run")
        told: dict[bool, list[str]] = {False: [], True: []}
        for variable, value in variables.items():
            told[isinstance(of_run, list) and variable in of_run].append(f"{variable}={value}")
        yield "variables", " ".join(told[False])
        yield "set by it", " ".join(told[True])


def _circumstances(known: dict[str, str]) -> list[str]:
    """What is around the processors."""
    forms = {"governor": "governor {}", "turbo": "turbo {}", "virtualisation": "a guest ({})", "container": "in {}"}
    return [form.format(known[fact]) for fact, form in forms.items() if known.get(fact, "none") != "none"]


def _placement(record: RunRecord) -> Paragraphs:
    towers, variables = record.placement.get("towers"), record.placement.get("variables")
    if isinstance(towers, list):
        yield "towers", " ".join(some([str(tower) for tower in towers]))
    if isinstance(variables, dict):
        held = [f"{device}: {_held(found)}" for device, found in variables.items()]
        yield "stores", "; ".join(some(held))
    for number, line in enumerate(some(list(placement.in_short(record.placement)))):
        yield ("" if number else "placed"), line


def _held(found: Any) -> str:
    if not isinstance(found, dict):
        return str(found)
    return f"{found.get('variables')} variables, {size(found.get('bytes'))}"


def _not_acting(record: RunRecord) -> Paragraphs:
    told = ["--{flag}={value}: {kind}: {reason}".format_map(defaultdict(str, each)) for each in record.not_acting]
    for number, line in enumerate(some(told)):
        yield ("" if number else "not acting"), line


def _again(record: RunRecord) -> Paragraphs:
    if record.provenance:
        yield "again", "not from here: this record was imported"
        return
    if not record.params:  # a suite leaves such a one for a study that failed
        command = f": python {shlex.join(record.command_line)}" if record.command_line else ""
        yield "again", f"not by --rerun, as it is no run of run_benchmark.py{command}"
        return
    by_hand = [flag for flag in record.given if not flag.startswith(("repeat_", "suite_", "trial_", "advised"))]
    given = [f"--{flag}={'auto' if flag in record.advice else record.params.get(flag)}" for flag in by_hand]
    yield "given", " ".join(given) or "no flag"
    yield "again", f"python run_benchmark.py --rerun={shlex.quote(record.file)}"


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=f"{label:<{_LABEL}}",
        subsequent_indent=" " * _LABEL,
        max_lines=_MOST_LINES,
        placeholder=" …",
        break_on_hyphens=False,
        break_long_words=label != "again",  # a command is to be copied
    )
