"""Published figures, transcribed with their sources (see README.md here), as records."""

import difflib
from pathlib import Path

from results.importers import folder
from results.record import RunRecord

SETS = {
    "tf2017": "tf_benchmarks_2017.csv",
    "lambda_tf": "lambda_tf_published.csv",
    "lambda_pytorch": "lambda_pytorch_resnet50.csv",
    "nvidia_dle": "nvidia_dle_resnet50.csv",
}


def records(name: str) -> list[RunRecord]:
    """Return the records of the set `name`, in the order of its table; raise LookupError where there is no such set.

    A record's accelerator is in `hardware`, its platform, date, source and notes are in `provenance`, its figure is in
    `reported`.
    """
    if name not in SETS:
        close = difflib.get_close_matches(name, SETS, n=1)
        raise LookupError(
            f"Unknown reference {name!r}."
            + (f" Did you mean {close[0]!r}?" if close else f" There are {', '.join(SETS)}.")
        )
    return folder.read(Path(__file__).with_name(SETS[name]))
