"""A process is watched: what it holds in memory, as far as that lasts."""

import pytest

from benchmarks import fresh_process
from benchmarks.fresh_process import Watch, finish

RUNS_UNTIL = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists():\n    time.sleep(0.01)"


@pytest.mark.parametrize(
    ("looks", "over", "peak"),
    [
        ((100, 210, 100, 110), False, 100),  # for one look a process that it started had a copy of all
        ((100, 210, 220), True, 210),
        ((100, 150, 190, 195), False, 190),
    ],
)
def test_what_is_held_for_one_look_is_not_held(looks, over, peak, monkeypatch, tmp_path):
    left = iter(looks)

    def resident(_):
        held = next(left, None)
        if held is None:
            (tmp_path / "end").touch()
            return looks[-1] if over else 0
        return held

    monkeypatch.setattr(fresh_process, "resident", resident)
    ended = finish(["-c", RUNS_UNTIL, str(tmp_path / "end")], Watch(limit_bytes=200))
    assert (ended.over_limit, ended.peak_bytes) == (over, peak)
