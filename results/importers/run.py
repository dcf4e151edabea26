"""What a log says of one run, and the record that this becomes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from results.checks import Problem, reported_problems
from results.record import RecordError, Reported, RunRecord
from results.reported import ReportedRow

IMPORTER_VERSION = 2  # raised where the same log would give another record
MOST_ROWS = 50_000  # rows kept of one run: half a million steps, as tf_cnn_benchmarks prints them
LONGEST_MESSAGE = 300  # characters


@dataclass
class Run:
    """One run as its source tells it. What the source does not say is absent: nothing is guessed.

    `tool`: the program that measured. `complete`: whether the source has the run's end; if not, `message` says how it
    ended. `trained`: whether losses mean anything. `started`, `finished`: seconds since 1970.
    `identity`: what tells this run from all others, where that is not the content of the whole file.
    """

    tool: str
    complete: bool = False
    message: str = ""
    trained: bool = True
    problems: list[str] = field(default_factory=list)
    configuration: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    images_per_second: float | None = None
    uncertainty: float | None = None
    batch_size: int | None = None
    num_towers: int | None = None
    rows: list[ReportedRow] = field(default_factory=list)
    started: float | None = None
    finished: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    identity: str = ""

    @property
    def full(self) -> bool:
        """Whether there are so many rows that no more are kept."""
        return len(self.rows) >= MOST_ROWS

    def add_row(self, row: ReportedRow | None) -> None:
        """Keep `row`, up to MOST_ROWS; a run with more is not trusted. None is a row that was not worth reading."""
        if row and not self.full:
            self.rows.append(row)
        elif not any(problem.startswith("more than") for problem in self.problems):
            self.problems.append(f"more than {MOST_ROWS:,} rows in the log, of which the first are kept")


def record(run: Run, identity: str, origin: dict[str, Any]) -> RunRecord:
    """Return the record of `run`. Equal `identity` gives an equal record_id; `origin` joins the provenance.

    Raise RecordError where the figures are impossible, for example a negative speed.
    """
    status, message = _ending(run)
    reported = _reported(run)
    problems = list(_problems(run, status, reported))
    return RunRecord(
        status=status,
        message=message[:LONGEST_MESSAGE],
        problems=tuple(map(str, problems)),
        wrong=tuple(str(problem) for problem in problems if isinstance(problem, Problem) and problem.wrong),
        started_at=_moment(run.started),
        finished_at=_moment(run.finished),
        command_line=(),
        configuration=run.configuration,
        environment=run.environment,
        hardware=run.hardware,
        dataset=run.dataset,
        model=run.model,
        reported=reported,
        provenance={"tool": run.tool, **run.provenance, **origin, "importer_version": IMPORTER_VERSION},
        record_id=hashlib.sha256((run.identity or identity).encode("utf-8", "surrogatepass")).hexdigest()[:32],
    )


def _reported(run: Run) -> Reported:
    try:
        return Reported(
            images_per_second=run.images_per_second,
            uncertainty=run.uncertainty,
            batch_size=run.batch_size,
            num_towers=run.num_towers,
            rows=tuple(run.rows),
        )
    except RecordError as error:
        raise error.in_file("") from None


def _ending(run: Run) -> tuple[str, str]:
    if run.complete:
        return "completed", ""
    return "interrupted" if run.message.startswith("KeyboardInterrupt") else "failed", run.message


def _problems(run: Run, status: str, reported: Reported) -> Iterable[str | Problem]:
    yield from run.problems
    if status == "completed" and run.images_per_second is None and not any("no figure" in why for why in run.problems):
        yield "no images per second in the source"
    if run.trained:
        steps = run.configuration.get("num_batches")
        yield from reported_problems(reported, steps if isinstance(steps, int) else None)


def _moment(unix_seconds: float | None) -> str:
    if unix_seconds is None:
        return ""
    return datetime.fromtimestamp(unix_seconds, timezone.utc).isoformat(timespec="microseconds")
