"""The claim about threads and the settings of MKL, which is oneDNN today."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from benchmarks.studies.claims import evidence
from benchmarks.studies.claims.claim import Case, Claim, Missing, Promise
from benchmarks.studies.claims.evidence import Side, reasons
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.networks import RESNET20, RESNET50, Size, Trained
from results.schema import section

_OPENMPS_OWN = ("--kmp_blocktime=200", "--kmp_affinity=", "--kmp_settings=0")  # what it does where nobody says
_OPENMP = ("KMP_", "OMP_")
_BETTER, _NOT_WORSE = Promise(), Promise(not_worse=True)
# More steps and images than other studies take: all threads are to have work.
_SMALL = dataclasses.replace(RESNET20, cpu=Size(32, 60, 14))
_LARGE = dataclasses.replace(RESNET50, cpu=Size(8, 20, 40))


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    on_cpu = dataclasses.replace(machine, gpus=(), capabilities=())  # it is about the CPU, whatever else there is
    cores = machine.physical_cores
    guide = _threads(cores, cores)
    defaults: tuple[str, tuple[str, ...]] = ("defaults", ())
    return [
        _case("guide against defaults", on_cpu, ("guide", guide), defaults),
        _case("oneDNN", on_cpu, ("oneDNN", ("--mkl",)), ("no oneDNN", ("--nomkl",))),
        _case("guide against defaults: resnet50", on_cpu, ("guide", guide), defaults, network=_LARGE),
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
    network: Trained = _SMALL,
) -> Case:
    first, second = (network.way(title, machine, *flags) for title, flags in (advised, other))
    return Case(name, first, second, promise, network.cpu.seconds, reasons=reasons(first.name, second.name, TELLS))


def _in_effect(advised: Side, other: Side) -> Iterator[str]:
    """What was in effect on either side."""
    if not (advised.in_effect and other.in_effect):
        return
    first, second = _heeded(advised), _heeded(other)
    if first == second:
        yield f"Both ways come to the same here: {first}. This TensorFlow heeds nothing else of the advice."
    else:
        yield f"In effect were {first} ('{advised.name}'), and {second} ('{other.name}')."


def _heeded(side: Side) -> str:
    """What TensorFlow heeded of the settings, in words; equal words are equal settings."""
    found, variables = side.in_effect, section(side.record.environment, "variables") if side.record else {}
    within, across = (section(found, f"{kind}_threads").get("threads") for kind in ("intra", "inter"))
    onednn = {True: "on", False: "off", None: "unknown"}[found.get("onednn")]
    ignored = section(found, "ignored_variables")
    heeded = [
        f"{name}={value}" for name, value in variables.items() if name.startswith(_OPENMP) and name not in ignored
    ]
    return ", ".join([f"{within} thread(s) within and {across} across operations, oneDNN {onednn}", *heeded])


def _ignored(advised: Side, other: Side) -> Iterator[str]:
    """The variables that nothing heeds, and why."""
    reasons: dict[str, str] = {}
    for side in (advised, other):
        reasons |= section(side.in_effect, "ignored_variables")
    names = [name for name in sorted(reasons) if name.startswith(_OPENMP)]
    if names:
        yield f"{', '.join(names)} had no effect: {reasons[names[0]]}."


def _cores(advised: Side, _other: Side) -> Iterator[str]:
    cpu = section(advised.record.hardware, "cpu") if advised.record else {}
    if usable := cpu.get("usable_cores"):
        yield f"The runs may use {usable} cores; the machine has {cpu.get('physical_cores')} physical ones."


def _not_built_for(advised: Side, _other: Side) -> Iterator[str]:
    if unused := section(advised.in_effect, "instruction_sets").get("unused"):
        yield f"This TensorFlow was not built for {', '.join(unused)}: oneDNN alone uses them."


TELLS = (_in_effect, _ignored, _cores, evidence.processors, _not_built_for)

THREADS = Claim(
    "threads",
    "With MKL (oneDNN), as many threads across operations as there are physical cores, OMP_NUM_THREADS as many as "
    "within them, KMP_BLOCKTIME=0 and KMP_AFFINITY=granularity=fine,verbose,compact,1,0 are faster than the defaults.",
    "TensorFlow performance guide (2017), on optimizing for CPU",
    _cases,
)
