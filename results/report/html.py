"""A page as one HTML file that needs nothing else and runs nothing."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from results.report.page import MOST_ROWS, Page


def html(page: Page) -> str:
    """The page as HTML; every text of it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    environment.filters["heading"] = lambda text: text.lstrip(">+")
    text: str = environment.get_template("template.html").render(page=page, most_rows=MOST_ROWS)
    return text + "\n"
