"""Machines as trees of files, in place of the kernel's."""

import pytest

from benchmarks.machine.main_memory import memory
from benchmarks.machine.processors import caches, clocks, numa_nodes, processors, throttle_events
from benchmarks.machine.virtualisation import container, virtualisation

CPUS = "sys/devices/system/cpu"
CACHES = {"index0": ("1", "Data", "32K"), "index1": ("1", "Instruction", "32K"), "index2": ("2", "Unified", "1024K")}


@pytest.fixture
def put(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def xeon():
    """Two cores with caches of their own and a third level that they share, throttled a few times."""
    files = {f"{CPUS}/intel_pstate/no_turbo": "0\n", f"{CPUS}/smt/active": "1\n"}
    files |= {"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "250000 100000\n"}
    for core in (0, 1):
        for index, (level, kind, size) in CACHES.items():
            folder = f"{CPUS}/cpu{core}/cache/{index}"
            files |= {f"{folder}/level": level, f"{folder}/type": kind, f"{folder}/size": f"{size}\n"}
            files |= {f"{folder}/shared_cpu_list": f"{core}\n"}
        folder = f"{CPUS}/cpu{core}/cache/index3"
        files |= {f"{folder}/level": "3", f"{folder}/type": "Unified", f"{folder}/size": "36M"}
        files |= {f"{folder}/shared_cpu_list": "0-1\n", f"{CPUS}/cpu{core}/thermal_throttle/core_throttle_count": "3\n"}
        policy = f"{CPUS}/cpufreq/policy{core}"
        files |= {f"{policy}/scaling_governor": "powersave\n", f"{policy}/scaling_driver": "intel_pstate\n"}
        files |= {f"{policy}/cpuinfo_max_freq": "3900000\n", f"{policy}/scaling_max_freq": "2400000\n"}
    for node in (0, 1):
        folder = f"sys/devices/system/node/node{node}"
        files |= {
            f"{folder}/cpulist": f"{node}-{node + 4},9\n",
            f"{folder}/meminfo": f"Node {node} MemTotal:  1024 kB\n",
        }
    return files


def test_a_server_with_two_nodes(put):
    root = put(xeon())
    assert [(each["level"], each["type"], each["bytes"], each["count"]) for each in caches(root)] == [
        (1, "Data", 32768, 2), (1, "Instruction", 32768, 2), (2, "Unified", 2**20, 2), (3, "Unified", 36 * 2**20, 1),
    ]  # fmt: skip
    assert clocks(root) == {
        "governor": "powersave",
        "frequency_driver": "intel_pstate",
        "turbo": True,
        "most_mhz": 3900,
        "limit_mhz": 2400,
    }
    assert throttle_events(root) == 6
    assert (processors(root)["smt"], processors(root)["quota_cores"]) == (True, 2.5)
    assert numa_nodes(root)[1] == {"node": 1, "processors": "1-5,9", "cores": 6, "memory_bytes": 2**20}


def test_governors_that_differ_are_all_told(put):
    files = xeon() | {f"{CPUS}/cpufreq/policy1/scaling_governor": "performance", f"{CPUS}/intel_pstate/no_turbo": "1"}
    root = put(files)
    assert clocks(root)["governor"] == "performance and powersave"
    assert clocks(root)["turbo"] is False


def test_boost_of_other_drivers_is_turbo_too(put):
    assert clocks(put({f"{CPUS}/cpufreq/boost": "1\n"}))["turbo"] is True


def test_memory_with_swap_and_large_pages(put):
    found = memory(
        put(
            {
                "proc/meminfo": "MemTotal:  2048 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\nHugePages_Total: 7\n"
                "Hugepagesize: 2048 kB\n",
                "proc/self/cgroup": "0::/job\n",
                "sys/fs/cgroup/job/memory.max": f"{2**20}\n",
                "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
            }
        )
    )
    assert found == {
        "total_bytes": 2**21,
        "limit_bytes": 2**20,
        "swap_bytes": 102400,
        "swap_used_bytes": 61440,
        "transparent_huge_pages": "never",
        "huge_pages": 7,
        "huge_page_bytes": 2**21,
    }


GUEST, METAL = "processor: 0\nflags: fpu hypervisor\n", "processor: 0\nflags: fpu\n"
DMI = "sys/class/dmi/id"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"proc/cpuinfo": METAL}, "none"),
        ({"proc/cpuinfo": GUEST}, "vm-other"),
        ({"proc/cpuinfo": METAL, f"{DMI}/sys_vendor": "Amazon EC2"}, "none"),  # an instance of metal
        ({"proc/cpuinfo": GUEST, f"{DMI}/sys_vendor": "Amazon EC2", f"{DMI}/product_name": "p3.2xlarge"}, "amazon"),
        ({"proc/cpuinfo": GUEST, f"{DMI}/product_name": "Google Compute Engine"}, "google"),
        ({"proc/cpuinfo": GUEST, f"{DMI}/sys_vendor": "Microsoft Corporation"}, "microsoft"),
        ({"proc/cpuinfo": GUEST, f"{DMI}/sys_vendor": "QEMU", f"{DMI}/product_name": "KVM"}, "kvm"),
        ({"proc/cpuinfo": METAL, "sys/hypervisor/type": "xen\n"}, "xen"),
        ({"proc/cpuinfo": "Features: asimd\n", f"{DMI}/sys_vendor": "QEMU"}, "qemu"),
        ({"proc/cpuinfo": "Features: asimd\n"}, None),
        ({}, None),
    ],
)
def test_what_a_machine_is_a_guest_of(put, files, kind):
    found = virtualisation(put(files))
    assert found["kind"] == kind
    assert found["product"] == files.get(f"{DMI}/product_name")


