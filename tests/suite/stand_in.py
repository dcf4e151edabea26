"""In place of run_benchmark.py: takes its flags, runs nothing, and leaves a record by the project's own code.

It takes flags as they come, as what reads them takes four times as long to import as all the rest.

What becomes of it is in --tag: its words, with + between. "crash", "hang", "oom>8" (with more than 8 images), "exit2",
"invalid", "wrong" (exit code 3), "silent", "late" (it crashes when its record is there) and "once" (what else there is
happens at the first attempt only) or "third" (from the third repeat on only); "wait" runs until it is told to end.

A test that must be there in time holds runs up: $STAND_IN_MOST names a file with a number, and no run goes on while
there are as many records. The file $STAND_IN_UP, where it is named, is made once a run is up.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from results import store
from results.record import RunRecord, utc_now
from tests.results.records import measurement

INTERRUPTED = []


def main(arguments):
    signal.signal(signal.SIGINT, lambda number, _: INTERRUPTED.append(number))
    signal.signal(signal.SIGTERM, lambda number, _: INTERRUPTED.append(number))
    given = dict(word.removeprefix("--").split("=", 1) for word in arguments)
    flags = {name: int(value) if value.isdecimal() else value for name, value in given.items()}
    suite = json.loads(given["suite_run"])
    fate = set(given.get("tag", "").split("+"))
    if ("once" in fate and suite["attempt"] > 1) or ("third" in fate and suite["repeat"] < 3):
        fate = set()
    if "crash" in fate:
        say("Fatal Python error: a bug")
        os.abort()
    if "silent" in fate:
        return 5
    if "exit2" in fate:
        say("run_benchmark.py: error: --device=gpu: there is none.")
        return 2
    if "STAND_IN_UP" in os.environ:
        Path(os.environ["STAND_IN_UP"]).touch()
    while held_up(given["results_dir"]) and not INTERRUPTED:
        time.sleep(0.02)
    while "hang" in fate or ("wait" in fate and not INTERRUPTED):
        time.sleep(0.02)
    speed = 500 * (1 + 0.001 * suite["repeat"])
    batch = flags.get("batch_size", 32)
    steps = {"batch_size": batch, "step_seconds": (0.125 * batch / 32,) * 10, "window_seconds": 20 * batch / speed}
    facts = {"status": "completed", "measurement": measurement(**steps)}
    too_large = [word for word in fate if word.startswith("oom>") and flags["batch_size"] > int(word[4:])]
    if too_large:
        facts = {"status": "failed", "message": f"out of memory with --batch_size={flags['batch_size']}"}
    elif INTERRUPTED:
        facts = {"status": "interrupted", "message": "interrupted by Ctrl-C"}
    elif "wrong" in fate:
        facts |= {name: ["the loss is NaN from step 2 on"] for name in ("problems", "wrong")}
    elif "invalid" in fate:
        facts |= {"problems": ["foreign load: other processes took 50% of the CPUs"]}
    flags = {"num_gpus": 1} | flags
    configuration = {name: flags.get(name) for name in ("model", "num_gpus", "batch_size", "num_batches")}
    record = RunRecord(
        started_at=utc_now(),
        finished_at=utc_now(),
        command_line=["run_benchmark.py", *arguments],
        params=flags,
        given=sorted(given),
        configuration=configuration | {"device": "cpu"},
        hardware={"cpu": {"model": "Testium 9000", "flags": 5000 * "x"}, "gpus": []},  # as long as real records
        suite=suite,
        **facts,
    )
    try:
        store.write(record, given["results_dir"])
    except store.FolderError as error:
        say(f"run_benchmark.py: error: {error}")
        return 1
    if "late" in fate:
        os.abort()
    if "wrong" in fate:
        return 3
    return {"failed": 1, "interrupted": 130}.get(record.status, 0)


def held_up(results_dir):
    most = os.environ.get("STAND_IN_MOST")
    return most and len(list(Path(results_dir).glob("*.json"))) >= int(Path(most).read_text() or 0)


def say(text):
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
