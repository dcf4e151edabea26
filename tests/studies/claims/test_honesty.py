"""Of every case of every claim: an effect that is planted is found, and where nothing differs, that is said."""

import math
import re

import pytest

from benchmarks.params import parse
from benchmarks.studies.claims.catalogue import CLAIMS
from benchmarks.studies.claims.claim import Case
from benchmarks.studies.claims.command import measure, plan
from benchmarks.studies.claims.effect import CONFIRMED, CONTRADICTED, LARGER, MEASURED, NO_DIFFERENCE
from benchmarks.studies.claims.writing import text
from tests.studies.claims.planted import measurements, two_cores, two_h100

MACHINES = {"2 cores": two_cores, "2 H100": two_h100}
# What the two ways of a study may differ in: its subject.
SUBJECTS = {
    "data_format": {"data_format", "mkl"},
    "fused_batch_norm": {"fused_batch_norm"},
    "xla": {"xla_compile"},
    "precision": {"precision"},
    "variable_update": {"variable_update", "local_parameter_device", "all_reduce_spec"},
    "threads": {"mkl", "num_intra_threads", "num_inter_threads", "kmp_blocktime", "kmp_affinity", "kmp_settings"},
    "steps_per_loop": {"steps_per_loop"},
}


@pytest.fixture(params=MACHINES)
def machine(request, tmp_path):
    return MACHINES[request.param](tmp_path)


def outcomes(claim, machine, gain):
    """What a claim's cases come to where the advised way is `gain` times as good, and what is told of it."""
    found = {}
    for number, case in enumerate(case for case in claim.cases(machine) if isinstance(case, Case)):
        story = plan([claim], machine, [case.name])
        (progress,) = story.cases
        # Only the figures are planted: what a study reads in the records of its runs has tests of its own.
        object.__setattr__(progress.case, "reasons", lambda _advised, _other: ())
        measure(story, measurements(progress.case, gain, seed=number), pairs=5, budget=math.inf)
        found[case.name] = (progress.case.promise, progress.finding.judgment, text(story))
    return found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_what_is_planted_is_found(claim, machine):
    for promise, judgment, told in outcomes(claim, machine, 1.5).values():
        larger = promise.most is not None and promise.most < 1.4
        expected = MEASURED if promise.either else LARGER if larger else CONFIRMED
        assert judgment.outcome == expected
        assert float(re.search(r"([\d.]+) times", judgment.words)[1]) == pytest.approx(1.5, rel=0.03)
        assert expected in told


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_opposite_contradicts(claim, machine):
    for promise, judgment, _ in outcomes(claim, machine, 0.7).values():
        assert judgment.outcome == (MEASURED if promise.either else CONTRADICTED)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_where_nothing_differs_that_is_said(claim, machine):
    for promise, judgment, told in outcomes(claim, machine, 1.0).values():
        same = MEASURED if promise.either else CONFIRMED if promise.not_worse else NO_DIFFERENCE
        assert judgment.outcome == same
        assert "no difference larger than 5%" in judgment.words
        assert "no difference larger than 5%" in told.replace("\n  ", " ")


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_ways_of_a_case_differ_in_what_its_study_is_about_alone(name, machine):
    (claim,) = (claim for claim in CLAIMS if claim.name == name)
    for case in claim.cases(machine):
        if isinstance(case, Case):
            advised, other = (vars(parse(way.flags).params) for way in (case.advised, case.other))
            differing = {flag for flag, value in advised.items() if other[flag] != value}
            assert differing, case.name
            assert differing <= SUBJECTS[name], case.name


def test_every_claim_has_a_case_or_says_what_is_lacking(machine):
    for claim in CLAIMS:
        cases = claim.cases(machine)
        assert cases
        names = [case.name for case in cases]
        assert len(set(names)) == len(names)
