"""Checks of host and run over facts made up, and the facts over trees of files."""

import shutil

import pytest

import models
from benchmarks.optimizers import LARS, SCALAR_SLOTS, Adam, Momentum, Optimizer, RMSProp
from benchmarks.params import Params
from benchmarks.preflight.checks import CHECKS, findings
from benchmarks.preflight.command import table
from benchmarks.preflight.facts import Disk, Facts, HostFacts, host, read
from benchmarks.preflight.finding import in_bytes, listed
from benchmarks.preflight.need import NUMBERS_REMEMBERED, need
from benchmarks.preflight.wheel_checks import code_for

CPU = Params(device="cpu")
GOOD = HostFacts(
    usable_cores=8,
    governor="performance",
    turbo=False,
    most_mhz=3900,
    limit_mhz=3900,
    throttle_events=0,
    swap_used_bytes=0,
    available_bytes=10**12,
    guest="none",
    cpu_share_of_others=0.02,
    stolen_share=0.0,
)


def test_a_quiet_machine_has_no_findings():
    assert findings(Facts(params=CPU, host=GOOD)) == []


def test_what_is_not_known_is_not_guessed():
    assert findings(Facts(params=CPU)) == []


@pytest.mark.parametrize(
    ("changes", "check", "severity", "words"),
    [
        ({"cpu_share_of_others": 0.4}, "load", "warns", "Other processes take 40% of the processors now"),
        ({"stolen_share": 0.07}, "load", "warns", "The hypervisor takes 7%"),
        ({"quota_cores": 1.5}, "quota", "warns", "the time of 1.5 processors, and 8 may be used"),
        ({"governor": "powersave"}, "governor", "warns", "clocks is powersave"),
        ({"limit_mhz": 2400}, "clock_limit", "warns", "limited to 2400 MHz of 3900 MHz"),
        ({"swap_used_bytes": 2**30}, "swap", "warns", "1.1 GB of memory are swapped out"),
        ({"throttle_events": 1234}, "heat", "tells", "1,234 times"),
        ({"turbo": True}, "turbo", "tells", "Turbo is on"),
        ({"guest": "kvm"}, "guest", "tells", "a guest (kvm)"),
    ],
)
def test_a_host_that_spoils_figures(changes, check, severity, words):
    facts = Facts(params=CPU, host=HostFacts(**(vars(GOOD) | changes)))
    (finding,) = findings(facts)
    assert (finding.check, finding.severity.value) == (check, severity)
    assert words in finding.what


@pytest.mark.parametrize("changes", [{"quota_cores": 8.0}, {"limit_mhz": 3899.9}, {"swap_used_bytes": 2**20}])
def test_what_is_close_enough(changes):
    assert findings(Facts(params=CPU, host=HostFacts(**(vars(GOOD) | changes)))) == []


@pytest.mark.parametrize(
    ("disk", "params", "severity"),
    [
        (Disk("results_dir", "runs", 20_000), {}, "stops"),
        (Disk("results_dir", "runs", 120_000), {"num_batches": 10_000}, "stops"),
        (Disk("results_dir", "runs", 50_000_000), {}, "warns"),
        (Disk("results_dir", "runs", 10**12), {}, None),
        (Disk("train_dir", "t", 90_000_000), {"model": "resnet50"}, "stops"),  # its variables have 102 MB
        (Disk("train_dir", "t", 150_000_000), {"model": "resnet50", "optimizer": "momentum"}, "stops"),
        (Disk("train_dir", "t", 400_000_000), {"model": "resnet50"}, "warns"),
        (Disk("train_dir", "t", 10**12), {"model": "resnet50"}, None),
    ],
)
def test_disks(disk, params, severity):
    asked = Params(device="cpu", **params)
    found = findings(Facts(params=asked, disks=(disk,), need=need(asked)))
    assert [each.severity.value for each in found] == ([severity] if severity else [])
    assert all(f"--{disk.flag}={disk.folder}: " in each.what for each in found)


@pytest.mark.parametrize(
    ("params", "host", "built", "checked"),
    [
        ({}, {}, {}, True),  # no GPU anywhere
        ({}, {"driver_files": True}, {}, False),
        ({}, {}, {"is_rocm_build": True}, False),
        ({"num_gpus": 2}, {}, {}, False),
        ({"device": "gpu"}, {}, {}, False),
    ],
)
def test_a_run_that_will_be_on_the_cpu_needs_its_memory(params, host, built, checked):
    params = Params(model="resnet50", batch_size=10_000, **params)
    short = HostFacts(**vars(GOOD) | {"available_bytes": 10**9} | host)
    told = [each.check for each in findings(Facts(params=params, host=short, built=built, need=need(params)))]
    assert ("host_memory" in told) == checked


def test_memory_of_the_host_against_the_model():
    params = Params(device="cpu", model="vgg16", batch_size=64, num_gpus=2)
    short = HostFacts(**(vars(GOOD) | {"available_bytes": 8 * 10**9}))
    (finding,) = findings(Facts(params=params, host=short, need=need(params)))
    assert (finding.check, finding.severity.value) == ("host_memory", "warns")
    assert "vgg16 with 64 images a tower takes about" in finding.what


