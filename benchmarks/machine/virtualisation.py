"""Whether this machine is a guest, and whether this process is in a container.

The signs are those that systemd-detect-virt goes by (systemd's documentation of it lists what it tells apart), read
from files: no program is run, and no right is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.machine.files import ROOT, exists, read_text, word
from benchmarks.machine.processors import cpuinfo, instructions

NONE = "none"
UNKNOWN_GUEST = "vm-other"
# What firmware calls itself, and who makes such guests; the first that fits counts.
_VENDORS = {
    "KVM": "kvm",
    "OpenStack": "kvm",
    "KubeVirt": "kvm",
    "Amazon EC2": "amazon",
    "QEMU": "qemu",
    "VMware": "vmware",
    "VMW": "vmware",
    "innotek GmbH": "oracle",
    "VirtualBox": "oracle",
    "Xen": "xen",
    "Bochs": "bochs",
    "Parallels": "parallels",
    "BHYVE": "bhyve",
    "Hyper-V": "microsoft",
    "Microsoft Corporation": "microsoft",
    "Apple Virtualization": "apple",
    "Google Compute Engine": "google",
    "Google": "google",
    "Alibaba Cloud": "kvm",
}
_FIRMWARE = ("product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version")
_GROUPS = {
    "kubepods": "kubernetes",
    "docker": "docker",
    "libpod": "podman",
    "containerd": "containerd",
    "lxc": "lxc",
    "machine.slice": "systemd-nspawn",
}


def virtualisation(root: Path = ROOT) -> dict[str, str | None]:
    """Return `kind`, what this machine is a guest of ("none": of nothing; None: not known), and firmware's names.

    `product` and `vendor` are the firmware's; clouds put the kind of machine there. Serial numbers are not read.
    """
    firmware = {name: word(root / "sys/class/dmi/id" / name) for name in _FIRMWARE}
    return {"kind": _kind(root, firmware), "product": firmware["product_name"], "vendor": firmware["sys_vendor"]}


def container(root: Path = ROOT, variables: Mapping[str, str] = os.environ) -> str | None:
    """Return what kind of container this process is in; None where there is no sign of one."""
    if variables.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    groups = read_text(root / "proc/self/cgroup") + read_text(root / "proc/1/cgroup")
    signs = {name: kind for name, kind in _GROUPS.items() if re.search(rf"[/:-]{re.escape(name)}", groups)}
    if "kubepods" in signs:
        return "kubernetes"
    if exists(root / "run/.containerenv"):
        return "podman"
    if exists(root / ".dockerenv"):
        return "docker"
    if exists(root / ".singularity.d"):
        return "apptainer"
    told = word(root / "run/systemd/container") or variables.get("container")
    if told and re.fullmatch(r"[\w-]{1,32}", told):
        return told
    if re.search("microsoft", read_text(root / "proc/sys/kernel/osrelease"), re.IGNORECASE):
        return "wsl"
    return next(iter(signs.values()), None)


def _kind(root: Path, firmware: Mapping[str, str | None]) -> str | None:
    """Where a processor says whether there is a hypervisor, firmware only names it: metal of EC2 has EC2's firmware."""
    facts = cpuinfo(root)
    named = next(
        (kind for sign, kind in _VENDORS.items() for told in firmware.values() if told and told.startswith(sign)), None
    )
    if word(root / "sys/hypervisor/type") == "xen":
        return named if named == "amazon" else "xen"
    if "flags" in facts:  # x86
        return (named or UNKNOWN_GUEST) if "hypervisor" in instructions(facts) else NONE
    if exists(root / "proc/device-tree/hypervisor") or exists(root / "proc/device-tree/fw-cfg@9020000"):
        return named or UNKNOWN_GUEST
    if named == "amazon" and (firmware["product_name"] or "").endswith("metal"):
        return NONE
    return named
