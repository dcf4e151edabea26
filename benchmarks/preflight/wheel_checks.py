"""Checks of the GPUs against the TensorFlow that is installed: kernels, CUDA, driver.

Sources: TensorFlow's configure.py (a capability written compute_90 has binary code for 9.0 and PTX, sm_80 binary code
alone), its release notes (2.17: no 5.x any more) and build information (2.14.1 has 3.5, 2.15 does not); NVIDIA's CUDA
C++ Programming Guide (binary code runs on the same and later minor capabilities of a major one, PTX on all later ones)
and CUDA Compatibility (drivers that each major release of CUDA needs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.machine.software import capabilities
from benchmarks.preflight.facts import Facts
from benchmarks.preflight.finding import Finding, alike, stops, tells, warns
from benchmarks.preflight.gpu_checks import named

_LEAST_DRIVER = {11: "450.80", 12: "525.60", 13: "580"}
# The last release of TensorFlow for GPUs up to a capability, and how to get it.
_LAST_RELEASES = {
    (3, 4): "",
    (4, 99): "2.14.1",
    (5, 99): "2.16.2",
}
_INSTALLED_BY = {
    "2.14.1": "on Python 3.10 or 3.11 with CUDA 11.8: python3.10 -m venv .venv && .venv/bin/python -m pip install -r "
    'requirements.txt "tensorflow==2.14.1"',
    "2.16.2": 'pip install "tensorflow[and-cuda]==2.16.2"',
}


def with_cuda(facts: Facts) -> Iterator[Finding]:
    """TensorFlow was built for GPUs of NVIDIA."""
    if facts.built.get("is_cuda_build") is False and facts.gpus.used and not facts.built.get("is_rocm_build"):
        severe = stops if facts.surely_on_gpus else warns
        yield severe(
            f"TensorFlow {facts.version} was built without CUDA, and there are NVIDIA GPUs",
            "it computes on the CPU only",
            "Install tensorflow[and-cuda] in its place, or pass --device=cpu",
        )


def kernels(facts: Facts) -> Iterator[Finding]:
    """It has code for these GPUs."""
    built = capabilities(dict(facts.built))
    if not built:
        return
    for group in alike(facts.gpus.used, lambda gpu: gpu.capability and (gpu.name, gpu.capability)):
        capability = group[0].capability
        assert capability is not None, "left out above"
        way = code_for(capability, facts.built)
        of = f"{named(group)} {'has' if len(group) == 1 else 'have'} compute capability {_dotted(capability)}"
        if way is None:
            severe = stops if facts.surely_on_these else warns
            to_cpu = not facts.surely_on_gpus and facts.gpus.certain
            yield severe(
                f"{of}, for which TensorFlow {facts.version} has no code (it has {', '.join(built)})",
                "it leaves such GPUs out" + (", and the run goes to the CPU" if to_cpu else ""),
                _way_out(capability),
            )
        elif way == "PTX":
            yield tells(
                f"{of}, for which TensorFlow {facts.version} has PTX only",
                "the driver compiles it at the first start, which may take half an hour; no figure has that time but "
                "that of the first step",
                "Let CUDA keep what it compiled: CUDA_CACHE_MAXSIZE=4294967296; or take a TensorFlow that was built "
                "for these GPUs",
            )


def driver_for_cuda(facts: Facts) -> Iterator[Finding]:
    """The driver is new enough."""
    needed, found = _release(facts.built.get("cuda_version")), facts.gpus.cuda
    # Who has GPUs without code for them needs another TensorFlow; the newest drivers may not know them either.
    served = [gpu for gpu in facts.gpus.used if gpu.capability is None or code_for(gpu.capability, facts.built)]
    if not needed or not found or not served or found >= needed:
        return
    of = f"The driver ({facts.gpus.driver}) is made for CUDA up to {_dotted(found)}"
    if found[0] < needed[0]:
        severe = stops if facts.surely_on_gpus else warns
        yield severe(
            f"{of}, and TensorFlow {facts.version} was built with {_dotted(needed)}",
            "its kernels do not start",
            f"Update the driver to {_LEAST_DRIVER.get(needed[0], 'one for it')} or later, or install a TensorFlow for "
            f"CUDA {found[0]}",
        )
    else:
        yield tells(
            f"{of}, and TensorFlow {facts.version} was built with {_dotted(needed)}",
            "that works, but the driver cannot compile this PTX, which XLA and newer GPUs may need",
            "Update the driver",
        )


def code_for(capability: tuple[int, int], built: Mapping[str, Any]) -> str | None:
    """Return what TensorFlow, `built` so, runs on GPUs of this capability: "binary", "PTX" or None."""
    known = [(kind, _capability(digits)) for kind, digits in _parsed(built)]
    if any(has[0] == capability[0] and has <= capability for _, has in known):
        return "binary"
    return "PTX" if any(kind == "compute" and has <= capability for kind, has in known) else None


def _parsed(built: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for text in capabilities(dict(built)):
        if match := re.fullmatch(r"(sm|compute)_(\d{2,3})[af]?", text):
            yield match[1], match[2]


def _capability(digits: str) -> tuple[int, int]:
    return int(digits[:-1]), int(digits[-1])


def _way_out(capability: tuple[int, int]) -> str:
    release = next((release for most, release in _LAST_RELEASES.items() if capability <= most), None)
    if release is None:
        return "Install a TensorFlow that has code for them, or pass --device=cpu"
    if not release:
        return "No TensorFlow that this benchmark runs on has; pass --device=cpu"
    return f"Install TensorFlow {release}, the last release for them, {_INSTALLED_BY[release]}; or pass --device=cpu"


def _release(text: Any) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", str(text))
    return (int(match[1]), int(match[2])) if match else None


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"
