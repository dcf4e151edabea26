"""Published figures, transcribed with their sources (see README.md here), as records; nothing was measured here."""

import csv
import dataclasses
import difflib
from pathlib import Path
from typing import NamedTuple

from results.importers import folder
from results.record import RunRecord

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
    return [_known_of(record, table) for record in folder.read(FOLDER / table.file)]


def environment(name: str) -> list[dict[str, str]]:
    """What a source says of its machines and method: rows of platform ("all" for every one), key and value."""
    path = FOLDER / TABLES[name].file.replace(".csv", "_environment.csv")
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _known_of(record: RunRecord, table: Table) -> RunRecord:
    """`record` with what is known of all rows of its table: all are of ImageNet, or of images of its size."""
    about = {"tool": table.tool} | ({"caveat": table.caveat} if table.caveat else {})
    return dataclasses.replace(
        record,
        dataset={"name": "imagenet", **record.dataset} if record.dataset else {},
        provenance=record.provenance | about,
    )
