"""What is known of a run while it goes on, and the record that it makes whenever it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks import environment as this_machine
from benchmarks.measure import Recording
from benchmarks.params import CommandLine, Notice, Params, configuration, notices
from results.record import RunRecord, utc_now
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

    `params` become the resolved ones once devices are known; `sections` are those of a record that are known.
    Environment and hardware are those at the start.
    """

    command: CommandLine
    params: Params
    command_line: Sequence[str]
    started_at: str = field(default_factory=utc_now)
    sections: dict[str, Any] = field(default_factory=dict)
    recording: Recording | None = None
    verdict: Verdict | None = None
    environment: dict[str, Any] = field(default_factory=this_machine.environment)
    hardware: dict[str, Any] = field(default_factory=this_machine.hardware)

    def notices(self) -> list[Notice]:
        """What was asked for and does not act, as far as it is known yet."""
        return notices(self.params, self.command.given)

    def record(self, status: str, message: str = "") -> RunRecord:
        """The record of a run that ended with `status`."""
        return RunRecord(
            status=status,
            message=message,
            problems=self._problems(),
            started_at=self.started_at,
            finished_at=utc_now(),
            command_line=tuple(self.command_line),
            params=vars(self.params),
            given=tuple(sorted(self.command.given)),
            not_acting=tuple(vars(notice) for notice in self.notices()),
            configuration=configuration(self.params) | self._circumstances(),
            seeds={"tf_random_seed": self.params.tf_random_seed},
            environment=self.environment,
            hardware=self.hardware,
            measurement=self.recording.measurement() if self.recording else None,
            checks={"variable_update": self.verdict.facts()} if self.verdict else {},
            **self.sections,
        )

    @property
    def wrong_update(self) -> str | None:
        """What is wrong with the variable update, as far as it was verified."""
        return self.verdict.problem if self.verdict else None

    def _circumstances(self) -> dict[str, Any]:
        """What says what is measured and is no flag: where the data are from, and how many processes there were."""
        found: dict[str, Any] = {"data_source": self.sections.get("dataset", {}).get("source")}
        if cluster := self.sections.get("cluster"):
            found["processes"] = {job: len(hosts) for job, hosts in cluster["hosts"].items()}
        return found

    def _problems(self) -> tuple[str, ...]:
        """What makes the figures unfit for use."""
        problems = [self.wrong_update] if self.wrong_update else []
        step = self.recording.first_nonfinite_step if self.recording else None
        if step is not None:
            where = f"warm-up step {step}" if step < 0 else f"step {step}"
            problems.append(f"the loss is not finite from {where} on")
        return tuple(problems)


def model_facts(name: str, declarations: Sequence[Any]) -> dict[str, Any]:
    """The `model` section: parameters are what gradients train; variables include the moving statistics."""
    trainable = [declaration for declaration in declarations if declaration.trainable]
    return {
        "name": name,
        "parameters": sum(declaration.size for declaration in trainable),
        "variables": len(declarations),
        "variable_bytes": sum(declaration.nbytes for declaration in declarations),
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
