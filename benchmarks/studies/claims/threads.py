"""The claim about threads and the settings of MKL, which is oneDNN today."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from benchmarks.studies.claims import of_records
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Promise, Way
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.runs import way
from results.record import RunRecord

_OPENMPS_OWN = ("--kmp_blocktime=200", "--kmp_affinity=", "--kmp_settings=0")  # what it does where nobody says
_OPENMP = ("KMP_", "OMP_")
_BETTER, _NOT_WORSE = Promise(), Promise(not_worse=True)
_SMALL, _LARGE = ("resnet20", "cifar10", 32, 60, 14.0), ("resnet50", "imagenet", 8, 20, 40.0)


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    on_cpu = dataclasses.replace(machine, gpus=(), capabilities=())  # it is about the CPU, whatever else there is
    cores = machine.physical_cores
    guide = _threads(cores, cores)
    defaults: tuple[str, tuple[str, ...]] = ("defaults", ())
    return [
        _case("guide against defaults", on_cpu, ("guide", guide), defaults),
        _case("oneDNN", on_cpu, ("oneDNN", ("--mkl",)), ("no oneDNN", ("--nomkl",))),
        _case("guide against defaults: resnet50", on_cpu, ("guide", guide), defaults, training=_LARGE),
        _case("KMP variables", on_cpu, ("guide", guide), ("OpenMP's own", (*guide, *_OPENMPS_OWN)), _NOT_WORSE),
        *(
            _case(name, on_cpu, ("guide", guide), (name, _threads(intra, inter)), _NOT_WORSE)
            for intra, inter in _grid(cores)
            for name in [f"intra {intra} inter {inter}"]
        ),
    ]


def _threads(intra: int, inter: int) -> tuple[str, ...]:
    """With --mkl go the guide's KMP variables, and OMP_NUM_THREADS as --num_intra_threads has it."""
    return ("--mkl", f"--num_intra_threads={intra}", f"--num_inter_threads={inter}")


def _grid(cores: int) -> list[tuple[int, int]]:
    """Threads to hold against the guide's: one, half, all and twice the cores within operations; one or all across."""
    within, across = sorted({1, max(1, cores // 2), cores, 2 * cores}), sorted({1, cores})
    return [(intra, inter) for intra in within for inter in across if (intra, inter) != (cores, cores)]


def _case(
    name: str,
    machine: Machine,
    advised: tuple[str, tuple[str, ...]],
    other: tuple[str, tuple[str, ...]],
    promise: Promise = _BETTER,
    training: tuple[str, str, int, int, float] = _SMALL,
) -> Case:
    model, data, batch, steps, seconds = training

    def side(title: str, flags: tuple[str, ...]) -> Way:
        return way(title, machine, model, batch, steps, *flags, data=data)

    return Case(name, side(*advised), side(*other), promise, seconds=seconds, reasons=_reasons)


def _reasons(advised: Sequence[Measured], other: Sequence[Measured]) -> list[str]:
    """What was in effect on either side, what was ignored, and how busy the cores were."""
    sides = [record for side in (advised, other) for record in [*of_records.records(side)][:1]]
    first, second = map(_in_effect, sides)
    if first == second:
        found = [f"Both ways come to the same here: {first}. This TensorFlow heeds nothing else of the advice."]
    else:
        found = [f"In effect were {first} (advised), and {second}."]
    return [
        *found,
        *_ignored(sides),
        *_cores(sides[0]),
        *of_records.processors_used(advised, other),
        *_not_built_for(sides[0]),
    ]


def _in_effect(record: RunRecord) -> str:
    """What TensorFlow heeded of the settings, in words; equal words are equal settings."""
    found = of_records.told(record, "environment", "in_effect") or {}
    within, across = ((found.get(f"{kind}_threads") or {}).get("threads") for kind in ("intra", "inter"))
    onednn = {True: "on", False: "off", None: "unknown"}[found.get("onednn")]
    variables, ignored = record.environment.get("variables") or {}, found.get("ignored_variables") or {}
    heeded = [
        f"{name}={value}" for name, value in variables.items() if name.startswith(_OPENMP) and name not in ignored
    ]
    return ", ".join([f"{within} thread(s) within and {across} across operations, oneDNN {onednn}", *heeded])


def _ignored(sides: Sequence[RunRecord]) -> list[str]:
    """The variables that nothing heeds, and why."""
    reasons: dict[str, str] = {}
    for record in sides:
        reasons |= of_records.told(record, "environment", "in_effect", "ignored_variables") or {}
    names = [name for name in sorted(reasons) if name.startswith(_OPENMP)]
    return [f"{', '.join(names)} had no effect: {reasons[names[0]]}."] if names else []


def _cores(record: RunRecord) -> list[str]:
    cpu = record.hardware.get("cpu") or {}
    if not (usable := cpu.get("usable_cores")):
        return []
    return [f"The runs may use {usable} cores; the machine has {cpu.get('physical_cores')} physical ones."]


def _not_built_for(record: RunRecord) -> list[str]:
    unused = of_records.told(record, "environment", "in_effect", "instruction_sets", "unused")
    return [f"This TensorFlow was not built for {', '.join(unused)}: oneDNN alone uses them."] if unused else []


THREADS = Claim(
    "threads",
    "mkl, build",
    "With MKL (oneDNN), as many threads across operations as there are physical cores, OMP_NUM_THREADS as many as "
    "within them, KMP_BLOCKTIME=0 and KMP_AFFINITY=granularity=fine,verbose,compact,1,0 are faster than the defaults.",
    "TensorFlow performance guide (2017), on optimizing for CPU",
    _cases,
)
