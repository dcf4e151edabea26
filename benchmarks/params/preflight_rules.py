"""What a preflight leaves behind can be written."""

from __future__ import annotations

from benchmarks.params.output_files import file_problem
from benchmarks.params.params import Params
from benchmarks.params.rules import rule


@rule("preflight_file", "preflight")
def writable_findings(params: Params) -> str | None:
    """The file can be written; without --preflight nothing is."""
    if not params.preflight or params.preflight_file is None:
        return None
    return file_problem("preflight_file", params.preflight_file)
