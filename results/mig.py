"""Which parts of GPUs (MIG) a run may have computed on, as its record tells.

Of a machine with such parts CUDA shows a process one of them, and no whole GPU but one that is named by its UUID.
Source: NVIDIA's MIG user guide, "CUDA Device Enumeration".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from results.record import RunRecord
from results.schema import section

VISIBLE = "CUDA_VISIBLE_DEVICES"


def part_names(record: RunRecord, gpus: Sequence[object]) -> list[str]:
    """The distinct names of the parts of `gpus`, those of the run as far as they are known, one of which it was.

    There are none where these were whole, or nothing is told. "NVIDIA H200 MIG 1g.18gb" is one. Of a split
    GPU whose parts or their names are not told, the name ends with MIG.
    """
    visible = section(record.environment, "variables").get(VISIBLE)
    named = [entry.strip() for entry in visible.split(",")] if isinstance(visible, str) else []
    found = list(_dicts(gpus))
    if of_uuid := [gpu for gpu in found if _begins(gpu.get("uuid"), "GPU-", named)]:
        found = of_uuid
    parts = [part for gpu in found if gpu.get("mig") is True for part in _parts(gpu)]
    chosen = [part for part in parts if _begins(part["uuid"], "MIG-", named)] or parts
    return list(dict.fromkeys(part["name"] for part in chosen))


def _parts(gpu: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name and UUID of each part of a split GPU."""
    unnamed = f"{gpu.get('name') or 'GPU'} MIG"
    parts = list(_dicts(gpu.get("mig_parts"))) or [{}]
    return [{"name": str(part.get("name") or unnamed), "uuid": part.get("uuid")} for part in parts]


def _begins(uuid: object, kind: str, named: list[str]) -> bool:
    """Whether one of the entries `named` is the beginning of a `uuid`, all of that `kind`."""
    return isinstance(uuid, str) and any(entry.startswith(kind) and uuid.startswith(entry) for entry in named)


def _dicts(found: object) -> Iterator[dict[str, Any]]:
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, dict))
