import subprocess
import sys

import pytest

from tests.main.conftest import PROJECT
from variable_mgr.all_reduce_spec import ALGORITHMS, TWO_LEVELS, AllReduceSpec, Level, Limit, Range, SpecError, parse


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_alone_and_with_shards(name):
    assert parse(name) == AllReduceSpec((Range((Level(name),)),))
    assert parse(f"{name}#2") == AllReduceSpec((Range((Level(name, 2),)),))


@pytest.mark.parametrize(
    ("first", "second"), [(first, each) for first, seconds in TWO_LEVELS.items() for each in seconds]
)
def test_two_levels(first, second):
    assert parse(f"{first}/{second}").ranges == (Range((Level(first), Level(second))),)
    assert parse(f"{first}#2/{second}#3").ranges == (Range((Level(first, 2), Level(second, 3))),)


def test_ranges_of_tf_cnn_benchmarks():
    spec = parse("pscpu:2k:pscpu#2:64k:xring")
    assert spec.ranges == (
        Range((Level("pscpu"),), Limit(2048)),
        Range((Level("pscpu", 2),), Limit(65536)),
        Range((Level("xring"),)),
    )
    assert [str(spec.range_for(elements, 4)) for elements in (1, 2048, 2049, 65536, 65537)] == [
        "pscpu", "pscpu", "pscpu#2", "pscpu#2", "xring",
    ]  # fmt: skip
    assert spec.algorithms == ["pscpu", "xring"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("64", Limit(64)),
        ("64k", Limit(65536)),
        ("64K", Limit(65536)),
        ("1M", Limit(2**20)),
        ("1G", Limit(2**30)),
        ("1T", Limit(2**40)),
        ("64B", Limit(64, in_bytes=True)),
        ("64kB", Limit(65536, in_bytes=True)),
        ("64KB", Limit(65536, in_bytes=True)),
        ("1MB", Limit(2**20, in_bytes=True)),
        ("1GB", Limit(2**30, in_bytes=True)),
        ("1TB", Limit(2**40, in_bytes=True)),
    ],
)
def test_limits(text, limit):
    assert parse(f"pscpu:{text}:xring").ranges[0].limit == limit


def test_limits_in_bytes_are_of_the_numbers_that_travel():
    spec = parse("pscpu:64kB:xring")
    assert [str(spec.range_for(elements, 4)) for elements in (16384, 16385)] == ["pscpu", "xring"]
    assert [str(spec.range_for(elements, 2)) for elements in (16385, 32768, 32769)] == ["pscpu", "pscpu", "xring"]


@pytest.mark.parametrize("text", ["xring", "pscpu#2/xring#3", "pscpu:2048:psgpu#4:65536:nccl/rechd", "tree:64B:rechd"])
def test_a_spec_is_written_as_it_is_read(text):
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "an algorithm is missing"),
        ("xrnig", 0, "'xrnig' is no algorithm"),
        ("pscpu:64k", 9, "no algorithm stands after the last limit"),
        ("pscpu:64k:", 10, "an algorithm is missing"),
        ("pscpu::xring", 6, "a limit is missing"),
        ("pscpu:x:xring", 6, "'x' is no limit"),
        ("pscpu:0:xring", 6, "'0' is no limit"),
        ("pscpu:-1:xring", 6, "'-1' is no limit"),
        ("pscpu:2q:xring", 7, "'2q' is no limit"),
        ("pscpu:2kb:xring", 7, "'2kb' is no limit"),
        ("pscpu:2k:tree:2K:xring", 14, "2K is not above the limit before it"),
        ("pscpu:2k:tree:64kB:xring", 14, "64kB and the limit before it differ in unit"),
        ("pscpu#:2k:xring", 6, "the number of shards is missing"),
        ("pscpu#0", 6, "'0' is no number of shards"),
        ("pscpu#two", 6, "'two' is no number of shards"),
        ("collective#3", 11, "collective cannot cut into 3 shards"),
        ("xring:2k:xring/nccl", 9, "there is no xring/nccl"),
        ("nccl/xring/pscpu", 10, "a third level"),
        ("nccl/", 5, "an algorithm is missing"),
        (" xring", 0, "' xring' is no algorithm"),
    ],
)
def test_an_error_shows_where_and_why_and_what_is_allowed(text, position, reason):
    with pytest.raises(SpecError) as caught:
        parse(text)
    first, shown, mark = str(caught.value).splitlines()
    assert first.startswith(f"at character {position + 1}: {reason}. Allowed is ")
    assert shown == f"    {text}"
    assert mark == "    " + " " * position + "^"


def test_plans_need_no_tensorflow():
    program = "import sys, variable_mgr.exchange_plan; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True)
