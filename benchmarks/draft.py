"""What is known of a run while it goes on, and the record that it makes whenever it ends."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks import environment as this_machine
from benchmarks import memory
from benchmarks.advice.rules import DATA_FORMAT
from benchmarks.discreet_facts import DiscreetFacts
from benchmarks.machine.software import loaded_libraries
from benchmarks.measure import Recording
from benchmarks.onednn_lines import PrimitiveLines
from benchmarks.params import CommandLine, Notice, Params, ResolvedParams, configuration, notices
from benchmarks.params.conditions import quantizes
from benchmarks.params.paper_schedule import notice, paper_facts
from benchmarks.params.suite_rules import place
from benchmarks.preparation import variables_of_run
from models.cost import cost
from models.network import Network
from results.checks import Facts, losses_of, problems
from results.cost import achieved
from results.measurement import fingerprint
from results.record import Measurement, RunRecord, utc_now
from results.statistics.within_run import describe
from variable_mgr.exchange_plan import Traffic


class Verdict(Protocol):
    """What a record needs to know of the check of the variable update."""

    @property
    def problem(self) -> str | None:
        """What is wrong, or None."""

    def facts(self) -> dict[str, Any]:
        """What was found."""


class Placed(Protocol):
    """What a record needs to know of one set of variables."""

    @property
    def placement(self) -> Mapping[str, str]:
        """Device of each variable by name."""

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables by name."""

    @property
    def declarations(self) -> Mapping[str, Any]:
        """What each variable is, by name; `nbytes` is its size."""


@dataclass
class Draft:
    """A run as far as it has come: a record can be made of it at any time.

    `params` become the resolved ones once devices are known; `sections` are those of a record that are known, `checks`
    what was found (copies, load, gpus) beside the verdict on the variable update. `out_of_memory` says why it failed;
    `peaks` are what a trial has of memory beside or in place of this process's peak.
    `primitives` is what oneDNN tells, where it was asked to. Environment and hardware are those at the start.
    """

    command: CommandLine
    params: Params
    command_line: Sequence[str]
    started_at: str = field(default_factory=utc_now)
    sections: dict[str, Any] = field(default_factory=dict)
    recording: Recording | None = None
    verdict: Verdict | None = None
    checks: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=this_machine.hardware)
    out_of_memory: bool = False
    peaks: dict[str, Any] = field(default_factory=dict)
    primitives: PrimitiveLines | None = None

    def __post_init__(self) -> None:
        self.environment = self.environment or {
            **this_machine.environment(names=self.params.record_hostname),
            "variables_of_run": variables_of_run(self.params, os.environ),
        }

    def notices(self) -> list[Notice]:
        """What was asked for and does not act, as far as it is known yet."""
        return notices(self.params, self.command.given)

    def advice(self) -> dict[str, dict[str, Any]]:
        """What stands for auto, by flag, as far as it is known."""
        found = self.command.advice.facts() if self.command.advice else {}
        if self.command.params.data_format == "auto" and self.params.data_format != "auto":
            found["data_format"] = vars(DATA_FORMAT[self.params.device])
        return found

    def record(self, status: str, message: str = "") -> RunRecord:
        """The record of a run that ended with `status`."""
        measurement = self.recording.measurement() if self.recording else None
        statistics = describe(measurement.step_seconds) if measurement else None
        facts = self._certain(measurement)
        if status == "completed":  # of another run there is no figure to doubt
            load, gpus = self.checks.get("load"), self.checks.get("gpus")
            waits = self.sections.get("diagnosis", {}).get("input_share")
            trial = searched(self.params)
            facts = dataclasses.replace(
                facts, statistics=statistics, load=load, gpus=gpus, input_wait_share=waits, trial=trial
            )
        found = problems(facts)
        discreet = DiscreetFacts(self.params, self.sections.get("cluster", {}))
        return RunRecord(
            status=status,
            message=discreet.told(message),
            problems=tuple(map(str, found)),
            wrong=tuple(str(problem) for problem in found if problem.wrong),
            started_at=self.started_at,
            finished_at=utc_now(),
            command_line=discreet.arguments(self.command_line),
            params=discreet.flags(vars(self.params)),
            given=tuple(sorted(self.command.given)),
            not_acting=tuple(discreet.told(vars(notice)) for notice in self.notices()),
            configuration=discreet.flags(configuration(self.params)) | self._circumstances(),
            seeds={"tf_random_seed": self.params.tf_random_seed},
            environment=discreet.environment(self.environment)
            | {"libraries": loaded_libraries()},  # cuDNN comes with the first convolution
            hardware=self.hardware,
            measurement=measurement,
            statistics=statistics,
            checks=self._checked(measurement),
            repeat=self._repeat(),
            suite=place(self.params),
            trial=self._trial(status),
            advice=self.advice(),
            **discreet.sections(self.sections) | self._cost(measurement) | discreet.cluster(),
        )

    @property
    def wrong_update(self) -> str | None:
        """What is wrong with the variable update, as far as it was verified."""
        return self.verdict.problem if self.verdict else None

    def wrong(self, losses: bool = True) -> tuple[str, ...]:
        """What was computed wrongly so far, a sentence each; the record's problems have doubts beside these."""
        measurement = self.recording.measurement() if self.recording and losses else None
        return tuple(str(problem) for problem in problems(self._certain(measurement)) if problem.wrong)

    def _circumstances(self) -> dict[str, Any]:
        """What says what is measured and is no flag: where the data are from, and how many processes there were."""
        found: dict[str, Any] = {"data_source": self.sections.get("dataset", {}).get("source")}
        if search := searched(self.params):
            found["trial"] = search
        if cluster := self.sections.get("cluster"):
            found["processes"] = {job: len(hosts) for job, hosts in cluster["hosts"].items()}
        return found

    def _checked(self, measurement: Measurement | None) -> dict[str, Any]:
        """What was verified and watched; of a deterministic run also what another can be compared by."""
        checked = {"variable_update": self.verdict.facts()} if self.verdict else {}
        if self.params.deterministic and measurement:
            before = self.recording.earlier.losses if self.recording else ()
            losses = (*before, *measurement.warmup_losses, *measurement.losses)
            checked["determinism"] = {"losses_sha256": fingerprint(losses)}
        return checked | self.checks

    def _repeat(self) -> dict[str, Any]:
        """Which run of which set this is."""
        if not self.params.repeat_set:
            return {}
        return {"set": self.params.repeat_set, "number": self.params.repeat_number, "of": self.params.repeats}

    def _cost(self, measurement: Measurement | None) -> dict[str, Any]:
        """The `cost` section, with the operations a second where they are of floats and the speed is known."""
        found, speed = self.sections.get("cost"), measurement.images_per_second if measurement else None
        if not found or not measurement or speed is None:
            return {}
        if quantizes(self.params):
            return {"cost": found}
        return {"cost": found | achieved(found, speed, measurement.num_towers)}

    def _trial(self, status: str) -> dict[str, Any]:
        """Which trial of which search this is, and how it ended."""
        if not self.params.trial_set:
            return {}
        peaks = {"peak_memory_bytes": memory.peak_resident(), **self.peaks}
        limit = self.params.memory_limit_mib
        ran_out = self.out_of_memory or (limit and peaks["peak_memory_bytes"] > limit * memory.MIB)
        outcome = memory.OUT_OF_MEMORY if ran_out else "fits" if status == "completed" else status
        of = {"search": searched(self.params), "set": self.params.trial_set, "number": self.params.trial_number}
        return of | {"outcome": outcome} | peaks

    def _certain(self, measurement: Measurement | None) -> Facts:
        """What shows whether the right thing was computed."""
        return Facts(
            update={"problem": self.wrong_update},
            copies=self.checks.get("copies"),
            losses=losses_of(measurement) if measurement else (),
        )


