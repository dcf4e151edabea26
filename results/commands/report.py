"""`python -m results report`: one page on records and published figures that a buyer can read."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from results import reference
from results.commands import arguments
from results.commands.table import report
from results.files import write_whole
from results.record import RunRecord
from results.report import prices
from results.report.choosing import SelectionError, choose, in_order, parse
from results.report.material import Material, gather
from results.scaling import EFFICIENCY_BOUND
from results.selection import select
from results.store import FolderError

_EPILOG = """\
K80 against P100 from the tables of 2017, without any run:
  python -m results report --reference=tf2017 --only=accelerator=K80,P100 --out=k80_p100.html

exit codes:
  0  the report was written from every file
  1  the report was written, but without some files, without prices of devices that are not in it, or, where their
     currencies are mixed, without any price: named on stderr with the reason
  2  nothing was written: wrong usage, no such path or reference, no record, or no valid figure among them
"""
_FORMATS = (".html", ".md")


class _UsageError(Exception):
    """A command line that asks for nothing that can be written."""


def main(options: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command and return its exit code."""
    try:
        _check(options)
        filters, (price, left_out) = parse(options.only), _prices(options)
        records, unreadable = _records(options)
        report([*left_out, *unreadable], stderr)
        material = _material(choose(records, filters), filters, options)
        price, absent = prices.present(price, material.device_names)
        report(absent, stderr)
        _write(options, dataclasses.replace(material, prices=price), stdout)
    except (FolderError, SelectionError, prices.PriceError, reference.UnknownReferenceError, _UsageError) as error:
        report(str(error).splitlines(), stderr)
        return 2
    return 1 if left_out or unreadable or absent else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="python -m results report",
        description="Write one self-contained page on records, published figures, or both.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = found.add_argument
    add("paths", metavar="RUNS", type=Path, nargs="*", help="folders that runs wrote their records into, or records")
    add("--out", metavar="FILE", type=Path, action="append", default=[],
        help="where to write: .html or .md says in which form; may be given for each")  # fmt: skip
    add("--reference", metavar="NAMES", default="", help=f"published figures to take in: {', '.join(reference.TABLES)}")
    add("--only", metavar="COLUMN=VALUES", action="append", default=[],
        help="take only what has one of these values, as in accelerator=K80,P100; others are held against the first "
        "accelerator named. May be given for several columns")  # fmt: skip
    add("--price", metavar="NAME:AMOUNT,...", default="", help="of one device an hour, as in K80:0.45,P100:1.46")
    add("--currency", default="", help="of the prices, as in USD")
    add("--efficiency_bound", metavar="SHARE", type=arguments.fraction, default=EFFICIENCY_BOUND,
        help=f"flag scaling curves with a lower efficiency (default: {arguments.share(EFFICIENCY_BOUND)})")  # fmt: skip
    add("--include_invalid", action="store_true", help="report on runs that are not valid too")
    add("--title", default="", help="of the page")
    return found


def _check(options: argparse.Namespace) -> None:
    if not options.out:
        raise _UsageError("Nowhere to write to: give --out=report.html.")
    for path in options.out:
        if path.suffix.lower() not in _FORMATS:
            raise _UsageError(f"Cannot write report '{path}': its name must end in one of {', '.join(_FORMATS)}.")
        if not path.parent.is_dir():
            raise _UsageError(f"Cannot write report '{path}': there is no folder '{path.parent}'.")
    if not options.paths and not options.reference:
        raise _UsageError(
            f"Nothing to report on: name folders of records, or --reference={next(iter(reference.TABLES))}."
        )


def _records(options: argparse.Namespace) -> tuple[list[RunRecord], list[str]]:
    names = list(dict.fromkeys(filter(None, map(str.strip, options.reference.split(",")))))
    published = [record for name in names for record in reference.records(name)]
    if not options.paths:
        return published, []
    records, left_out = select(options.paths)
    return [*records, *published], left_out


def _prices(options: argparse.Namespace) -> tuple[prices.Prices, list[str]]:
    """Return the prices, and a message where they are in several currencies: a report can do without."""
    try:
        return prices.parse(options.price, options.currency), []
    except prices.MixedCurrenciesError as error:
        return prices.NO_PRICES, [f"{error} The report is without prices."]


def _material(records: Sequence[RunRecord], filters: dict[str, list[str]], options: argparse.Namespace) -> Material:
    material = gather(records, options.include_invalid, efficiency_bound=options.efficiency_bound)
    if not material.groups:
        if options.include_invalid:
            raise SelectionError(f"None of the {len(records)} records has a figure: there is nothing to report.")
        raise SelectionError(
            f"None of the {len(records)} records is valid and has a figure: there is nothing to report. "
            "--include_invalid takes in those that are not valid."
        )
    return in_order(material, filters.get("accelerator", []))


def _write(options: argparse.Namespace, material: Material, stdout: TextIO) -> None:
    from results.report.build import page  # with matplotlib and jinja2, it takes longer to import than all the rest
    from results.report.html import html
    from results.report.markdown import markdown
    from results.report.svg import undrawn

    forms: dict[str, Callable[..., str]] = {".html": html, ".md": markdown}
    drawn = any(path.suffix.lower() == ".html" for path in options.out)
    built = page(material, options.title or _title(material.accelerators), None if drawn else undrawn)
    for path in options.out:
        try:
            write_whole(path, forms[path.suffix.lower()](built).encode())
        except OSError as error:
            raise FolderError(f"Cannot write report '{path}': {error.strerror or error}.") from error
        stdout.write(f"Report: {path}\n")


def _title(accelerators: Sequence[str]) -> str:
    known = [name for name in accelerators if name]
    return f"CNN training: {' against '.join(known)}" if len(known) == 2 else "CNN training benchmark"
