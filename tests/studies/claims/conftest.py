"""A stand-in for runs, which studies start."""

from pathlib import Path

import pytest

STAND_IN = """\
import sys
sys.path.insert(0, {project!r})
from tests.results.records import record
from results import store
folder = sys.argv[-1].removeprefix("--results_dir=")
if "--fails" in sys.argv:
    sys.exit("the device is gone")
if "--terminates" in sys.argv:
    import os, signal
    os.kill(os.getppid(), signal.SIGTERM)
if "--hangs" in sys.argv or "--terminates" in sys.argv:
    import time
    time.sleep(600)
store.write(record(), folder)
"""


@pytest.fixture
def stand_in(tmp_path):
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN.format(project=str(Path(__file__).parents[3])))
    return (str(program),)
