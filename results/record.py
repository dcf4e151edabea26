"""The record of one run, good or bad: what was asked, on what, what was measured, and how it ended.

One record is one JSON file. A field may be added within a schema version, with a default and marked `ADDED_LATER`;
readers pass over fields that they do not know. What changes the meaning of a field raises the version.
"""

import functools
import hashlib
import math
import re
import uuid
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timezone
from typing import Any

from results import schema
from results.checks import wrong_among
from results.measurement import Measurement
from results.reported import Reported
from results.schema import RecordError
from results.statistics.between_runs import Interval
from results.statistics.step_statistics import StepStatistics

__all__ = [
    "SCHEMA_VERSION", "STATUSES", "Measurement", "RecordError", "Reported", "RunRecord", "StepStatistics",
    "configuration_key", "utc_now",
]  # fmt: skip

SCHEMA_VERSION = 1
STATUSES = ("completed", "failed", "interrupted")
_YEARS = range(1970, 3000)
_SECTIONS = (
    "params", "configuration", "seeds", "environment", "hardware", "placement", "dataset", "model", "cost", "checks",
    "preflight", "exchange", "diagnosis", "step_breakdown", "evaluation", "telemetry", "trace", "onednn", "checkpoints",
    "quantization", "cluster", "repeat", "suite", "trial", "advice", "provenance",
)  # fmt: skip


