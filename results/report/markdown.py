"""A page as Markdown: its words and tables; the numbers of each figure stand in for the drawing."""

import re

from results.report.page import MOST_ROWS, Figure, Page, Section, Table


def markdown(page: Page) -> str:
    """The page as GitHub-flavoured Markdown; what records say is escaped, so that it is neither markup nor HTML."""
    parts = [f"# {_text(page.title)}", *map(_text, page.paragraphs)]
    for section in page.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    parts = [f"## {_text(section.title)}", *map(_text, section.paragraphs)]
    for table in section.tables:
        parts += _table(table, table.caption)
    for figure in section.figures:
        parts += _figure(figure)
    return parts


def _figure(figure: Figure) -> list[str]:
    return _table(figure.table, figure.title)


def _table(table: Table, caption: str) -> list[str]:
    headings = [_text(heading.lstrip(">+")) for heading in table.headings]
    rules = ["--:" if heading.startswith(">") else "---" for heading in table.headings]
    rows = [[_text(cell) for cell in row] for row in table.rows[:MOST_ROWS]]
    lines = [f"| {' | '.join(cells)} |" for cells in (headings, rules, *rows)]
    return [f"**{_text(caption)}**", "\n".join(lines), *([_text(table.note)] if table.note else [])]


def _text(text: str) -> str:
    """`text` with all that Markdown or HTML could read as markup taken for what it is."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = re.sub(r"([\\`*_\[\]{}#|~!])", r"\\\1", escaped)
    return re.sub(r"(?i)\b(https?|ftp|www)(:|\.)", r"\1&#8203;\2", escaped)  # no link to what a record names