def searched(params: Params) -> str:
    """The flag of the search that a run is a trial of; "" where it is none."""
    if not params.trial_set:
        return ""
    searches = {"tune_cpu": params.tune_cpu, "advised": params.advised}
    return next((name for name, made in searches.items() if made), "find_batch_size")


def model_facts(name: str, declarations: Sequence[Any]) -> dict[str, Any]:
    """The `model` section: parameters are what gradients train; variables include the moving statistics."""
    trainable = [declaration for declaration in declarations if declaration.trainable]
    return {
        "name": name,
        "parameters": sum(declaration.size for declaration in trainable),
        "variables": len(declarations),
        "variable_bytes": sum(declaration.nbytes for declaration in declarations),
    }


def learning_facts(params: ResolvedParams, given: Collection[str], images_per_update: int) -> dict[str, Any]:
    """The part of the `model` section that says how it learns, where that follows a paper or the number of images."""
    facts: dict[str, Any] = {}
    if paper := paper_facts(params, given):
        facts["paper_schedule"] = paper
    if params.learning_rate_batch_size:
        facts["learning_rate_scale"] = images_per_update / params.learning_rate_batch_size
        facts["images_per_update"] = images_per_update
    return facts


def learning_notices(params: ResolvedParams, facts: Mapping[str, Any]) -> list[str]:
    """What stderr says of `facts`."""
    told = [notice(facts["paper_schedule"])] if "paper_schedule" in facts else []
    if "learning_rate_scale" in facts:
        factor = facts["learning_rate_scale"]
        told.append(
            f"learning rates are {factor:g} times those for {params.learning_rate_batch_size} images a step, as an "
            f"update has {facts['images_per_update']} (Goyal et al. 2017)."
        )
    return told


def cost_facts(network: Network, num_classes: int, bytes_a_number: int, *, training: bool) -> dict[str, Any]:
    """The `cost` section before the speed is known: what an image costs, and which of it the run does."""
    inference, whole = cost(network, num_classes), cost(network, num_classes, training=True)
    return {
        "forward_flops": inference.forward_flops,
        "training_flops": whole.training_flops,
        "activation_bytes": whole.activation_bytes(bytes_a_number),
        "flops_an_image": whole.training_flops if training else inference.forward_flops,
    }


def exchange_facts(traffic: Traffic | None) -> dict[str, Any]:
    """The `exchange` section: the number of exchanges in a step, and the bytes that each device sends in it."""
    return dict(vars(traffic)) if traffic else {"not_known": "TensorFlow's strategy chooses how it exchanges"}


def placement_facts(towers: Sequence[str], stores: Sequence[Placed]) -> dict[str, Any]:
    """The `placement` section: the towers' devices, and number and bytes of the variables on each device."""
    variables: dict[str, dict[str, int]] = {}
    counted: set[int] = set()
    for store in stores:
        for name, device in store.placement.items():
            if id(store.variables[name]) in counted:
                continue  # stores can share variables
            counted.add(id(store.variables[name]))
            on_device = variables.setdefault(device, {"variables": 0, "bytes": 0})
            on_device["variables"] += 1
            on_device["bytes"] += store.declarations[name].nbytes
    return {"towers": list(towers), "variables": variables}
