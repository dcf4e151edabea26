"""`python -m benchmarks.topology`: how the devices of this machine are wired, and how fast copies between them are."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.advice import wiring_file
from benchmarks.errors import UserError
from benchmarks.params import CommandLine, Params, notices, parse
from benchmarks.preparation import prepare
from benchmarks.studies import report
from benchmarks.telemetry.wiring import LEGEND, Wiring, matrix, read
from benchmarks.tensorflow_lines import import_tensorflow
from benchmarks.topology import measured_links
from benchmarks.topology.measured_links import MeasuredLinks
from benchmarks.topology.tower_wiring import numbered_by_nvml
from results.commands.arguments import count
from variable_mgr.link_graph import best_ring, derive

DESCRIPTION = """\
Tell how the GPUs of this machine are wired, as the NVIDIA driver knows it: what is between any two of them, which reach
each other's memory, and which processors they are near to.

With --measure, copies of tensors of 4 kB to 64 MB are timed as well: from the host to each device and back, from each
device to each other one, within the memory of each, and between two in both directions at once. By default these are
all GPUs; flags of run_benchmark.py choose others: --num_gpus, --gpu_indices, and --device=cpu for logical CPU devices.
A copy takes about latency + bytes / bandwidth: the bandwidth is the slope of the copies from 8 MB on, the latency what
the smallest take beyond that, both with 95 % intervals over the repeats. Nothing else should use the devices
meanwhile. All ways between 8 GPUs take some minutes.
"""
REPEATS = 5
# The flags of run_benchmark.py that say between which devices copies go, and how those are used.
HEEDED = frozenset(
    {"device", "num_gpus", "gpu_indices", "num_intra_threads", "num_inter_threads", "gpu_thread_mode",
     "per_gpu_thread_count", "allow_growth", "gpu_memory_frac_for_testing", "use_unified_memory"}
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _parser()
    options, flags = parser.parse_known_args(arguments)
    if flags and not options.measure:
        parser.error(f"unrecognized arguments: {' '.join(flags)} (flags of run_benchmark.py need --measure)")
    if options.wiring and options.measure:
        parser.error("--wiring with --measure: copies are measured on this machine. Leave one of them out.")
    return report.conclude(parser, lambda: measure(options, flags) if options.measure else tell(options))


def tell(options: argparse.Namespace) -> None:
    """Print the wiring, and write it where `options` say. Raises UserError where there is none."""
    wiring = wiring_file.read(options.wiring) if options.wiring else read()
    if isinstance(wiring, str):
        raise UserError(
            f"The NVIDIA driver tells nothing of GPUs: {wiring}. On a machine with none there is no wiring."
        )
    if not wiring.gpus and not wiring.broken:
        raise UserError("The NVIDIA driver shows no GPU. In a container, see that it was given some.")
    report.save(options.output, "topology", wiring.facts())
    if options.picture:
        _draw(wiring, options.picture)
    report.say(told(wiring))


def _draw(wiring: Wiring | str, path: Path) -> None:
    """Write the picture. Raises UserError where there is none, or it cannot be written."""
    if isinstance(wiring, str) or not wiring.gpus:
        raise UserError(f"--picture={path}: there is nothing to draw, as the driver tells of no GPU. Leave it out.")
    from benchmarks.topology.picture import picture
    from results import plots
    from results.store import FolderError

    try:
        plots.save(picture(wiring), path)
    except FolderError as error:
        raise UserError(f"--picture: {error}") from error


def measure(options: argparse.Namespace, flags: Sequence[str]) -> None:
    """Measure the links, print them beside the wiring, and write both. Raises UserError where devices are missing."""
    command = parse(flags)
    if command.answer is not None:
        report.say(command.answer)
        return
    wiring = read()
    if options.picture:
        _draw(wiring, options.picture)
    report.check_writable(options.output)  # which must show before anything is measured
    prepare(command.params, notices(command.params, command.given, HEEDED), report.note)
    links = _measured(command, options.repeats, wiring)
    known = wiring.facts() if isinstance(wiring, Wiring) else None
    report.save(options.output, "topology", {"repeats": options.repeats, **links.facts(), "wiring": known})
    if isinstance(wiring, Wiring) and wiring.gpus:
        report.say(f"{told(wiring)}\n")
    report.say(measured_links.report(links))


def _measured(command: CommandLine, repeats: int, wiring: Wiring | str) -> MeasuredLinks:
    """The links of the devices that `command` asks for. Imports TensorFlow."""
    import_tensorflow()
    import tensorflow as tf

    from benchmarks import devices
    from benchmarks.topology import copies

    params = command.params
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and params.device == "auto":
        raise UserError(
            f"--measure: TensorFlow {tf.__version__} sees no GPU. run_benchmark.py --preflight may tell why. "
            "--device=cpu --num_gpus=2 measures between logical CPU devices, which are none that copies go over."
        )
    if gpus and params.device != "cpu" and not {"num_gpus", "gpu_indices"} & set(command.given):
        params = dataclasses.replace(params, num_gpus=len(gpus))
    found = devices.set_up(params)
    copies.prepare()
    words = _words(wiring, found.towers, params) if found.kind == "gpu" else {}
    return measured_links.measure(
        found.towers,
        repeats,
        copies.SIZES,
        moves_bytes=copies.moves_bytes,
        copies=lambda *ways: copies.Copies(*ways).seconds,
        words=words,
        tell=report.note,
    )


def _words(wiring: Wiring | str, towers: Sequence[str], params: Params) -> Mapping[tuple[str, str], str]:
    """What the wiring has between any two of the GPUs `towers`; nothing, and a note, where that is not known."""
    from benchmarks import devices

    indices = wiring if isinstance(wiring, str) else numbered_by_nvml(wiring, devices.numbers(params))
    if isinstance(wiring, str) or isinstance(indices, str):
        report.note(f"NOTE: the wiring of these devices is not known: {indices}.")
        return {}
    named = list(zip(towers, indices, strict=True))
    return {
        (one, other): wiring.link(first, second).word
        for one, first in named
        for other, second in named
        if first != second
    }


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
    """Who reaches whose memory, and what follows from the links."""
    if len(wiring.gpus) < 2:
        answers = f"{'One' if wiring.gpus else 'No'} GPU answers" if wiring.broken else "There is one GPU"
        return [f"{answers}, so nothing is between two."]
    names = [", ".join(map(str, island)) for island in wiring.islands]
    lines = ["Islands, in which GPUs reach each other's memory, if need be over others: " + "; ".join(names)]
    reasons = {link.peer_problem for link in wiring.links.values() if link.peers is False and link.peer_problem}
    lines += [f"Where two do not reach each other: {reason}" for reason in sorted(reasons)]
    if any(link.peers is None for link in wiring.links.values()):
        lines.append("Of some pairs the driver does not tell whether they reach each other.")
    return [*lines, *_derived(wiring)]


def _derived(wiring: Wiring) -> list[str]:
    """What follows from the links."""
    graph, numbers = wiring.graph(), [gpu.index for gpu in wiring.gpus]
    found = derive(graph)
    groups = "; ".join(", ".join(str(numbers[gpu]) for gpu in group) for group in found.topology.groups)
    sure = "no ring has better links" if best_ring(graph).exhaustive else "the best ring that a search found"
    return [
        f"Ring: {', '.join(map(str, wiring.ring))} ({sure})",
        f"Groups of --network_topology=auto, if every GPU has a tower: {groups} ({found.why})",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.topology",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--output", type=report.json_file, metavar="FILE.json", help="also write it as JSON")
    parser.add_argument(
        "--wiring", type=report.file, metavar="FILE", help="tell and draw that of another machine, which --output wrote"
    )
    parser.add_argument(
        "--picture", type=report.file, metavar="FILE.svg", help="also draw it (.svg, .png or .pdf; needs matplotlib)"
    )
    parser.add_argument("--measure", action="store_true", help="also measure copies between the devices")
    parser.add_argument(
        "--repeats", type=_repeats, default=REPEATS, metavar="N", help=f"of --measure, at least 2 (default {REPEATS})"
    )
    return parser


def _repeats(text: str) -> int:
    number = count(text)
    if number < 2:
        raise argparse.ArgumentTypeError("must be at least 2: one says nothing of the next")
    return number
