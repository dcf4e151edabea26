"""The command `python -m results`: what can be done with the records of runs, one sub-command each."""

import argparse
import difflib
import importlib
import os
import signal
import sys
from types import ModuleType
from typing import TextIO

# Each is a module of results.commands with `parser()` and `main(options, stdout, stderr)`, imported only when called.
COMMANDS = {
    "table": "records as a table, and as a bar chart (also without the word)",
    "compare": "is one set of runs faster than another, and how sure is that",
    "gate": "did anything get slower, as an exit code for a nightly job",
    "import": "logs and tables of other programs become records",
    "report": "one page that a buyer can read: HTML or Markdown, from records and published figures",
    "show": "one record explained on a screen",
    "history": "each configuration over time: where its level changed, and what changed there",
    "export": "records in the formats of other tools (csv, parquet, Bencher, PerfZero, MLLOG, ...)",
}
_EPILOG = "python -m results COMMAND --help tells more. python -m results RUNS prints the table."


def main(arguments: list[str] | None = None, stdout: TextIO = sys.stdout, stderr: TextIO = sys.stderr) -> int:
    """Run the command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        _overview().print_help(stdout if arguments else stderr)
        return 0 if arguments else 2
    name, rest = ("table", arguments) if arguments[0] not in COMMANDS else (arguments[0], arguments[1:])
    if name == "table" and (meant := _meant(rest)):
        stderr.write(
            f"No command and no folder '{rest[0]}'. Did you mean '{meant}'? The commands: {', '.join(COMMANDS)}.\n"
        )
        return 2
    module = command(name)
    code: int = module.main(module.parser().parse_args(rest), stdout, stderr)
    return code


def _meant(arguments: list[str]) -> str | None:
    """The command that the first of `arguments`, which is neither one nor a path, comes close to."""
    given = arguments[0] if arguments else ""
    found = difflib.get_close_matches(given, COMMANDS, n=1)
    return found[0] if found and not os.path.exists(given.partition("@")[0]) else None  # noqa: PTH110  # too long is no error


def command(name: str) -> ModuleType:
    """Return the module of the sub-command `name`."""
    return importlib.import_module(f"results.commands.{name}")


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, what in COMMANDS.items()]
    return argparse.ArgumentParser(
        prog="python -m results",
        usage="python -m results COMMAND ...",
        description="\n".join(["Do something with the records of runs.", "", "commands:", *lines]),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has seen enough, such as head, ends it quietly
    sys.exit(main())
