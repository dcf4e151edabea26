"""What to say of a run that repeats a recorded one: what differs now, and what came of it."""

from __future__ import annotations

from benchmarks import environment as this_machine
from benchmarks.discreet_facts import told_environment
from results.record import RunRecord, utc_now
from results.schema import section


def differences_now(record: RunRecord) -> list[str]:
    """Return what differs between the conditions of `record` and this process, a sentence each."""
    here = _here(record)
    then, now = _facts(record), _facts(here)
    told = [
        f"{name}: {_shown(then[name])} then, {_shown(now.get(name, 'not known'))} now."
        for name in then
        if then[name] != now.get(name)
    ]
    variables_then, variables_now = (section(each.environment, "variables") for each in (record, here))
    for name in sorted(variables_then.keys() | variables_now.keys()):
        before, after = (_shown(each.get(name, "not set")) for each in (variables_then, variables_now))
        if before != after:
            told.append(f"environment variable {name}: {before} then, {after} now.")
    return told


def outcome(record: RunRecord, rerun: RunRecord) -> str:
    """Return how the configuration and the figure of `rerun` compare with those of `record`."""
    names = sorted(record.configuration.keys() | rerun.configuration.keys())
    changed = [
        f"{name} ({_shown(record.configuration.get(name))} then, {_shown(rerun.configuration.get(name))} now)"
        for name in names
        if record.configuration.get(name) != rerun.configuration.get(name)
    ]
    said = f"another configuration than the record's: {', '.join(changed)}" if changed else "the record's configuration"
    before, after = record.images_per_second, rerun.images_per_second
    if not before or not after:
        return f"Rerun with {said}."
    then, now = f"{before:.2f} images a second then{_doubt(record)}", f"{after:.2f} now{_doubt(rerun)}"
    return f"Rerun with {said}; {then}, {now}: {after / before:.3f}x."


def _doubt(record: RunRecord) -> str:
    """What a reader must know of the figure of `record` beside it: a ratio is worth no more than its sides."""
    from results.table import state  # needs pandas, for which other runs must not wait

    return "" if record.valid else f" ({state(record.valid, record.status, bool(record.wrong))})"


def _here(record: RunRecord) -> RunRecord:
    """Return what a record of this process would know, on the same kind of device."""
    now, named = utc_now(), "hostname" in record.environment
    environment, hardware = this_machine.environment(names=named), this_machine.hardware()
    if "gpus_of_run" in record.hardware:  # which they are shows only once CUDA has started
        hardware["gpus_of_run"] = record.hardware["gpus_of_run"]
    device = record.configuration.get("device", record.params.get("device"))
    return RunRecord(
        status="interrupted",
        started_at=now,
        finished_at=now,
        command_line=(),
        configuration={"device": device},
        environment=environment if named else told_environment(environment),
        hardware=hardware,
    )


def _facts(record: RunRecord) -> dict[str, str]:
    from results.conditions import conditions  # likewise

    facts = conditions(record)
    if "commit" in facts and section(record.environment, "git").get("dirty"):
        facts["commit"] += " with changes"
    known = {name: record.environment.get(name) for name in ("hostname", "machine")}
    return facts | {name: str(value) for name, value in known.items() if value}


def _shown(value: object) -> str:
    from results.texts import shown  # likewise

    return shown(value)
