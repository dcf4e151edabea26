"""Where the operations of a step were, in words: from a record's `placement`, which may come from anywhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from results.naming import counted
from results.sections import size

ROWS = 12  # types of operations that have a row of their own
_BY_THEMSELVES = ("Collective", "Nccl", "Horovod")


def report(facts: Mapping[str, Any]) -> list[str]:
    """Lines for a screen: types of operations by device, and what goes from device to device in a step."""
    by_device: dict[str, dict[str, int]] = facts["operations"]
    total = sum(sum(kinds.values()) for kinds in by_device.values())
    lines = [f"Placement of {counted(total, 'operation')} of a step, by type:", *_table(by_device), *_layout(facts)]
    if any(kind.startswith(_BY_THEMSELVES) for kinds in by_device.values() for kind in kinds):
        lines.append("Collective operations send by themselves, and are not in what follows.")
    if not (crossing := facts["crossing"]):
        return [*lines, "Nothing goes from device to device."]
    rows = [(f"{each['from']} -> {each['to']}", f"{each['tensors']:,}", _bytes(each)) for each in crossing]
    return [*lines, "From device to device in a step:", *_aligned([("", "tensors", "bytes"), *rows])]


def moved(facts: Mapping[str, Any], most: int = 4) -> list[str]:
    """A sentence for each of the first `most` kinds of operations that were moved alike, and how many are left."""
    found = _dicts(facts.get("moved"))
    told = [_moved(each) for each in found[:most]]
    more = sum(each["operations"] for each in found[most:] if isinstance(each.get("operations"), int))
    return [*told, *([f"{counted(more, 'operation')} more moved"] if more else [])]


def in_short(facts: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on how many operations each device has, what crosses devices, and what was moved."""
    if isinstance(by_device := facts.get("operations"), dict):
        yield ", ".join(f"{device}: {counted(_count(kinds), 'operation')}" for device, kinds in by_device.items())
    crossing = _dicts(facts.get("crossing"))
    if crossing:
        known = sum(each["bytes"] for each in crossing if isinstance(each.get("bytes"), int))
        unknown = sum(each["unknown"] for each in crossing if isinstance(each.get("unknown"), int))
        yield f"from device to device in a step: {size(known)}{_unknown(unknown)}"
    yield from moved(facts)
    if reason := facts.get("not_looked_at"):
        yield f"what was moved is not known: {reason}"


def _layout(facts: Mapping[str, Any]) -> Iterator[str]:
    """In which layouts operations compute, and how often images are brought from one into another."""
    if isinstance(found := facts.get("layout"), dict) and found["operations"]:
        formats = ", ".join(f"{count:,} in {name}" for name, count in sorted(found["operations"].items()))
        asked = f", {found['asked_for']:,} asked for" if found["transposes"] or found["asked_for"] else ""
        yield f"Operations with a layout: {formats}. Transposes: {found['transposes']:,}{asked}."


def _moved(each: Mapping[str, Any]) -> str:
    count, kind, names = each.get("operations"), each.get("type"), each.get("names")
    first = f" ({names[0]}{', ...' if len(names) > 1 else ''})" if isinstance(names, list) and names else ""
    what = f"{kind}{first}" if count == 1 else f"{count} x {kind}{first}"
    return f"{what}: asked for on {each.get('requested')}, moved to {each.get('device')}"


def _table(by_device: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A row for each of the types that there are most of, one for the others and one for all; a column a device."""
    totals: Counter[str] = Counter()
    for kinds in by_device.values():
        totals.update(kinds)
    ranked = sorted(totals, key=lambda kind: (-totals[kind], kind))
    own = ROWS if len(ranked) > ROWS + 1 else ROWS + 1  # one other takes as much place by itself
    groups = [(kind, [kind]) for kind in ranked[:own]]
    if rest := ranked[own:]:
        groups.append((f"({counted(len(rest), 'other')})", rest))
    groups.append(("(all)", ranked))
    rows = [
        (title, *(f"{sum(kinds.get(kind, 0) for kind in members):,}" for kinds in by_device.values()))
        for title, members in groups
    ]
    return _aligned([("", *by_device), *rows])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _bytes(each: Mapping[str, Any]) -> str:
    return f"{each['bytes']:,}{_unknown(each['unknown'])}"


def _unknown(tensors: int) -> str:
    return f" and {counted(tensors, 'tensor')} of unknown size" if tensors else ""


def _count(kinds: Any) -> int:
    return sum(each for each in kinds.values() if isinstance(each, int)) if isinstance(kinds, dict) else 0


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
