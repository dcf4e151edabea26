"""What a record tells of flags, arguments and processes, with what records leave out (discretion.py) left out."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import models
from benchmarks.discretion import AllNames, Names, told, told_arguments
from benchmarks.params import Params, options

_WITH_PATHS = ("checkpoints", "dataset", "preflight", "trace")  # of the sections


class DiscreetFacts:
    """The facts of a run of `params`, in the cluster that its record's section `cluster` describes, if in any."""

    def __init__(self, params: Params, cluster: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._all = params.record_hostname
        self._names = AllNames() if self._all else Names(_addresses(params, cluster), _vocabulary())

    def told(self, fact: Any) -> Any:
        """A fact of plain JSON."""
        return told(fact, self._names)

    def arguments(self, command_line: Sequence[str]) -> tuple[str, ...]:
        """The arguments of the command."""
        return tuple(told_arguments(command_line, self._names))

    def flags(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by the names of options, and what else stands beside them."""
        return {
            name: self._hosts(value) if name in options() and options()[name].hosts and value else self.told(value)
            for name, value in values.items()
        }

    def sections(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The sections of a record that are `known`."""
        return {name: self.told(facts) if name in _WITH_PATHS else facts for name, facts in known.items()}

    def environment(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The section `environment`, with its variables as a record may have them."""
        return told_environment(facts, self._names)

    def cluster(self) -> dict[str, Any]:
        """The section `cluster`, where there is one: hosts as others know them, or under the names of records."""
        if not self._cluster or self._all:
            return {}
        hosts = {job: [self._names.address(each) for each in found] for job, found in self._cluster["hosts"].items()}
        processes = {
            task: {name: fact for name, fact in facts.items() if name != "hostname"}
            for task, facts in self._cluster.get("processes", {}).items()
        }
        return {"cluster": {**self._cluster, "hosts": hosts, "processes": processes}}

    def _hosts(self, value: str) -> str:
        return value if self._all else ",".join(self._names.address(each) for each in value.split(","))


def told_environment(facts: Mapping[str, Any], names: Names | None = None) -> dict[str, Any]:
    """The section `environment` without `names` in its variables; by default without this machine's own."""
    names = names or Names((), _vocabulary())
    return {**facts, "variables": {name: names(value) for name, value in facts["variables"].items()}}


def _addresses(params: Params, cluster: Mapping[str, Any]) -> list[str]:
    """Every host that flags or the section `cluster` name."""
    of_flags = [str(getattr(params, name) or "").split(",") for name, option in options().items() if option.hosts]
    return [each for each in itertools.chain(*of_flags, *cluster.get("hosts", {}).values()) if each]


@functools.cache
def _vocabulary() -> frozenset[str]:
    """Words of flags and models, which stand in every record."""
    known = [*options(), *(choice for option in options().values() for choice in option.choices or ())]
    known += ["replica", "device"]  # of names of devices
    known += [name for networks in models.NETWORKS.values() for name in networks]
    return frozenset(word for text in known for word in (text, *re.split(r"[_.]", text)))
