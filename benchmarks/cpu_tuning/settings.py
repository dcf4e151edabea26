"""What can be set for a run on the CPU, and which of it to try. Numbers in, settings out."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks.params.params import Params
from benchmarks.params.resolve import intra_threads

LAYOUTS = ("NHWC", "NCHW")
TENSORFLOW_DECIDES = 0  # threads: it has as many as there are processors


class Setting(NamedTuple):
    """One way to run: so many `towers`, in this layout, with so many threads within an operation and across them."""

    towers: int
    data_format: str
    intra_threads: int
    inter_threads: int

    def flags(self, images: int) -> dict[str, Any]:
        """The flags of a run of it, with so many `images` a step over all towers."""
        return {
            "device": "cpu",
            "num_gpus": self.towers,
            "batch_size": images // self.towers,
            "data_format": self.data_format,
            "num_intra_threads": self.intra_threads,
            "num_inter_threads": self.inter_threads,
        }


def settings(params: Params, given: Collection[str], images: int, cores: int) -> list[Setting]:
    """What to try of a run with `images` a step on `cores` processors; the first is what `params` say as they are.

    What is among the `given` flags stays as it is. Towers are powers of two up to the processors, each with as many
    images. Threads within an operation: all, a tower's share of the processors, or half of that; across operations:
    all, or one for each tower.
    """
    as_it_is = _as_it_is(params, cores)
    found = [as_it_is]
    for towers in _towers(params, given, images, cores):
        share = max(1, cores // towers)
        own = intra_threads(dataclasses.replace(params, device="cpu", num_gpus=towers), cores) or TENSORFLOW_DECIDES
        within = [own] if "num_intra_threads" in given else [own, TENSORFLOW_DECIDES, share, max(1, share // 2)]
        across = [params.num_inter_threads] if _fixed_across(params, given) else [TENSORFLOW_DECIDES, towers]
        layouts = [as_it_is.data_format] if "data_format" in given and params.data_format != "auto" else LAYOUTS
        found += [
            Setting(towers, layout, _threads(intra, cores), _threads(inter, cores))
            for layout in layouts
            for intra in within
            for inter in across
        ]
    return list(dict.fromkeys(found))


def _as_it_is(params: Params, cores: int) -> Setting:
    within = intra_threads(dataclasses.replace(params, device="cpu"), cores) or TENSORFLOW_DECIDES
    layout = LAYOUTS[0] if params.data_format == "auto" else params.data_format
    return Setting(params.num_gpus, layout, _threads(within, cores), _threads(params.num_inter_threads, cores))


def _towers(params: Params, given: Collection[str], images: int, cores: int) -> Iterable[int]:
    """Numbers of towers that can share `images`; independent towers are trainings of their own, and stay as many."""
    if "num_gpus" in given or params.variable_update == "independent":
        return [params.num_gpus]
    return [count for count in _powers_of_two(cores) if images % count == 0]


def _powers_of_two(most: int) -> Iterator[int]:
    count = 1
    while count <= most:
        yield count
        count *= 2


def _fixed_across(params: Params, given: Collection[str]) -> bool:
    """Operations that wait for one another, as collective ones do, could wait for ever for a thread."""
    return "num_inter_threads" in given or "collective" in (params.all_reduce_spec or params.variable_update)


def _threads(number: int, cores: int) -> int:
    """As many threads as there are processors is what TensorFlow has anyway."""
    return TENSORFLOW_DECIDES if number == cores else number
