"""Which GPU has which number in CUDA, and so in TensorFlow.

NVML numbers GPUs by their PCI addresses; CUDA's numbers follow CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER.
Source: CUDA driver API, https://docs.nvidia.com/cuda/cuda-driver-api, "Device Management".
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

LIBRARY = "libcuda.so.1"
_ADDRESS = 32  # characters; 00000000:00:00.0 has 16


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