@pytest.mark.parametrize(
    ("files", "variables", "kind"),
    [
        ({}, {}, None),
        ({".dockerenv": ""}, {}, "docker"),
        ({"run/.containerenv": ""}, {}, "podman"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"proc/self/cgroup": "0::/kubepods.slice/pod1\n"}, {}, "kubernetes"),
        ({"proc/self/cgroup": "4:cpu:/docker/0123abcd\n"}, {}, "docker"),
        ({"proc/self/cgroup": "0::/user.slice/docker-fans\n"}, {}, "docker"),
        ({"proc/self/cgroup": "0::/user.slice/session-1.scope\n"}, {}, None),
        ({"run/systemd/container": "lxc\n"}, {}, "lxc"),
        ({}, {"container": "systemd-nspawn"}, "systemd-nspawn"),
        ({}, {"container": "a secret; word"}, None),
        ({"proc/sys/kernel/osrelease": "5.15.0-microsoft-standard-WSL2"}, {}, "wsl"),
        ({".singularity.d/env": ""}, {}, "apptainer"),
    ],
)
def test_what_container_this_is(put, files, variables, kind):
    assert container(put(files), variables) == kind


def test_a_tree_without_anything_is_not_known(tmp_path):
    assert caches(tmp_path) == numa_nodes(tmp_path) == []
    assert set(clocks(tmp_path).values()) == {None}
    assert throttle_events(tmp_path) is None
    assert set(memory(tmp_path).values()) == {None}


def test_what_is_odd_is_not_known(put):
    root = put(
        dict.fromkeys(xeon(), "nonsense \x00 9\n") | {"proc/meminfo": ":::\nMemTotal: lots\n", "proc/cpuinfo": ":"}
    )
    assert caches(root) == []
    assert clocks(root)["turbo"] is clocks(root)["most_mhz"] is throttle_events(root) is None
    assert numa_nodes(root)[0]["memory_bytes"] is None
    assert memory(root)["total_bytes"] is None
    assert virtualisation(root)["kind"] is None


def test_a_folder_in_place_of_a_file_is_not_known(tmp_path):
    (tmp_path / "proc/meminfo").mkdir(parents=True)
    assert memory(tmp_path)["total_bytes"] is None
