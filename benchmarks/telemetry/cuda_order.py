"""Which GPU has which number in CUDA, and so in TensorFlow.

NVML numbers GPUs by their PCI addresses; CUDA's numbers follow CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER. What these
say can be read before CUDA is started, and CUDA tells what it has made of them.
Sources: CUDA driver API, https://docs.nvidia.com/cuda/cuda-driver-api, "Device Management"; CUDA C++ Programming Guide,
"CUDA Environment Variables".
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

LIBRARY = "libcuda.so.1"
_ADDRESS = 32  # characters; 00000000:00:00.0 has 16


class Listed(Protocol):
    """A GPU as NVML lists it; None where it does not tell."""

    @property
    def index(self) -> int:
        """NVML's number."""

    @property
    def name(self) -> str | None:
        """The model."""

    @property
    def uuid(self) -> str | None:
        """What no other GPU has."""

    @property
    def mig_parts(self) -> int:
        """Into how many parts MIG splits it; 0 for a whole one."""


Gpu = TypeVar("Gpu", bound=Listed)


@dataclass(frozen=True)
class Shown(Generic[Gpu]):
    """The `gpus` that a process is shown; `in_order`: their places are CUDA's numbers.

    `no_gpu` is the first entry of CUDA_VISIBLE_DEVICES that is none, or is one twice; "" where there is none such, or
    where it says that no more be seen (-1, or nothing).
    """

    gpus: list[Gpu]
    in_order: bool
    no_gpu: str = ""


def shown(gpus: Sequence[Gpu], variables: Mapping[str, str]) -> Shown[Gpu] | None:
    """Those of all `gpus` of a machine that CUDA shows under the environment `variables`; None where it is not known.

    CUDA_VISIBLE_DEVICES has CUDA's numbers, or beginnings of UUIDs; what follows the first that is neither is not seen.
    CUDA puts the fastest first unless CUDA_DEVICE_ORDER says otherwise, so where models differ, or one is not told,
    its numbers are not NVML's; and parts of GPUs (MIG) have other UUIDs. Where any are there to be seen, CUDA shows one
    part alone, the first, and no whole GPU (NVIDIA's MIG user guide, "CUDA Device Enumeration").
    """
    numbered = len({gpu.name for gpu in gpus}) < 2 or variables.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    named = variables.get("CUDA_VISIBLE_DEVICES")
    split = [gpu for gpu in gpus if gpu.mig_parts]
    if named is None and split:
        return Shown(split[:1], in_order=True) if numbered or len(split) == 1 else None
    if named is None:
        return Shown(list(gpus), numbered)
    if split and len(gpus) > 1:
        numbered = False  # whose numbers are those of GPUs then, and whose of parts, is not told
    found: list[Gpu] = []
    no_gpu = ""
    for entry in map(str.strip, named.split(",")):
        of_number = re.fullmatch(r"[0-9]{1,6}", entry)
        if entry.startswith("MIG") or (of_number and not numbered):
            return None
        match = [gpu for gpu in gpus if (gpu.index == int(entry) if of_number else _has_uuid(gpu, entry))]
        if len(match) != 1 or match[0] in found:
            no_gpu = "" if entry == "-1" else entry
            break
        found += match
    return Shown([gpu for gpu in found if gpu.mig_parts][:1] or found, in_order=True, no_gpu=no_gpu)


def _has_uuid(gpu: Listed, beginning: str) -> bool:
    return beginning.startswith("GPU-") and (gpu.uuid or "").startswith(beginning)


def bus_addresses(library: str = LIBRARY) -> list[str | None] | str:
    """The PCI address of each GPU in the order of CUDA's numbers, as `wiring.Gpu.bus`; or why CUDA cannot tell.

    Starts CUDA in this process if nobody has, but takes no memory on any GPU.
    """
    try:
        cuda = ctypes.CDLL(library)
    except OSError as error:
        return f"CUDA's driver library cannot be loaded: {error}"
    count, device, address = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(_ADDRESS)
    found: list[str | None] = []
    try:
        _call(cuda, "cuInit", 0)
        _call(cuda, "cuDeviceGetCount", ctypes.byref(count))
        for number in range(count.value):
            _call(cuda, "cuDeviceGet", ctypes.byref(device), number)
            _call(cuda, "cuDeviceGetPCIBusId", address, _ADDRESS, device)
            found.append(normal(address.value.decode(errors="replace")))
    except _CudaError as error:
        return str(error)
    return found


def unloadable() -> str:
    """Why CUDA's driver library cannot be loaded, without which no process computes on a GPU; "" where it can be."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError as error:
        return str(error)
    return ""


def normal(address: str) -> str | None:
    """A PCI address always with a domain of 8 digits, lower case: 00000000:1b:00.0; None where it is none."""
    match = re.fullmatch("([0-9a-f]+):([0-9a-f]+:[0-9a-f]+[.][0-9a-f]+)", address.strip().lower())
    return match and f"{int(match[1], 16):08x}:{match[2]}"


def bus(pci: Any) -> str | None:
    """The address in what NVML tells of PCI, in the form of `normal`; None where there is none."""
    if pci is None:
        return None
    return normal(pci.busId.decode(errors="replace") if isinstance(pci.busId, bytes) else str(pci.busId))


class _CudaError(Exception):
    """A function of CUDA failed."""


def _call(cuda: ctypes.CDLL, function: str, *arguments: object) -> None:
    try:
        status = getattr(cuda, function)(*arguments)
    except AttributeError as error:
        raise _CudaError(f"CUDA's driver library has no {function}") from error
    if status:
        raise _CudaError(f"{function} of CUDA failed with error {status}")
