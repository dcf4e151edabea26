"""Checks of what is between the GPUs of a run.

Source for ACS and IOMMU: NCCL's user guide, "Troubleshooting", GPU Direct.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.machine.virtualisation import NONE
from benchmarks.preflight.facts import Facts
from benchmarks.preflight.finding import Finding, alike, listed, tells, warns
from benchmarks.preflight.gpu_facts import GpuFacts
from benchmarks.telemetry.wiring import Link
from variable_mgr.link_graph import components


def peers(facts: Facts) -> Iterator[Finding]:
    """They reach each other's memory."""
    links = list(_links(facts))
    apart = [link for link in links if link.peers is False]
    if not apart:
        return
    reasons = " and ".join(sorted({link.peer_problem for link in apart if link.peer_problem}))
    whole = _whole(facts)
    severe = tells if whole else warns
    yield severe(
        f"{len(apart)} of {len(links)} pairs of GPUs do not reach each other's memory"
        + (f" ({reasons})" * bool(reasons)),
        "what they exchange goes over others of the run that do"
        if whole
        else "what they exchange goes through the host's memory",
        "python -m benchmarks.topology shows which"
        + ("; --all_reduce_spec=nccl goes by links that there are" if whole else f"; {_way_to_peers(facts)}"),
    )


def links_down(facts: Facts) -> Iterator[Finding]:
    """NVLinks that lead somewhere are in use.

    Of a card whose links are all inactive, no bridge was put on them; but where links of the run's others lead to
    switches, its own do too. One GPU alone sends nothing over them.
    """
    if len(facts.gpus.used) < 2:
        return
    switched = any(link.switched for link in _links(facts))

    def down(gpu: GpuFacts) -> int | None:
        return (len(gpu.nvlinks) - sum(gpu.nvlinks) or None) if switched or any(gpu.nvlinks) else None

    for group in alike(facts.gpus.used, down):
        links, gpu = group[0].nvlinks, [each.index for each in group]
        yield warns(
            f"{len(links) - sum(links)} of {len(links)} NVLinks of GPU {listed(gpu)} are not active",
            "gradients take the slower way, over the links that are left or PCIe",
            "nvidia-smi nvlink --status and --errorcounters say more; where bridges or switches (nvidia-fabricmanager) "
            "are as they should be, reset the GPUs",
        )


def translation(facts: Facts) -> Iterator[Finding]:
    """What GPUs send each other over PCIe goes straight."""
    over_pcie = [link for link in _links(facts) if link.peers and not link.nvlinks]
    if facts.host.iommu and facts.host.guest == NONE and over_pcie:
        yield warns(
            "An IOMMU translates what PCIe devices send, and GPUs reach each other over PCIe",
            "copies between them may go through the processor, be slow, or be lost",
            "Start Linux with iommu=pt, or turn it off in the firmware (VT-d, AMD-Vi), with ACS of PCIe switches",
        )


def _links(facts: Facts) -> Iterator[Link]:
    """What is between any two GPUs of the run."""
    if facts.gpus.wiring is None:
        return
    used = {gpu.index for gpu in facts.gpus.used}
    yield from (link for pair, link in facts.gpus.wiring.links.items() if used.issuperset(pair))


def _whole(facts: Facts) -> bool:
    """Whether all GPUs of the run reach each other, if need be over others of the run."""
    if facts.gpus.wiring is None:
        return False
    links, used = facts.gpus.wiring.links, sorted(gpu.index for gpu in facts.gpus.used)

    def peers(one: int, other: int) -> bool:
        link = links.get((used[min(one, other)], used[max(one, other)]))
        return link is not None and bool(link.peers)

    return len(components(len(used), peers)) == 1


def _way_to_peers(facts: Facts) -> str:
    if facts.gpus.wiring and any(link.peers for link in facts.gpus.wiring.links.values()):
        return "--gpu_indices takes GPUs that do; --local_parameter_device=cpu keeps variables where all reach them"
    if facts.host.guest not in (None, NONE):
        return "a guest sees what its host lets it see: ask for GPUs that are passed through together"
    return (
        "where the GPUs support it, ACS of PCIe switches (lspci -vvv, ACSCtl) and the IOMMU stand in the way; "
        "--local_parameter_device=cpu keeps variables where all reach them"
    )
