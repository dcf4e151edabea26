"""Figures that others published, as records: facts from the tables in this folder, nothing measured here."""

import csv
import difflib
import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from results.record import Reported, RunRecord

FOLDER = Path(__file__).parent


class Table(NamedTuple):
    """One published set of figures: the file, the program that made them, and what to know before using them."""

    file: str
    tool: str
    caveat: str = ""


TABLES = {
    "tf2017": Table(
        "tf_benchmarks_2017.csv",
        "tf_cnn_benchmarks",
        "Each figure is the mean of 5 runs. One K80 is one GK210, half a board.",
    ),
    "lambda_tf": Table(
        "lambda_tf_published.csv", "tf_cnn_benchmarks", "AlexNet and VGG16 include runs whose loss was NaN."
    ),
    "lambda_pytorch": Table(
        "lambda_pytorch_resnet50.csv",
        "NVIDIA DeepLearningExamples",
        "What the source calls fp32 may be TF32 on Ampere or later.",
    ),
    "nvidia_dle": Table("nvidia_dle_resnet50.csv", "NVIDIA DeepLearningExamples"),
}
# The tables' ways of saying a strategy -> our flags.
_STRATEGIES = {
    "replicated (with NCCL)": {"variable_update": "replicated", "all_reduce_spec": "nccl"},
    "replicated (without NCCL)": {"variable_update": "replicated", "all_reduce_spec": ""},
}
_NO_FIGURE = re.compile(r"N/A in the source: [^;]*|0 in the source = [^;]*")


class UnknownReferenceError(Exception):
    """A name that is no published set of figures; says which there are."""


def records(name: str) -> list[RunRecord]:
    """The figures of one of TABLES, a record a row, in the order of the file and with ids that stay the same.

    What the source does not say is absent. A row without a figure is not valid. Raise UnknownReferenceError for
    another name.
    """
    if name not in TABLES:
        close = difflib.get_close_matches(name, TABLES, 1, cutoff=0.5)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise UnknownReferenceError(f"Unknown reference '{name}'.{hint} There are: {', '.join(TABLES)}.")
    table = TABLES[name]
    with (FOLDER / table.file).open(encoding="utf-8", newline="") as stream:
        return [_record(name, table, number, row) for number, row in enumerate(csv.DictReader(stream), 1)]


def environment(name: str) -> list[dict[str, str]]:
    """What a source says of its machines and method: rows of platform ("all" for every one), key and value."""
    path = FOLDER / TABLES[name].file.replace(".csv", "_environment.csv")
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _record(name: str, table: Table, number: int, row: dict[str, str]) -> RunRecord:
    missing = "" if row["images_per_sec"] else _reason(row["notes"])
    release = re.search(r"\bTF (\d[\w.]*)", row["notes"])
    return RunRecord(
        status="completed",
        started_at="",
        finished_at="",
        command_line=(),
        problems=(f"no figure: {missing}",) if missing else (),
        configuration=_configuration(row),
        environment={"packages": {"tensorflow": release[1]}} if release else {},
        hardware={"gpus": [{"name": row["accelerator"]}]},
        cluster={"workers": int(row["num_workers"])} if row["num_workers"] not in ("", "1") else {},
        dataset={"name": "imagenet", "synthetic": row["data"] == "synthetic"} if row["data"] else {},
        model={"name": row["model"]},
        reported=Reported(
            images_per_second=float(row["images_per_sec"]) if row["images_per_sec"] else None,
            batch_size=_number(row["batch_size_per_device"]),
            num_towers=_number(row["num_devices"]),
        ),
        provenance=_provenance(name, table, row),
        record_id=hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:32],
    )


def _configuration(row: dict[str, str]) -> dict[str, Any]:
    strategy = row["variable_update"]
    flags: dict[str, Any] = {
        "model": row["model"],
        "device": "gpu",
        "num_gpus": _number(row["num_devices"]),
        "batch_size": _number(row["batch_size_per_device"]),
        "data_name": "imagenet" if row["data"] else None,
        "precision": row["precision"],
        "optimizer": row["optimizer"],
        "local_parameter_device": row["local_parameter_device"].replace("n/a", ""),
        "xla": True if re.search(r"(^|; )XLA\b", row["notes"]) else None,
    }
    known = {flag: value for flag, value in flags.items() if value not in (None, "")}
    return known | _STRATEGIES.get(strategy, {"variable_update": strategy} if strategy else {})


def _provenance(name: str, table: Table, row: dict[str, str]) -> dict[str, str]:
    found = {
        "tool": table.tool,
        "reference": name,
        "source": row["source"],
        "document": row["source_url_or_doc"],
        "date": row["date"],
        "platform": row["platform"],
        "notes": row["notes"],
        "caveat": table.caveat,
    }
    return {key: value for key, value in found.items() if value}


def _reason(notes: str) -> str:
    found = _NO_FIGURE.search(notes)
    return found[0] if found else "the source has none"


def _number(text: str) -> int | None:
    return int(text) if text else None
