"""What vendors say of accelerators, and which name means which."""

import csv
import functools
import re
from typing import NamedTuple

from results.reference import FOLDER

# As drivers report a device -> as the table has it; only where the words themselves differ.
_ALIASES = {
    "h100 80gb hbm3": "H100-SXM5-80GB",
    "h100 pcie": "H100-PCIE-80GB",
    "h200": "H200-SXM-141GB",
    "a100 pcie 80gb": "A100-PCIE-80GB",
    "a100 80gb pcie": "A100-PCIE-80GB",
    "gtx 1080 ti": "GTX-1080Ti",
    "gtx titan x": "Titan-X-Maxwell",  # that of 2015; of 2016 is "NVIDIA TITAN X (Pascal)"
}
RATED_POWER = "rated board power (TDP), not measured"  # what the watts of the table are, in words for readers
_VENDOR_WORDS = {"nvidia", "tesla", "geforce", "amd"}


class Power(NamedTuple):
    """Watts of one device, and what they are."""

    watts: float
    basis: str


def thermal_design_power(accelerator: str) -> Power | None:
    """The vendor's thermal design power of one device, from hardware.csv; None where it is not known there."""
    if words(accelerator) == ("k80",):  # the power is known of the board, which has two of the devices
        return Power(_watts()["k80 board"] / 2, "half of the board's TDP")
    watts = _watts().get(" ".join(words(listed(accelerator))))
    return None if watts is None else Power(watts, "TDP")


def listed(accelerator: str) -> str:
    """The name that hardware.csv has for what drivers call `accelerator`; itself where that differs in no word."""
    return _ALIASES.get(" ".join(words(accelerator)), accelerator)


def matches(name: str, accelerator: str) -> bool:
    """Whether `name` ("P100", "A100-40GB") means `accelerator` ("Tesla P100-SXM2-16GB"): all its words are in it.

    A part of a GPU ("NVIDIA A100-SXM4-40GB MIG 1g.5gb") is not the GPU.
    """
    wanted, found = set(words(name)), set(words(accelerator))
    return bool(wanted) and wanted <= found and ("mig" in wanted) == ("mig" in found)


def words(name: str) -> tuple[str, ...]:
    """The words of a device's name in lower case, without the vendor's."""
    return tuple(word for word in re.findall(r"[a-z0-9]+", name.lower()) if word not in _VENDOR_WORDS)


@functools.cache
def _watts() -> dict[str, float]:
    with (FOLDER / "hardware.csv").open(encoding="utf-8", newline="") as stream:
        return {
            " ".join(words(row["accelerator"])): float(row["tdp_w"]) for row in csv.DictReader(stream) if row["tdp_w"]
        }