def test_what_a_tower_needs():
    params = Params(model="resnet50", batch_size=10, optimizer="adam", precision="fp16", num_gpus=2)
    found = need(params)
    parameters = 25_557_032
    assert (found.variables, found.remembered) == (4 * parameters, 8 * parameters)
    full = need(Params(model="resnet50", batch_size=10))
    assert 0.4 < found.activations / full.activations < 0.6
    assert found.copies == 1
    assert need(Params(model="resnet50", num_gpus=2, variable_update="replicated")).copies == 2
    assert need(Params(model="resnet50")).batch == models.get("resnet50", "imagenet").batch_size


MODES = [{"forward_only": True}, {"input_only": True}, {"eval": True}, {"find_batch_size": "max"}]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_what_does_not_train_or_tries_has_no_need(mode):
    assert need(Params(**mode)) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", Optimizer), ("momentum", Momentum), ("lars", LARS), ("rmsprop", RMSProp), ("adam", Adam)],
)
def test_what_an_optimizer_remembers(name, kind):
    assert NUMBERS_REMEMBERED[name] == len([slot for slot in kind.slots if slot not in SCALAR_SLOTS])


def test_data_that_does_not_fit_into_memory():
    (finding,) = findings(Facts(params=CPU, host=GOOD, data_bytes=2 * 10**12))
    assert (finding.check, finding.severity.value) == ("data", "tells")


NEW = ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]
OLD = ["sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80"]


@pytest.mark.parametrize(
    ("capability", "built", "way"),
    [
        ((3, 7), NEW, None),
        ((3, 7), OLD, "binary"),
        ((5, 2), NEW, None),
        ((6, 1), NEW, "binary"),
        ((7, 5), NEW, "binary"),
        ((8, 6), NEW, "binary"),
        ((9, 0), NEW, "binary"),
        ((10, 0), NEW, "PTX"),
        ((12, 0), NEW, "PTX"),
        ((9, 0), OLD, "PTX"),
        ((8, 0), ["sm_86"], None),
        ((12, 0), ["sm_100", "compute_120a"], "binary"),
        ((9, 0), ["nonsense"], None),
    ],
)
def test_what_a_wheel_has_for_a_gpu(capability, built, way):
    assert code_for(capability, {"cuda_compute_capabilities": built}) == way


def test_a_host_is_read_from_its_files(tmp_path):
    cpus = tmp_path / "sys/devices/system/cpu"
    (cpus / "cpufreq/policy0").mkdir(parents=True)
    (cpus / "cpufreq/policy0/scaling_governor").write_text("ondemand\n")
    (tmp_path / "sys/class/iommu/dmar0").mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/version").mkdir(parents=True)
    found = host(tmp_path)
    assert (found.governor, found.iommu, found.driver_files) == ("ondemand", True, True)
    assert found.cpu_share_of_others is None
    (tmp_path / "proc/cmdline").write_text("quiet iommu=pt\n")
    assert host(tmp_path).iommu is False


def test_this_machine_is_read(tmp_path):
    (tmp_path / "train-00000-of-00001").write_bytes(b"12345")
    folders = {"data_dir": str(tmp_path), "results_dir": str(tmp_path / "to" / "come")}
    params = Params(device="cpu", data_name="imagenet", **folders)
    facts = read(params, thorough=True)
    assert facts.host.usable_cores >= 1
    assert 0 <= facts.host.cpu_share_of_others <= 2
    assert facts.data_bytes == 5
    (disk,) = facts.disks
    assert disk.free_bytes == pytest.approx(shutil.disk_usage(tmp_path).free, abs=2**30)
    assert read(params).data_bytes is None


def test_the_table_tells_what_why_and_what_to_do():
    facts = Facts(params=CPU, host=HostFacts(usable_cores=8, guest="kvm", governor="powersave"), version="2.21.0")
    lines = table(facts, findings(facts)).splitlines()
    assert lines[0] == "TensorFlow 2.21.0, 8 processors, GPUs not looked at (--device=cpu)."
    assert [line[:7] for line in lines[2:5]] == ["warns  ", "  why: ", "  do:  "]
    assert lines[-1] == "Found: warns 1, tells 1."
    assert table(facts, []).endswith("Found: nothing.")
    assert max(map(len, lines)) <= 100


def test_numbers_in_spans():
    assert listed([5, 0, 1, 2, 7]) == "0-2, 5, 7"


@pytest.mark.parametrize(
    ("count", "words"), [(24.7e9, "24.7 GB"), (5e8, "0.5 GB"), (5e6, "5.0 MB"), (65_536, "66 kB"), (0, "0 kB")]
)
def test_bytes_in_words(count, words):
    assert in_bytes(count) == words


def test_names_of_checks_are_words():
    assert all(name.replace("_", "").isalpha() and name.islower() for name in CHECKS)
