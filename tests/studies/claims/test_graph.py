"""Constants in graphs and steps in a loop: real effects found, and none where there is none."""

import json

import pytest

from benchmarks.studies.claims import graph
from benchmarks.studies.claims.claim import Case, Measured, Way
from benchmarks.studies.claims.effect import CONFIRMED, NO_DIFFERENCE, Finding
from benchmarks.studies.claims.programs import constants
from tests.results.records import measurement, record
from tests.studies.claims.planted import two_cores

CASE = Case("constants", Way("tensor"), Way("array"), less_is_better=True)


def finding(figure, uses, width=16):
    """What three pairs of the real program come to."""
    sides = [Measured(*constants.measured(figure, way, uses, width)) for way in ("tensor", "array")]
    return Finding(CASE, (tuple(sides),) * 3)


@pytest.mark.parametrize("figure", ["bytes", "nodes", "traces"])
def test_constants_made_again_and_again_are_found(figure):
    assert finding(figure, uses=20).judgment.outcome == CONFIRMED


@pytest.mark.parametrize("figure", ["bytes", "nodes", "traces"])
def test_a_constant_used_once_makes_no_difference(figure):
    assert finding(figure, uses=1).judgment.outcome == NO_DIFFERENCE


def test_a_larger_array_makes_a_larger_difference():
    small, large = (finding("bytes", uses=10, width=width).effect.value for width in (2, 64))
    assert large > 2 * small > 2


def test_the_program_tells_the_figure_that_is_asked_for(capsys):
    assert constants.main(["--figure=nodes", "--way=array", "--uses=5", "--width=4"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["figure"] == told["facts"]["nodes"] == 2 * 5 + 1
    assert told["facts"]["bytes"] > 5 * told["facts"]["array_bytes"] == 5 * 64


@pytest.mark.parametrize(
    ("name", "words", "not_said"),
    [
        ("bytes of the graph", "The graph has 900 bytes instead of 200. Beyond 2 GB", ("nodes", "MiB")),
        ("nodes of the graph", "The graph has 11 nodes instead of 7. TensorFlow merges", ("900", "MiB", "2 GB")),
        ("memory", "Building the graph took 3.0 MiB of memory instead of 1.0;", ("900", "nodes", "2 GB")),
    ],
)
def test_each_case_tells_what_its_own_figure_is_made_of(name, words, not_said, tmp_path):
    (case,) = (case for case in graph.CONSTANT_REUSE.cases(two_cores(tmp_path)) if case.name == name)
    same = {"uses": 5, "array_bytes": 64}
    tensor, array = (
        [Measured(1, same | dict(zip(("bytes", "nodes", "grown"), facts, strict=True)))]
        for facts in ((200, 7, 1.0), (900, 11, 3.0))
    )
    told = " ".join(case.reasons(tensor, array))
    assert "The array has 64 bytes and is used 5 times." in told
    assert words in told
    assert not any(each in told for each in not_said)
    assert case.reasons(array, [Measured(1, same)]) == []


@pytest.mark.parametrize(
    ("loss", "told"), [(2.0, "Both trained alike: the last loss was 2."), (1.9, "did not train alike")]
)
def test_whether_both_trained_alike_is_told(loss, told):
    looped, single = (
        Measured(64 / seconds, {}, record(measurement=measurement(losses=(3.0, each), step_seconds=(seconds,) * 2)))
        for each, seconds in ((loss, 1e-4), (2.0, 3e-4))
    )
    reasons = graph._cost_of_calls([looped], [single], per_call=10)
    assert told in " ".join(reasons)
    assert "The 200 µs are what Python" in reasons[1]
