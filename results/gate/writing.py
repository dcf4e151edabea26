"""A judgment as text, as Markdown for a CI page, and as JUnit XML. What records say is escaped."""

import xml.etree.ElementTree as ET  # it writes here, and reads nothing
from collections.abc import Sequence

from results.gate.judgment import (
    CANNOT_SAY,
    INSUFFICIENT,
    INVALID,
    MISSING,
    NEW,
    NOT_COMPARABLE,
    SLOWER,
    STATUSES,
    Benchmark,
    Judgment,
)
from results.markdown import escaped, table
from results.texts import printable

_WIDTH = max(map(len, STATUSES))
_IN_JUNIT = {
    SLOWER: "failure",
    INVALID: "error",
    MISSING: "error",
    INSUFFICIENT: "error",
    NOT_COMPARABLE: "skipped",
    NEW: "skipped",
}


def text(found: Judgment) -> str:
    """Return one line a benchmark, then the notes, then the headline."""
    lines = [f"{one.status:{_WIDTH}}  {printable(f'{one.name}: {one.words}')}" for one in found.benchmarks]
    return "\n".join([*lines, *map(printable, found.notes), found.headline]) + "\n"


def markdown(found: Judgment) -> str:
    """Return the headline, a table, and the notes."""
    rows = []
    for one in found.benchmarks:
        change, visible = _share(one.change, "+.1f"), _share(one.detectable, ".1f")
        status = f"**{one.status}**" if one.status in _IN_JUNIT else one.status
        rows.append([status, escaped(one.name), change, visible, escaped(one.words)])
    whole = table(("", "benchmark", ">change", ">smallest detectable slowdown", ""), rows)
    lines = [f"### Gate: {escaped(found.headline)}", "", whole, "", *(f"* {escaped(note)}" for note in found.notes)]
    return "\n".join(lines).rstrip() + "\n"


def junit(found: Judgment) -> bytes:
    """Return JUnit XML: a test case a benchmark, and one for the gate as a whole."""
    suite = ET.Element("testsuite", name="results gate")
    for one in found.benchmarks:
        kind = _IN_JUNIT.get(one.status, "")
        _case(suite, one, "skipped" if kind == "error" and found.partial_allowed else kind)
    whole = Benchmark("the gate as a whole", "", "; ".join([found.headline, *found.notes]))
    _case(suite, whole, "error" if found.exit_code == CANNOT_SAY else "")
    return _document(suite)


def junit_of_error(messages: Sequence[str]) -> bytes:
    """Return JUnit XML for a gate that could not even begin, so that no older file is read in its place."""
    suite = ET.Element("testsuite", name="results gate")
    _case(suite, Benchmark("the gate as a whole", "", " ".join(messages)), "error")
    return _document(suite)


def _case(suite: ET.Element, one: Benchmark, kind: str) -> None:
    case = ET.SubElement(suite, "testcase", classname="results.gate", name=printable(one.name))
    words = printable(f"{one.status}: {one.words}" if one.status else one.words)
    if kind:
        ET.SubElement(case, kind, message=words)
    else:
        ET.SubElement(case, "system-out").text = words


def _document(suite: ET.Element) -> bytes:
    suite.set("tests", str(len(suite)))
    for kind, counted in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(counted, str(len(suite.findall(f"testcase/{kind}"))))
    whole: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return whole


def _share(value: float | None, form: str) -> str:
    return "" if value is None else f"{100 * value:{form}} %"
