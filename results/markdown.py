"""Markdown that is read on pages of others: what a record says is never markup, HTML or a link there."""

import re
from collections.abc import Iterable, Sequence

from results.texts import printable


def escaped(text: str) -> str:
    """Return `text` on one line, with all that Markdown or HTML could read as markup taken for what it is."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = re.sub(r"([\\`*_\[\]{}#|~!])", r"\\\1", plain)
    return re.sub(r"(?i)\b(https?|ftp|www)(:|\.)", r"\1&#8203;\2", plain)  # no link to what a record names


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Cells are Markdown; a heading that begins with ">" has its column to the right, as numbers."""
    names = [heading.removeprefix(">") for heading in headings]
    rules = ["--:" if heading.startswith(">") else "---" for heading in headings]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rules, *rows))
