"""`python -m benchmarks.topology`: how the GPUs of this machine are wired."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.studies import report
from benchmarks.telemetry.wiring import LEGEND, Wiring, matrix, read

DESCRIPTION = """\
Tell how the GPUs of this machine are wired, as the NVIDIA driver knows it: what is between any two of them, which reach
each other's memory, and which processors they are near to.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return report.run(_parser(), tell, arguments)


def tell(options: argparse.Namespace) -> None:
    """Print the wiring, and write it where `options` say. Raises UserError where there is none."""
    wiring = read()
    if isinstance(wiring, str):
        raise UserError(
            f"The NVIDIA driver tells nothing of GPUs: {wiring}. On a machine with none there is no wiring."
        )
    if not wiring.gpus and not wiring.broken:
        raise UserError("The NVIDIA driver shows no GPU. In a container, see that it was given some.")
    report.save(options.output, "topology", wiring.facts())
    report.say(told(wiring))


def told(wiring: Wiring) -> str:
    """The wiring for people."""
    words = {link.word for link in wiring.links.values()}
    legend = [
        f"  {word:<5} {meaning}"
        for word, meaning in LEGEND.items()
        if word in words or word == "X" or (word == "NV#" and any(link.nvlinks for link in wiring.links.values()))
    ]
    lines = [matrix(wiring), "", *legend, "", *_peers(wiring)]
    return "\n".join([*lines, *(f"Not told of: {name}" for name in wiring.broken)])


def _peers(wiring: Wiring) -> list[str]:
    """Who reaches whose memory."""
    if len(wiring.gpus) < 2:
        return ["There is one GPU, so nothing is between two."]
    names = [", ".join(map(str, island)) for island in wiring.islands]
    lines = ["Islands, in which GPUs reach each other's memory, if need be over others: " + "; ".join(names)]
    reasons = {link.peer_problem for link in wiring.links.values() if link.peers is False and link.peer_problem}
    lines += [f"Where two do not reach each other: {reason}" for reason in sorted(reasons)]
    if any(link.peers is None for link in wiring.links.values()):
        lines.append("Of some pairs the driver does not tell whether they reach each other.")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.topology",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write it as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
