"""How a command that makes a data set runs and ends."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from benchmarks.errors import ExitCode, UserError
from benchmarks.tensorflow_lines import LEVEL


def run(program: str, convert: Callable[[], str], *, interrupted: str, debug: bool) -> ExitCode:
    """Print what `convert` says of its work; returns the exit code.

    What is wrong is said in a line of stderr that begins with `program`, and so is `interrupted` after Ctrl-C; `debug`
    shows the traceback too.
    """
    if not debug:
        os.environ.setdefault(LEVEL, "3")  # failures come as exceptions
    try:
        told = convert()
    except UserError as error:
        if debug:
            traceback.print_exc()
        sys.stderr.write(f"{program}: error: {error}\n")
        return ExitCode.UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write(f"{program}: interrupted; {interrupted}\n")
        return ExitCode.INTERRUPTED
    sys.stdout.write(told)
    return ExitCode.VALID
