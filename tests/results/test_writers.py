"""Several processes write into one folder, some of them are killed: nothing that was reported as written is lost."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from results.importers import folder
from results.store import load

ROOT = Path(__file__).resolve().parents[2]
WRITERS = 8
KILLED = 3
# Writes records until it is told to stop, and names each one only after it was written.
WRITER = """
import sys
from pathlib import Path
from results.store import write
from tests.results.records import record

runs, stop = Path(sys.argv[1]), Path(sys.argv[2])
while not stop.exists():
    print(write(record(), runs).name, flush=True)
"""


def test_eight_writers_and_kill_9(tmp_path):
    runs, stop = tmp_path / "runs", tmp_path / "stop"
    names = [tmp_path / f"written{number}" for number in range(WRITERS)]
    command = [sys.executable, "-c", WRITER, str(runs), str(stop)]
    writers = []
    for name in names:
        with name.open("wb") as out:
            writers.append(subprocess.Popen(command, cwd=ROOT, stdout=out))
    try:
        wait_for(lambda: all(len(reported(name)) > 3 for name in names))
        for writer in writers[:KILLED]:
            writer.kill()
        before = [len(reported(name)) for name in names[KILLED:]]
        wait_for(lambda: all(len(reported(name)) > count for name, count in zip(names[KILLED:], before, strict=True)))
        stop.touch()
        endings = [writer.wait(300) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
    assert endings == [-signal.SIGKILL] * KILLED + [0] * (WRITERS - KILLED)
    records, unreadable = load(runs)
    assert unreadable == []
    found = {Path(record.file).name for record in records}
    assert {name for path in names for name in reported(path)} <= found
    assert len({record.record_id for record in records}) == len(records) == len(found)


def reported(path):
    """Return the names that a writer reported; the last line may be half written."""
    return path.read_text().rpartition("\n")[0].splitlines()


def wait_for(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_killed_writer_leaves_is_no_record_and_no_error(tmp_path):
    for record in folder.read(ROOT / "tests" / "results" / "legacy_logs" / "forward_only.log"):
        text = record.to_json()
        (tmp_path / "good.json").write_text(text)
        (tmp_path / ".0123456789abcdef.tmp").write_text(text[:100])
        (tmp_path / ".half.json").write_text(text[:100])
    records, unreadable = load(tmp_path)
    assert [Path(record.file).name for record in records] == ["good.json"]
    assert unreadable == []


def test_two_imports_at_once_leave_one_record_a_log(tmp_path):
    logs = ROOT / "tests" / "results" / "legacy_logs"
    command = [sys.executable, "-m", "results", "import", logs, f"--results_dir={tmp_path}"]
    importers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [importer.wait(300) for importer in importers] == [1] * 4  # README.md there is no log
    records, unreadable = load(tmp_path)
    assert unreadable == []
    assert len(records) == len({record.record_id for record in records}) == 12
    assert all(json.loads(path.read_text())["valid"] in (True, False) for path in tmp_path.iterdir())
