"""What stands on a page, before it is HTML or Markdown: sections of words, tables and figures. All texts are plain."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")

MOST_ROWS = 200  # of a table; a page that a phone must open ends somewhere
MOST_FIGURES = 12  # of a section
SHORT = 10  # rows of a table that is shown unfolded


@dataclass(frozen=True)
class Table:
    """Rows of text below headings.

    A heading that begins with ">" has its column to the right, as numbers; one that begins with "+" has its texts in a
    line of their own below the row: they are long, stand for themselves, and the page may be narrow.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    folded: bool = False

    @property
    def columns(self) -> list[int]:
        """The places of the columns that stand side by side."""
        return [i for i, heading in enumerate(self.headings) if not heading.startswith("+")]

    @property
    def below(self) -> list[int]:
        """The places of those that have lines of their own."""
        return [i for i, heading in enumerate(self.headings) if heading.startswith("+")]

    @property
    def note(self) -> str:
        """What is said of rows that have no place; "" where all have."""
        more = len(self.rows) - MOST_ROWS
        return f"{more:,} further rows are not shown; python -m results table RUNS --format=csv has all." * (more > 0)


@dataclass(frozen=True)
class Figure:
    """A drawing as SVG text, and its numbers as a table. `text` says what the drawing shows."""

    title: str
    text: str
    svg: str
    table: Table


@dataclass(frozen=True)
class Section:
    """One part of the page, with a name for links to it."""

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Page:
    """The whole report."""

    title: str
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", folded: bool = False) -> Table:
    """A table without the columns in which no row has anything. `folded`: behind its caption, if it is long."""
    found = [tuple(row) for row in rows]
    kept = [i for i in range(len(headings)) if any(row[i] not in ("", "-") for row in found)]
    cells = tuple(tuple(row[i] or "-" for i in kept) for row in found)
    return Table(tuple(headings[i] for i in kept), cells, caption, folded and len(cells) > SHORT)


def drawn(
    parts: Sequence[Part], figure: Callable[[Part], Figure], what: str
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """The figures of as many `parts` as have a place, and a paragraph on the others, which are not drawn."""
    figures = tuple(figure(part) for part in parts[:MOST_FIGURES])
    if len(parts) <= MOST_FIGURES:
        return figures, ()
    return figures, (f"The first {MOST_FIGURES} of {len(parts):,} {what} are drawn; --only=model=... shows others.",)


def number(value: float | None) -> str:
    """A figure with about four digits: 12,345 or 753.9 or 0.1234; "-" for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def bounds(low: float | None, high: float | None) -> str:
    """An interval in words; "-" where it is not known."""
    return "-" if low is None or high is None else f"{number(low)} to {number(high)}"
