"""Lengths of time, read and told."""

from argparse import ArgumentTypeError

import pytest

from results import durations
from results.commands import arguments


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("30m", 1800),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1h0.5m1s", 3631),
        (" 10m ", 600),
    ],
)
def test_lengths_of_time(text, seconds):
    assert durations.seconds(text) == arguments.seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "0", "0s", "0h0m", "m", "30 m", "1m2h", "-3", "inf", "nan", "1e3", "soon", "9" * 400, "9" * 400 + "h"],
)
def test_what_is_no_length_of_time(text):
    with pytest.raises(ValueError, match=rf"^'{text}' is .*\. Write seconds, or such as 90s, 1\.5h or 1h30m\.$"):
        durations.seconds(text)
    with pytest.raises(ArgumentTypeError, match=r"Write seconds, or such as 90s"):
        arguments.seconds(text)


def test_how_long_is_told():
    told = [durations.about(seconds) for seconds in (0.4, 99, 100, 90 * 60, 100 * 60, 5 * 3600)]
    assert told == ["0 s", "99 s", "2 min", "90 min", "1.7 h", "5.0 h"]
    figures = [durations.figure(seconds) for seconds in (45, 59.5, 738, 21096)]
    assert figures == ["45 s", "59.5 s", "12.3 min", "5.86 h"]
