"""Tables with one run a row: the long format of `results/reference`, and the CSV files of timm's benchmark."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from results.importers.figures import count, finite
from results.importers.run import Run
from results.importers.source import LogError

LONG_FORMAT = re.compile(r"\ufeff?(?=(?:.*,)?\"?accelerator\"?,)(?=.*\bimages_per_sec\b).*,")
TIMM = re.compile(r"\ufeff?(?=(?:.*,)?\"?model\"?(?:,|$))(?=.*\b(?:train|infer)_samples_per_sec\b).*,")
MOST_RUNS = 100_000  # of one table
_STRATEGIES = {  # as the 2017 tables have them -> our flags
    "replicated (with NCCL)": {"variable_update": "replicated", "all_reduce_spec": "nccl"},
    "replicated (without NCCL)": {"variable_update": "replicated", "all_reduce_spec": ""},
}
_ORIGIN = {
    "source": "source",
    "source_url_or_doc": "document",
    "date": "date",
    "platform": "platform",
    "notes": "notes",
}
_RELEASE = re.compile(r"\bTF (\d[\w.]*)")
_XLA = re.compile(r"(^|; )XLA\b")
_NO_FIGURE = re.compile(r"N/A in the source: [^;]*|0 in the source = [^;]*")


def read_long_format(lines: Iterable[str]) -> list[Run]:
    """Return a run for each row of a table with the columns of `results/reference` (see its README).

    The accelerator becomes a GPU of the hardware; source, platform, date and notes stand in the provenance, in
    the source's own words; of the notes, only a release of TensorFlow, XLA and the reason of a missing figure are read.
    """
    runs = []
    for row in _rows(lines):
        run = Run(tool=row.get("source") or "table", complete=True, configuration=_settings(row))
        run.trained = False  # there is no loss to look at
        run.batch_size, run.num_towers = count(row.get("batch_size_per_device")), count(row.get("num_devices"))
        run.images_per_second = finite(row.get("images_per_sec"))
        run.model = {"name": row["model"]} if row.get("model") else {}
        if data := row.get("data"):
            run.dataset = {"synthetic": True} if data == "synthetic" else {"name": data, "synthetic": False}
        if name := row.get("accelerator"):
            run.hardware = {"gpus": [{"name": name}]}
        run.provenance = {name: row[column] for column, name in _ORIGIN.items() if row.get(column)}
        if release := _RELEASE.search(row.get("notes", "")):
            run.environment = {"packages": {"tensorflow": release[1]}}
        if run.images_per_second is None:
            reason = _NO_FIGURE.search(row.get("notes", ""))
            run.problems.append(f"no figure: {reason[0] if reason else 'the source has none'}")
        run.identity = row["identity"]
        runs.append(run)
    return runs


def _settings(row: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"device": "gpu"} if row.get("accelerator") else {}
    for name in ("model", "precision", "optimizer", "variable_update"):
        if row.get(name):
            found[name] = row[name]
    found |= _STRATEGIES.get(row.get("variable_update", ""), {})
    if _XLA.search(row.get("notes", "")):
        found["xla"] = True
    if row.get("local_parameter_device", "n/a") not in ("", "n/a"):
        found["local_parameter_device"] = row["local_parameter_device"]
    if row.get("data") == "synthetic":
        found["data_source"] = "synthetic"
    elif row.get("data"):
        found["data_name"] = row["data"]
    if size := count(row.get("batch_size_per_device")):
        found["batch_size"] = size
    workers, servers = count(row.get("num_workers")), count(row.get("num_ps"))
    if servers or (workers or 1) > 1:
        found["processes"] = {job: number for job, number in (("worker", workers), ("ps", servers)) if number}
    return found


def read_timm(lines: Iterable[str]) -> list[Run]:
    """Return a run for each row and kind (training, inference) of a CSV file that timm's benchmark.py wrote.

    timm does not write the number of devices, the precision or the GPU.
    """
    runs = []
    for row in _rows(lines):
        known = [kind for kind in ("train", "infer") if f"{kind}_samples_per_sec" in row]
        # A model that failed has a row without figures: one failed run.
        told = [kind for kind in known if row[f"{kind}_samples_per_sec"]] or known[:1]
        runs += [_timm_run(row, kind) for kind in told]
    return runs


def _timm_run(row: dict[str, str], kind: str) -> Run:
    run = Run(tool="timm", trained=False, images_per_second=finite(row[f"{kind}_samples_per_sec"]))
    run.complete = run.images_per_second is not None
    run.message = "" if run.complete else row.get("error", "") or "no figure in its row"
    run.batch_size = count(row.get(f"{kind}_batch_size"))
    run.configuration = {"forward_only": kind == "infer"}
    if name := row.get("model"):
        run.model = {"name": name}
        run.configuration["model"] = name
    if (millions := finite(row.get("param_count"))) is not None:
        run.model["parameters_millions"] = millions
    if run.batch_size:
        run.configuration["batch_size"] = run.batch_size
    if size := count(row.get(f"{kind}_img_size")):
        run.configuration["image_size"] = size
    run.dataset = {"synthetic": True}  # the program knows no other
    run.configuration["data_source"] = "synthetic"
    run.identity = f"{kind} {row['identity']}"
    return run


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the rows below the first one by its names, with an `identity` made of the row and its repetition."""
    reader = csv.reader(line.removeprefix("\ufeff") + "\n" for line in lines)
    times: dict[str, int] = {}
    try:
        names = [name.strip() for name in next(reader, [])]
        for values in reader:
            if not any(values):
                continue
            if len(values) != len(names):
                raise LogError(f"line {reader.line_num} has {len(values)} values, its table {len(names)} columns")
            if len(times) >= MOST_RUNS:
                raise LogError(f"a table of more than {MOST_RUNS:,} rows; cut it into several")
            row = dict(zip(names, map(str.strip, values), strict=True))
            text = json.dumps(row, sort_keys=True)
            times[text] = times.get(text, 0) + 1
            yield row | {"identity": f"{text} {times[text]}"}
    except csv.Error as error:
        raise LogError(f"line {reader.line_num}: {error}") from error
