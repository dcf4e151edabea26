"""The page of the studies: forest plots say what was found, a browser shows them light and dark, no text is markup."""

from argparse import Namespace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from benchmarks.studies.claims import page
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Promise, Way
from benchmarks.studies.claims.command import plan, save
from results.report.drawing import colour
from results.report.forest import Effect, forest
from tests.results.report.browser import BROWSER, DRIVER, browser
from tests.studies.claims.planted import measurements, two_cores

ATTACK = "<script> document.title='run' </script>"
GAINS = {"resnet50": 1.2, "inception3": 0.7, ATTACK: 1.0, "vgg16: replicated/hierarchical_copy": 2.5}


@pytest.fixture(scope="module")
def story():
    """Four cases with an effect each, whose reasons are an attack, one that has no pairs, and one that cannot run."""
    cases = [
        Case(name, Way(f"fused {name}"), Way("composed"), Promise(1.12, 1.3), reasons=lambda _first, _second: [ATTACK])
        for name in GAINS
    ]
    claim = Claim("fused_batch_norm", f"Fused is faster. {ATTACK}", ATTACK, lambda _: [*cases, *rest])
    rest = [Case("later", Way("a"), Way("b")), Missing("far", f"a GPU {ATTACK}")]
    made = plan([claim], two_cores(Path()))
    for progress in made.cases[:-1]:
        run = measurements(progress.case, GAINS[progress.case.name], seed=progress.rank)
        progress.pairs += [(run(progress.case.advised), run(progress.case.other)) for _ in range(5)]
    return made


def test_a_case_has_its_interval_its_claim_and_the_colour_of_its_outcome():
    effects = [
        Effect("confirmed", 1.2, 1.15, 1.25, (1.12, 1.3), "confirmed", 2),
        Effect("contradicted", 0.5, 0.4, 0.6, (1.0, None), "contradicted", 5),
        Effect("one pair", 1.1, None, None, (), "not told", 7),
    ]
    figure = Figure()
    forest(figure, effects, "times as good")
    (axes,) = figure.axes
    shaded = [tuple(shade.get_paths()[0].get_extents().intervalx) for shade in axes.collections]
    assert shaded == [(1.12, 1.3), (1.0, axes.get_xlim()[1])]
    line, *drawn = axes.lines
    assert list(line.get_xdata()) == [1, 1]
    found = [(list(each.get_xdata()), each.get_color()) for each in drawn]
    assert found == [
        ([1.15, 1.25], colour(2)),
        ([1.2], colour(2)),
        ([0.4, 0.6], colour(5)),
        ([0.5], colour(5)),
        ([1.1], colour(7)),
    ]
    assert [text.get_text() for text in axes.texts] == [
        "confirmed",
        "1.20  (1.15 to 1.25)",
        "contradicted",
        "0.50  (0.40 to 0.60)",
        "one pair",
        "1.10",
    ]


def test_an_interval_without_end_leaves_the_others_to_be_seen():
    figure = Figure()
    forest(figure, [Effect("wild", 1.1, 0.001, 900.0, (), "not told", 7)], "times as good")
    low, high = figure.axes[0].get_xlim()
    assert 0.2 < low < 0.5 < 3 < high < 12


def test_outcomes_and_what_was_not_measured_are_told(story):
    made = page.page(story)
    (effects, section) = made.sections
    assert made.paragraphs[0].endswith(
        "5 cases: 1 confirmed, 1 contradicted, 1 no difference, 1 larger than claimed, 1 not measured. "
        "It cannot run 1 other case."
    )
    assert [row[0] for row in effects.figures[0].table.rows] == list(GAINS)
    rows = {row[0]: row for row in section.tables[0].rows}
    assert rows["resnet50"][2] == "confirmed"
    assert "Claimed: 1.12 to 1.3. 5 pairs." in rows["resnet50"][3]
    assert rows["later"][1:] == ("-", "not measured", "-", "Not measured, as its turn had not come.")
    assert rows["far"][2:] == ("cannot run here", "-", f"This machine lacks a GPU {ATTACK}.")


def test_one_pair_is_not_called_one_run_and_has_no_interval(tmp_path):
    case = Case("short", Way("a"), Way("b"))
    made = plan([Claim("xla", "Says.", "source", lambda _: [case])], two_cores(tmp_path))
    made.cases[0].pairs.append((Measured(110.0, {}), Measured(100.0, {})))
    assert page.writing.row(made.cases[0])[4] == "1.1 (one pair)"


def test_the_figures_say_why_a_case_was_not_measured(story):
    later = page.writing.figures(story)[len(GAINS)]
    assert (later["outcome"], later["words"]) == ("not measured", "not measured, as its turn had not come")


def test_before_anything_is_measured_there_is_a_page_without_drawings(tmp_path):
    claim = Claim("xla", "Says.", "source", lambda _: [Case("later", Way("a"), Way("b"))])
    assert "<svg" not in page.document(plan([claim], two_cores(tmp_path)))


@pytest.mark.parametrize(
    ("name", "begins"), [("report.html", "<!DOCTYPE html>"), ("report.md", f"# {page.writing.TITLE}")]
)
def test_the_suffix_of_the_file_chooses_the_form(story, tmp_path, name, begins):
    save(Namespace(output=None, report=[tmp_path / name]), story)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


@pytest.mark.skipif(not (BROWSER and DRIVER), reason="there is no Chromium with its driver here")
def test_a_browser_shows_it_light_and_dark_on_a_phone(story, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page.document(story), encoding="utf-8")
    papers = []
    with browser() as opened:
        for scheme in ("light", "dark"):
            opened.prefer(scheme)
            opened.open(file, 400)
            assert opened.console() == []
            assert opened.requests() == [file.as_uri()]
            assert opened.evaluate("return [innerWidth, document.documentElement.scrollWidth]") == [400, 400]
            tables = "[...document.querySelectorAll('section > .scroll')]"
            assert opened.evaluate(f"return {tables}.map(e => e.scrollWidth - e.clientWidth)") == [0]
            style = "return [getComputedStyle(document.body).backgroundColor,"
            style += " getComputedStyle(document.querySelector('figure svg')).filter]"
            papers.append(opened.evaluate(style))
        assert opened.evaluate("return document.title") == page.writing.TITLE
        assert ATTACK in opened.evaluate("return document.querySelector('main').textContent")
    assert papers == [["rgb(255, 255, 255)", "none"], ["rgb(23, 23, 23)", "invert(0.91) hue-rotate(180deg)"]]
