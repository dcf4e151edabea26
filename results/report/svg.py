"""matplotlib figures as SVG that can stand in an HTML page: small, the same every time, names of their own."""

import io
import itertools
import re
from collections.abc import Callable
from typing import Any, Protocol
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

_SVG, _LINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, found by a search, read aloud
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the layout is the same on every machine
    "text.parse_math": False,  # a dollar sign in a record is a dollar sign
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}
_GEOMETRY = ("d", "x", "y", "transform", "viewBox")  # in points, of which hundredths are too small to see
_METADATA: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))


class Draw(Protocol):
    """What makes a drawing for a page."""

    def __call__(self, draw: Callable[..., None], /, *arguments: Any, size: tuple[float, float]) -> str:
        """The SVG of what `draw(figure, *arguments)` draws on a figure of `size` (inches)."""


def undrawn(_draw: Callable[..., None], /, *_arguments: Any, size: tuple[float, float]) -> str:  # noqa: ARG001
    """No drawing, for a page in a form that has none."""
    return ""


class Drawer:
    """Draws figures of one page; each gets names that no other figure of the page has."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __call__(self, draw: Callable[..., None], /, *arguments: Any, size: tuple[float, float]) -> str:
        """The SVG of what `draw(figure, *arguments)` draws on a figure of `size` (inches)."""
        prefix = f"f{next(self._numbers)}"
        with rc_context({**_STYLE, "svg.hashsalt": prefix}):
            figure = Figure(figsize=size, layout="constrained")
            FigureCanvasSVG(figure)
            draw(figure, *arguments)
            text = io.StringIO()
            figure.savefig(text, format="svg", metadata=_METADATA)
        return _inline(text.getvalue(), prefix)


def _inline(text: str, prefix: str) -> str:
    """The drawing without what only a file of its own needs, and with `prefix` before every name in it."""
    root = ElementTree.fromstring(text)
    for name in ("width", "height"):  # the viewBox keeps the shape; the page says how wide
        root.attrib.pop(name, None)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    used = _references(root)
    for element in root.iter():
        _rename(element, prefix, used)
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _references(root: ElementTree.Element) -> set[str]:
    found = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            found |= {value[1:]} if name == _LINK else set(re.findall(r"url\(#([^)]+)\)", value))
    return found


def _rename(element: ElementTree.Element, prefix: str, used: set[str]) -> None:
    for name, value in list(element.attrib.items()):
        if name == "id":
            del element.attrib["id"]
            if value in used:
                element.set("id", f"{prefix}-{value}")
        elif name == _LINK:
            del element.attrib[name]
            element.set("href", f"#{prefix}-{value[1:]}")
        elif name in _GEOMETRY:
            element.set(name, re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", value))
        else:
            element.set(name, re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", value))