def utc_now() -> str:
    """Return the time now as a record writes it: UTC, ISO 8601 with microseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def configuration_key(configuration: dict[str, Any]) -> str:
    """Return the short name of a configuration: the first 16 hex digits of the SHA-256 of its canonical JSON."""
    return _digest(schema.plain(configuration, "configuration"))


def _digest(plain: object) -> str:
    return hashlib.sha256(schema.canonical(plain).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run. The free-form sections hold plain JSON values; they are converted, and so copied, on construction.

    `status`: one of STATUSES; `message`: the error where it is not "completed". `problems`: what makes the figures of
    a run unfit for use, for example "the loss is NaN from step 12 on". `wrong`: those of them that say that it computed
    something wrong; the others put its figure in doubt. Where a file has no `wrong`, its problems and checks tell.
    `started_at`, `finished_at`: UTC, ISO 8601. `command_line`: argv.
    `params`: every flag, resolved. `given`: the flags that the user gave. `not_acting`: {flag, value, kind, reason} of
    each flag that was accepted without effect. `configuration`: the resolved flags that say what is measured; records
    with equal `configuration_key` are repeats of each other.
    `environment` (packages; variables, and which of these the run has set itself, variables_of_run; how TensorFlow
    was built; libraries of CUDA that were loaded; in_effect: which settings for processors TensorFlow heeds;
    `machine`, a number that tells machines apart, and `hostname` only where it was asked for), `hardware` (cpu,
    numa_nodes, memory, virtualisation, gpus, the numbers of gpus_of_run), `placement` (towers; variables by device),
    `dataset` (name, synthetic, sample, source, examples) and `model` (name, parameters) are empty where the
    run ended before they were known. If it was looked at, `placement` has where operations were too
    (results/placement.py). `cost` is what an image costs (operations, bytes kept for the backward pass), the operations
    a second that the run achieved, and the peaks of its devices where they were measured (results/cost.py). `checks`
    has what was verified (variable_update, copies) and watched (load, gpus) and, of a deterministic run, the
    fingerprint of its losses (determinism), `preflight` what was found before it began (findings: severity, what, why,
    remedy), `exchange` the bytes that each device sends in a step, and what that costs if it was measured. `diagnosis`
    is what bounds the step, where an experiment was made of it (results/diagnosis.py), `step_breakdown` what its parts
    take, likewise (results/breakdown.py). `evaluation` has the evaluations of a run that paused its training for them,
    and the time it took to the accuracy that it was to reach, or of one that evaluated checkpoints. `telemetry` is what
    the hardware did during the window (host and gpus: summary, counted, series; joules_per_image). `trace` says which
    steps were traced, the milliseconds of each type of operation in the first ten, on the host and on GPUs, and the
    losses of those made in a pause, which the measurement does not have. `onednn` has the primitives of the window
    where they were told. `checkpoints` has what a training saved (folder, saved), and from which step it was resumed.
    `quantization` is what is known of a model that was quantised (results/quantization.py). `cluster` (driver, hosts by
    job, processes by task) is empty where the run was one process, `repeat` (set, number, of) where it was not one of
    several, `suite` (suite, plan, set, cell, repeat, attempt and, where memory had run out and it was halved, the
    batch_size that the suite asked for; where the suite wrote the record in place of the run, its outcome and exit
    code) where it was in none, `trial` (search, set, number, outcome, peak_memory_bytes, of GPUs peak_device_bytes)
    where it was not made by a search. `advice` has, by flag, what was chosen for auto, with rule, reason and source.
    `statistics`: what the raw step times say, computed once. `file`: where the record was read from; it is not part of
    the JSON.

    A record that was imported from elsewhere has `provenance` (tool, source, and what else is known of where it comes
    from) and `reported` figures in place of a measurement; where the source does not tell the time, both times are "".
    """

    status: str
    started_at: str
    finished_at: str
    command_line: tuple[str, ...]
    message: str = ""
    problems: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    not_acting: tuple[dict[str, Any], ...] = ()
    configuration: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    placement: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    measurement: Measurement | None = None
    cost: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    checks: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    preflight: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    exchange: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    diagnosis: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    step_breakdown: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    evaluation: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    telemetry: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    trace: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    onednn: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    checkpoints: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    quantization: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    cluster: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    statistics: StepStatistics | None = field(default=None, metadata=schema.ADDED_LATER)
    repeat: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    suite: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    trial: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    wrong: tuple[str, ...] = field(default=(), metadata=schema.ADDED_LATER)
    advice: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    reported: Reported | None = field(default=None, metadata=schema.ADDED_LATER)
    provenance: dict[str, Any] = field(default_factory=dict, metadata=schema.ADDED_LATER)
    record_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    schema_version: int = SCHEMA_VERSION
    file: str = field(default="", compare=False, metadata=schema.NOT_IN_FILE)
    fresh_from_json: InitVar[bool] = False  # the sections are plain, and nobody else has them: no copy is needed

    def __post_init__(self, fresh_from_json: bool) -> None:
        if not fresh_from_json:
            for name in _SECTIONS:
                object.__setattr__(self, name, schema.plain(getattr(self, name), name))
            not_acting = tuple(schema.plain(list(self.not_acting), "not_acting"))
            object.__setattr__(self, "not_acting", not_acting)
        for name in ("command_line", "problems", "wrong", "given"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if strange := [each for each in self.wrong if each not in self.problems]:
            raise RecordError(f"{strange[0]!r} is none of the problems", "wrong")
        if self.status not in STATUSES:
            raise RecordError(f"expected one of {', '.join(STATUSES)}, found {self.status!r}", "status")
        if not re.fullmatch("[0-9a-f]{32}", self.record_id):  # it becomes part of a file name
            raise RecordError(f"expected 32 hex digits, found {self.record_id!r}", "record_id")
        for name in ("started_at", "finished_at"):
            if getattr(self, name) or not self.provenance:
                _check_time(name, getattr(self, name))
        steps = len(self.measurement.step_seconds) if self.measurement else 0
        if self.statistics and not 1 <= self.statistics.steady_from <= max(steps, 1):
            raise RecordError(f"there are {steps} steps, found {self.statistics.steady_from}", "statistics.steady_from")

    @functools.cached_property
    def configuration_key(self) -> str:
        """The short name of the configuration; records with equal keys are repeats."""
        return _digest(self.configuration)  # which is plain already

    @property
    def valid(self) -> bool:
        """Whether the figures may be used: the run completed, and nothing was found wrong with it."""
        return self.status == "completed" and not self.problems

    @property
    def images_per_second(self) -> float | None:
        """The headline figure, as measured or as reported, valid or not; None where there is none."""
        figures = self.measurement or self.reported
        return figures.images_per_second if figures else None

    @property
    def steady_images_per_second(self) -> float | None:
        """The figure to compare runs by: images/sec over the steady part of the window.

        It is images_per_second * mean of all step times / mean of the steady step times: what the loop spends between
        steps counts in proportion. Where nothing is trimmed, and where there are no statistics, it is the headline.
        """
        headline, start = self.images_per_second, self.statistics.steady_from - 1 if self.statistics else 0
        if headline is None or self.measurement is None or not start:
            return headline
        seconds = self.measurement.step_seconds
        steady = math.fsum(seconds[start:])
        return headline * (math.fsum(seconds) / len(seconds)) / (steady / (len(seconds) - start)) if steady else None

    @property
    def steady_interval(self) -> Interval | None:
        """steady_images_per_second with its 95 % interval within this run; None where the steps support none.

        It says how well this run is measured, and nothing of the next run.
        """
        found, speed = self.statistics, self.steady_images_per_second
        low, high = (found.low_seconds, found.high_seconds) if found else (None, None)
        if speed is None or found is None or low is None or high is None or not 0 < low <= high:
            return None
        return Interval(speed, speed * found.mean_seconds / high, speed * found.mean_seconds / low)

    @property
    def batch_size(self) -> int | None:
        """Images per tower and step, as far as known."""
        figures = self.measurement or self.reported
        return figures.batch_size if figures else None

    @property
    def num_towers(self) -> int | None:
        """Towers over all processes, as far as known."""
        figures = self.measurement or self.reported
        return figures.num_towers if figures else None

    def to_json(self) -> str:
        """Return the record as standard JSON, with the derived `configuration_key` and `valid` for other readers."""
        data = schema.plain(self, "")
        derived = {"configuration_key": self.configuration_key, "valid": self.valid}
        return schema.dump({"schema_version": self.schema_version, **derived, **data})

    @classmethod
    def from_json(cls, text: str, file: str = "") -> "RunRecord":
        """Read a record; `file` is named in errors and kept in the record. Raise RecordError where it is unfit."""
        try:
            data = schema.parse(text)
            _check_version(data)
            record: RunRecord = schema.decode(cls, data, fresh_from_json=True)
            if data.get("configuration_key", record.configuration_key) != record.configuration_key:
                raise RecordError("does not belong to the configuration beside it; was it edited?", "configuration_key")
        except RecordError as error:
            raise error.in_file(file) from None
        except RecursionError:
            raise RecordError("not a record: nested too deeply", file=file) from None
        if "wrong" not in data:  # it was written before there was such a field
            object.__setattr__(record, "wrong", wrong_among(record.problems, record.checks))
        object.__setattr__(record, "file", file)  # still ours alone; a copy would convert every section again
        return record


def _check_version(data: object) -> None:
    if not isinstance(data, dict) or "schema_version" not in data:
        raise RecordError("not a record: it has no schema_version")
    version = data["schema_version"]
    if isinstance(version, int) and version > SCHEMA_VERSION:
        way_out = f"newer than this program, which reads version {SCHEMA_VERSION}: update the benchmark"
        raise RecordError(f"{version} is {way_out}", "schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        raise RecordError(f"expected {SCHEMA_VERSION}, found {version!r}", "schema_version")


def _check_time(name: str, value: str) -> None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise RecordError(f"expected a time such as 2026-01-31T12:00:00+00:00, found {value!r}", name) from None
    if moment.year not in _YEARS:  # charts and calendars end somewhere
        raise RecordError(f"expected a year from {_YEARS[0]} to {_YEARS[-1]}, found {value!r}", name)
    if moment.utcoffset() is None or moment.utcoffset():
        raise RecordError(f"expected a time in UTC, that is with +00:00, found {value!r}", name)
