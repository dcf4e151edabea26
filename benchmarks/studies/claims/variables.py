"""The claims about where variables live and how the towers' gradients become one update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.advice.candidates import Candidate, chosen
from benchmarks.advice.rules import GUIDE, MANY_BYTES_PER_FLOP
from benchmarks.params import Params
from benchmarks.params.advised import AUTO, advised
from benchmarks.studies.claims import evidence, recorded
from benchmarks.studies.claims.claim import Case, Claim, Missing, Promise, Way
from benchmarks.studies.claims.evidence import Side, reasons
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.runs import way
from results.record import RunRecord
from results.schema import section
from results.sections import size
from variable_mgr.all_reduce_spec import ALGORITHMS, NEED_GPUS

STEPS = 60  # an interval of a run needs 50
_FLOAT32_BYTES = 4
_EVERYWHERE = (
    Candidate("replicated"),
    Candidate("parameter_server", "cpu"),
    Candidate("sharded"),
    Candidate("distributed_replicated"),
    *(Candidate("replicated", None, algorithm) for algorithm in ALGORITHMS if algorithm not in NEED_GPUS),
)
_ON_GPUS = (
    Candidate("parameter_server", "gpu"),
    *(Candidate("replicated", None, algorithm) for algorithm in NEED_GPUS),
)


class _Model(NamedTuple):
    """What is trained: `batch` images a tower. `seconds`: of a run, roughly."""

    name: str
    data: str
    batch: int
    seconds: float


# On the CPU alexnet is that of CIFAR-10: with 8 images a tower it updates more than it computes. On GPUs these are the
# models of the guide's tables, with its batches.
_MODELS = {
    "cpu": (_Model("alexnet", "cifar10", 8, 9.0), _Model("resnet20", "cifar10", 16, 12.0)),
    "gpu": (
        _Model("vgg16", "imagenet", 64, 60.0),
        _Model("resnet50", "imagenet", 64, 60.0),
        _Model("alexnet", "imagenet", 512, 60.0),
        _Model("inception3", "imagenet", 64, 60.0),
    ),
}


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    if machine.towers < 2:
        second = "a second GPU" if machine.gpus else "a second core"
        return [Missing("all", f"{second}: a tower by itself exchanges nothing")]
    advice = {model: _advised(machine, model) for model in _MODELS[machine.device]}
    found: list[Case | Missing] = [
        _case(machine, model, choice, candidate)
        for candidate in (*_ON_GPUS * bool(machine.gpus), *_EVERYWHERE)
        for model, choice in advice.items()
        if candidate != choice
    ]
    if not machine.gpus:
        found += [Missing(f"any model: {candidate}", "two GPUs") for candidate in _ON_GPUS]
        found.append(Missing("the guide's own cards", "two K80, or two Titan X, M40 or P100"))
    return found


def _case(machine: Machine, model: _Model, choice: Candidate, candidate: Candidate) -> Case:
    """What the rules choose for `model` against `candidate`."""
    return Case(
        f"{model.name}: {candidate}",
        _way(machine, model, str(choice), f"--variable_update={AUTO}"),
        _way(machine, model, str(candidate), *candidate.flags),
        Promise(not_worse=True),
        seconds=model.seconds,
        reasons=reasons(str(choice), str(candidate), TELLS),
    )


def _way(machine: Machine, model: _Model, name: str, *flags: str) -> Way:
    towers = f"--num_gpus={machine.towers}"
    return way(name, machine, model.name, model.batch, STEPS, towers, *flags, data=model.data)


def _advised(machine: Machine, model: _Model) -> Candidate:
    """What --variable_update=auto stands for on `machine`."""
    asked = Params(
        model=model.name,
        data_name=model.data,
        batch_size=model.batch,
        device=machine.device,
        num_gpus=machine.towers,
        variable_update=AUTO,
    )
    _, advice = advised(asked)
    assert advice, "model and data are known, and auto was asked for"
    return chosen(advice.choice)


def _rule(advised: Side, _other: Side) -> Iterator[str]:
    """Who advises it."""
    if advised.record and (found := section(advised.record.advice, "variable_update")):
        yield f'The rule "{found["rule"]}" advises it: {found["reason"]}.'
        if found["source"] != GUIDE:
            yield "The guide itself advises on K80, Titan X, M40 and P100 alone."
        yield from _many(advised.record)


def _many(record: RunRecord) -> Iterator[str]:
    """Whether the model has many variables for what it computes."""
    flops, parameters = record.cost.get("training_flops"), record.model.get("parameters")
    if not flops or not parameters:
        return
    many = _FLOAT32_BYTES * parameters / flops >= MANY_BYTES_PER_FLOP
    yield f"{record.model['name']} counts as a model with {'many' if many else 'few'} variables."


def _exchanged(advised: Side, other: Side) -> Iterator[str]:
    """The bytes that leave a device in a step; where a link carries them, how many a second."""
    sent, seconds = ([of(side) for side in (advised, other)] for of in (_sent, _step_seconds))
    if sent[0] is None or sent[1] is None or not (seconds[0] and seconds[1]):
        return
    if sent[0] == sent[1]:
        found = f"Either way a device sends {size(sent[0])} in a step at most"
    else:
        found = f"In a step a device sends {size(sent[0])} ('{advised.name}') and {size(sent[1])} at most"
    if not advised.on_gpu:
        yield f"{found}; towers on the CPU share its memory, where tensors are handed over and no link carries them."
    else:
        yield f"{found}, which is {size(sent[0] / seconds[0])} and {size(sent[1] / seconds[1])} a second."


def _sent(side: Side) -> float | None:
    """The most that one device sends."""
    sent = section(side.record.exchange, "sent_bytes") if side.record else {}
    return float(max(sent.values())) if sent else None


def _step_seconds(side: Side) -> float | None:
    return recorded.step_seconds(side.runs)


def _copies(advised: Side, other: Side) -> Iterator[str]:
    """The bytes of variables that each way has to update, in all copies."""
    kept = [_kept(side) for side in (advised, other)]
    if kept[0] is None or kept[1] is None:
        return
    if kept[0] == kept[1]:
        yield f"Either way keeps, and updates, {size(kept[0])} of variables."
    else:
        found = f"{size(kept[0])} ('{advised.name}') and {size(kept[1])}"
        yield f"All copies together, which are updated in every step, have {found}."


def _kept(side: Side) -> int | None:
    found = section(side.record.placement, "variables") if side.record else {}
    return int(sum(each["bytes"] for each in found.values())) if found else None


TELLS = (_rule, _exchanged, _copies, evidence.gpus, evidence.processors)

VARIABLE_UPDATE = Claim(
    "variable_update",
    "Where variables best live, on the CPU, spread over the GPUs or in a copy on each with an all-reduce, depends on "
    "how the GPUs are linked and on how many variables the model has: what --variable_update=auto chooses by that is "
    "no slower than anything else.",
    "TensorFlow performance guide (2017), on variable placement; benchmarks/advice/rules.py for what it does not know",
    _cases,
)
