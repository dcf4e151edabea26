"""The page in a real browser: nothing runs, nothing is loaded, all is seen. And what records say is never markup."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from results.report.build import page
from results.report.html import html
from results.report.markdown import markdown
from results.report.material import gather
from results.report.prices import parse
from results.report.svg import undrawn
from tests.results.report.browser import BROWSER, DRIVER, browser
from tests.results.report.made import gpu_run, runs

ATTACKS = (
    "<script>document.title='run'</script>",
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='run'\">",
    '"><svg onload="document.title=\'run\'">',
    "</style></svg></title><script>document.title='run'</script>",
    "javascript:document.title='run'",
    "{{ 7 * 7 }} $\\frac{1}{2}$ ]]> <!-- &lt;",
)
needs_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason="there is no Chromium with its driver here")


def hostile():
    """Records with attacks wherever a record has text."""
    found = []
    for number, attack in enumerate(ATTACKS):
        flags = dict.fromkeys(
            (
                "model",
                "variable_update",
                "data_format",
                "precision",
                "optimizer",
                "local_parameter_device",
                "data_name",
            ),
            attack,
        )
        run = gpu_run(number, 1000 + number, gpu=attack, **flags)
        other = gpu_run(20 + number, 500 + number, gpu=attack, devices=1, **(flags | {"data_format": f"{attack} too"}))
        texts = {
            "provenance": dict.fromkeys(("tool", "source", "document", "date", "platform", "caveat", "notes"), attack),
            "environment": {"packages": {"tensorflow": attack}, "python": attack, "git": {"commit": attack}},
            "hardware": {
                "gpus": [{"name": attack}] * 2,
                "cpu": {"model": attack},
                "driver": attack,
                "topology": {"gpus": [attack] * 2, "links": [[attack] * 2] * 2},
            },
            "dataset": {"name": attack},
            "model": {"name": attack},
            "command_line": (attack,),
        }
        ran = dataclasses.replace(run, **texts)
        bad = dataclasses.replace(ran, problems=(attack,), message=attack, record_id=f"{number:032x}")
        found += [ran, dataclasses.replace(other, **texts), bad]
    return found


class Markup(HTMLParser):
    """Collects what of a page could run or load."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.addresses = set(), set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value for name, value in attrs if name in ("href", "src", "action", "data")}


def test_what_records_say_is_never_markup():
    made = page(gather(hostile(), prices=parse("127:1", "USD")), ATTACKS[0])
    found = Markup()
    found.feed(html(made))
    assert not found.tags & {"script", "img", "iframe", "object", "embed", "form", "base", "image", "foreignobject"}
    assert not [name for name in found.attributes if name.startswith("on")]
    assert all(re.fullmatch(r"#[\w-]+|data:,", address) for address in found.addresses)


def test_what_records_say_is_no_markup_in_markdown_either():
    text = markdown(page(gather(hostile()), ATTACKS[0], undrawn))
    assert not re.search(r"<(?!br>)", text)
    assert "http://" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) >= 3 for row in rows)


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(
        html(page(gather(runs(), prices=parse("P100:1.46,H100:3", "USD")), "H100 and P100")), encoding="utf-8"
    )
    return path


@needs_browser
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_is_whole_at_every_width(chromium, report, width):
    chromium.open(report, width)
    assert chromium.console() == []
    assert chromium.requests() == [report.as_uri()]
    assert chromium.evaluate("return [innerWidth, document.documentElement.scrollWidth]") == [width, width]
    drawings = chromium.evaluate(
        "return [...document.querySelectorAll('figure svg')].map(drawing => {"
        "  const box = drawing.getBoundingClientRect(); return [box.left, box.right, box.height]; })"
    )
    assert len(drawings) == 16
    assert all(left >= 0 and right <= width and right - left > 300 and height > 80 for left, right, height in drawings)


@needs_browser
def test_a_phone_shows_the_main_figure_and_that_tables_go_on(chromium, report):
    chromium.open(report, 420)
    headings = "[...document.querySelectorAll('#throughput th')].slice(0, 4)"
    found = chromium.evaluate(f"return {headings}.map(e => [e.textContent, e.getBoundingClientRect().right])")
    assert [heading for heading, _ in found][-1] == "images/s"
    assert found[-1][1] < 420
    kinds = "return getComputedStyle(document.querySelector('.scroll')).backgroundAttachment"
    assert chromium.evaluate(kinds) == "local, local, scroll, scroll"  # shadows that stay below covers that move


@needs_browser
def test_drawings_have_their_text_inside_them_and_large_enough(chromium, report):
    chromium.open(report, 400)
    texts = chromium.evaluate(
        "return [...document.querySelectorAll('figure svg')].flatMap(drawing => {"
        "  const all = drawing.getBoundingClientRect();"
        "  return [...drawing.querySelectorAll('text')].map(text => {"
        "    const box = text.getBoundingClientRect();"
        "    return [text.textContent, box.right <= all.right + 1 && box.left >= all.left - 1,"
        "            Math.min(box.width, box.height)]; }); })"
    )
    assert {"images/s", "speed-up (devices' worth)", "efficiency (%)", "step time (ms)", "3,500"} <= {
        text for text, *_ in texts
    }
    assert [text for text, inside, _ in texts if not inside] == []
    assert min(height for text, _, height in texts if len(text) > 3) > 7


@needs_browser
def test_the_words_of_the_page_are_right(chromium, report):
    chromium.open(report, 1400)
    assert chromium.evaluate("return document.title") == "H100 and P100"
    told = chromium.evaluate("return document.body.innerText")
    ratio = "Tesla P100-SXM2-16GB has 0.10 times the throughput of NVIDIA H100 80GB HBM3"
    assert f"On 2 devices, {ratio} (no interval: of some there is one run)." in told
    assert "2 runs left out of all of the above. Figures in brackets are not to be used." in told
    assert "(500)" in told
    targets = chromium.evaluate(
        "return [...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))"
    )
    assert targets is True


@needs_browser
def test_nothing_in_hostile_records_runs_or_is_loaded(chromium, tmp_path):
    path = tmp_path / "hostile.html"
    path.write_text(html(page(gather(hostile()), "untouched")), encoding="utf-8")
    chromium.open(path, 400)
    assert chromium.evaluate("return document.title") == "untouched"
    assert chromium.console() == []
    assert chromium.requests() == [path.as_uri()]
    assert chromium.evaluate("return document.documentElement.scrollWidth") == 400
    assert ATTACKS[0] in chromium.evaluate("return document.querySelector('main').textContent")
