"""What the figures stand on: the runs that are left out, the conditions, the sources."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from results import reference
from results.checks import NOT_VALID, WRONG
from results.conditions import conditions
from results.naming import counted
from results.record import RunRecord
from results.reference.hardware import RATED_POWER
from results.report.material import Material, facts_of, kind, words_of
from results.report.page import Section, Table, number, table
from results.report.svg import Draw
from results.suites import MADE_AGAIN, records_set_aside
from results.table import state
from results.texts import printable

_COMMIT = 12  # digits, which tell the commits of any repository apart
_SOURCE = ("tool", "source", "date", "document", "caveat")


def validity(material: Material, _draw: Draw) -> Section:
    """How many runs the figures stand on, and each that is not valid or left out, bracketed, with the reason."""
    records = [record for group in material.groups for record in group.records]
    invalid = [record for record in records if not record.valid]
    kinds = Counter(map(kind, records))
    told = [
        f"Entered into the figures: {counted(len(records), 'run')} in {counted(len(material.groups), 'configuration')}."
    ]
    forms = {
        "valid": "Measured by this benchmark, and found right by its checks: {:,}.",
        "reported": "As other programs or publications reported them, and unchecked here: {:,}.",
        NOT_VALID: f"{NOT_VALID}, and in the figures because --include_invalid was given: {{:,}}.",
        WRONG: f"{WRONG}, as what they computed is, and in the figures because --include_invalid was given: {{:,}}.",
    }
    told += [form.format(kinds[word]) for word, form in forms.items() if kinds[word]]
    left_out = material.left_out
    outside = f"{counted(len(left_out), 'run')} left out of all of the above." if left_out else "No run is left out."
    told.append(f"{outside}{' Figures in brackets are not to be used.' if invalid or left_out else ''}")
    facts = facts_of([*records, *left_out])  # of all at once, as a machine is called by what parts it from the others
    bracketed = list(zip([*records, *left_out], facts, strict=True))
    aside = records_set_aside([*records, *left_out])  # of trials it is among the problems
    made_again = {record_id for record_id, why in aside.items() if why == MADE_AGAIN}
    tables = (
        _bracketed([each for each in bracketed[: len(records)] if not each[0].valid], "Not valid, but in the figures"),
        _bracketed(bracketed[len(records) :], "Left out", made_again),
    )
    return Section("validity", "Validity", tuple(told), tuple(found for found in tables if found.rows))


def origins(material: Material, _draw: Draw) -> Section:
    """The conditions of the runs, each distinct set once, and where what was not measured here comes from."""
    records = [record for group in material.groups for record in group.records]
    counted = Counter(tuple(sorted(_conditions(record).items())) for record in records)
    names = list(dict.fromkeys(name for found in counted for name, _ in found))
    rows = [(str(count), *(dict(found).get(name, "-") for name in names)) for found, count in counted.most_common()]
    tables = [table((">runs", *names), rows, "Conditions", folded=True)]
    sources = Counter(
        tuple(_text(record.provenance, name) for name in _SOURCE) for record in records if record.provenance
    )
    if sources:
        cited = [(*found, str(count)) for found, count in sources.most_common()]
        headings = ("tool", "source", "date", "+document", "+caveat", ">runs")
        tables.append(table(headings, cited, "Sources", folded=True))
    tables += _environments(records)
    powers = f"Watts are the {RATED_POWER}: results/reference/hardware.csv has the source of each."
    return Section("origins", "Conditions and sources", (powers,), tuple(tables))


def _environments(records: list[RunRecord]) -> list[Table]:
    names = dict.fromkeys(_text(record.provenance, "reference") for record in records)
    platforms = {_text(record.provenance, "platform") for record in records} | {"all"}
    found = []
    for name in (name for name in names if name in reference.TABLES):
        rows = [
            (row["platform"], row["key"], row["value"])
            for row in reference.environment(name)
            if row["platform"] in platforms
        ]
        if rows:
            found.append(
                table(("platform", "what", "as the source says"), rows, f"Machines and method of {name}", folded=True)
            )
    return found


def _bracketed(
    records: Sequence[tuple[RunRecord, Mapping[str, str]]], caption: str, made_again: Collection[str] = ()
) -> Table:
    rows = [_problem(record, facts, record.record_id in made_again) for record, facts in records]
    return table(("run", "what", ">images/s", "state", "+why"), rows, caption, folded=True)


def _problem(record: RunRecord, facts: Mapping[str, str], made_again: bool) -> tuple[str, ...]:
    speed = record.steady_images_per_second
    again = "its suite made it again" * made_again
    reasons = "; ".join(filter(None, [record.message, *record.problems, again])) or "no figure"
    word = "made again" if made_again else "no figure"
    if not record.valid:
        word = state(record.valid, record.status, bool(record.wrong))
    what = words_of(
        facts, ("model", "dataset", "accelerator", "num_gpus", "batch_size", "precision", "variable_update")
    )
    return record.record_id[:8], what, f"({number(speed)})" if speed else "-", word, printable(reasons)


def _conditions(record: RunRecord) -> dict[str, str]:
    found = {name: printable(value) for name, value in conditions(record).items()}
    if "commit" in found:
        found["commit"] = found["commit"][:_COMMIT]
    platform = _text(record.provenance, "platform")
    return found | ({"platform": platform} if platform else {})


def _text(section: Mapping[str, object], name: str) -> str:
    return printable(str(section.get(name) or ""))
