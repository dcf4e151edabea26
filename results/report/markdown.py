"""A page as Markdown: its words and tables; the numbers of each figure stand in for the drawing."""

from results.markdown import escaped
from results.markdown import table as markdown_table
from results.report.page import MOST_ROWS, Figure, Page, Section, Table


def markdown(page: Page) -> str:
    """The page as GitHub-flavoured Markdown; what records say is escaped, so that it is neither markup nor HTML."""
    parts = [f"# {escaped(page.title)}", *map(escaped, page.paragraphs)]
    for section in page.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    parts = [f"## {escaped(section.title)}", *map(escaped, section.paragraphs)]
    for table in section.tables:
        parts += _table(table, table.caption)
    for figure in section.figures:
        parts += _figure(figure)
    return parts


def _figure(figure: Figure) -> list[str]:
    return _table(figure.table, figure.title)


def _table(table: Table, caption: str) -> list[str]:
    headings = [">" * heading.startswith(">") + escaped(heading.lstrip(">+")) for heading in table.headings]
    rows = [[escaped(cell) for cell in row] for row in table.rows[:MOST_ROWS]]
    lines = markdown_table(headings, rows)
    return [f"**{escaped(caption)}**", lines, *([escaped(table.note)] if table.note else [])]
