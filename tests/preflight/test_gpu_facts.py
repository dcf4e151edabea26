"""GPUs and their settings, over the real nvidia-ml-py and a stand-in for the driver's library."""

import os
import subprocess
import sys

import pytest

from benchmarks.params import Params
from benchmarks.preflight import facts as facts_of
from benchmarks.preflight.checks import findings
from benchmarks.preflight.facts import Facts, HostFacts
from benchmarks.preflight.gpu_facts import Process, read
from benchmarks.telemetry import cuda_order
from tests.telemetry import machines
from tests.telemetry.stand_in import HERE, put_in_place

BUILT = {
    "cuda_compute_capabilities": ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"],
    "cuda_version": "12.5.1",
    "is_cuda_build": True,
}
H200 = (HERE / "h200.txt").read_text()
NEW_DRIVER = "cuda_driver 12080\n"  # the stand-in takes the first line of a key
SET = """\
gpu*.persistence 1
gpu*.compute_mode 0
gpu*.ecc 1
gpu*.rows_pending 0
gpu*.pages_pending 0
gpu*.most_pcie_width 16
"""


@pytest.fixture
def put(tmp_path, monkeypatch):
    return lambda text: put_in_place(text, tmp_path, monkeypatch)


def found(params=None, variables=None, **changes):
    """The findings of a run by their checks."""
    params = params or Params(device="gpu")
    facts = Facts(params=params, gpus=read(params, variables or {}), version="2.21.0", built=BUILT, **changes)
    told: dict[str, list] = {}
    for each in findings(facts):
        told.setdefault(each.check, []).append(each)
    return told


def test_a_gpu_as_it_should_be_has_no_findings(put):
    put(H200 + SET)
    assert found() == {}
    assert found(Params()) == {}


def test_its_settings_are_read(put):
    put(H200 + SET + "gpu0.set_graphics 1410\ngpu0.usual_graphics 1980\n")
    gpus = read(Params(), {})
    (gpu,) = gpus.used
    assert (gpus.nvml, gpus.driver, gpus.cuda, gpus.visible) == ("ok", "570.133.20", (12, 8), 1)
    assert (gpu.capability, gpu.power_limit_watts, gpu.clock_mhz, gpu.default_clock_mhz) == ((9, 0), 700, 1410, 1980)
    assert (gpu.persistent, gpu.prohibited, gpu.mig, gpu.ecc_pending, gpu.repair_pending) == (True, *[False] * 4)
    assert gpu.processes == ()  # this process is none of the others


@pytest.mark.parametrize(
    ("line", "check", "severity", "words"),
    [
        (
            "gpu0.processes 4711:34359738368 12",
            "gpu_processes",
            "warns",
            "(NVIDIA H200): 12 with 1.0 MB, 4711 with 34.4 GB",
        ),
        ("gpu0.power_limit 400000", "power_limit", "warns", "is limited to 400 W of 700 W"),
        ("gpu0.throttle_reasons 0x48", "gpu_slowed", "warns", "a hardware slowdown, its temperature (hardware limit)"),
        ("gpu0.persistence 0", "persistence", "tells", "is without persistence mode"),
        ("gpu0.compute_mode 2", "compute_mode", "stops", "compute mode Prohibited"),
        ("gpu0.mig 1", "mig", "warns", "is split by MIG"),
        ("gpu0.ecc_pending 0", "gpu_memory_errors", "warns", "to change ECC at the next reset"),
        ("gpu0.rows_pending 1", "gpu_memory_errors", "warns", "about to replace memory that failed"),
        ("gpu0.pages_pending 1", "gpu_memory_errors", "warns", "about to replace memory that failed"),
        ("gpu0.pcie_width 8", "pcie_lanes", "warns", "connected by 8 PCIe lanes of 16"),
        ("gpu0.set_graphics 1005", "gpu_clock", "warns", "is set to 1005 MHz, where 1980 MHz are usual"),
        ("gpu0.compute_capability 12.0", "kernels", "tells", "has PTX only"),
        ("gpu0.compute_capability 5.2", "kernels", "stops", "has no code"),
        ("cuda_driver 12020", "driver_cuda", "tells", "CUDA up to 12.2, and TensorFlow 2.21.0 was built with 12.5"),
        ("cuda_driver 11080", "driver_cuda", "stops", "CUDA up to 11.8"),
        ("gpu0 !15", "gpus", "stops", "GPU 0 does not answer (GPU is lost)"),
    ],
)
def test_what_is_not_as_it_should_be(put, line, check, severity, words):
    machine = put(H200 + SET + "gpu0.usual_graphics 1980\n")
    machine.set(*line.split(" ", 1))
    told = found()
    assert [*told] == [check]
    (finding,) = told[check]
    assert (finding.severity.value, words in finding.what) == (severity, True), finding.what


def test_a_gpu_for_one_process_that_another_has_taken(put):
    machine = put(H200 + SET)
    machine.set("gpu0.compute_mode", 3)
    assert found() == {}  # nobody is there, or this process alone
    machine.set("gpu0.processes", 4711)
    (taken,) = found()["compute_mode"]
    assert taken.severity.value == "stops"
    assert taken.what == "GPU 0 (NVIDIA H200) is in compute mode Exclusive Process, and taken by 4711 with 1.0 MB"
    machine.set("gpu0.compute_mode", 0)
    assert [*found()] == ["gpu_processes"]


def test_the_server_of_mps_lets_others_in(put, tmp_path):
    server = tmp_path / "nvidia-cuda-mps-server"
    server.symlink_to(sys.executable)
    running = subprocess.Popen([server, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    try:
        machine = put(H200 + SET)
        machine.set("gpu0.compute_mode", 3)
        machine.set("gpu0.processes", running.pid)
        assert [*found()] == ["gpu_processes"]
    finally:
        running.communicate("")


def test_processes_of_the_same_run_are_no_strangers(put):
    put(H200 + SET).set("gpu0.processes", "4711")
    assert found(Params(device="gpu", job_name="worker", worker_hosts="a:1,b:1")) == {}


def test_a_process_on_many_gpus_is_told_once(put):
    put(machines.dgx_1().replace("PID", "4711"))
    (told,) = found(Params(device="gpu", num_gpus=8))["gpu_processes"]
    assert told.what.startswith("Other processes compute on GPUs 0-7 (Tesla P100-SXM2-16GB): 4711")


def test_processes_whose_memory_is_not_told(put):
    put(H200).set("gpu0.processes", f"{2**64 - 1} 4711:{2**64 - 1}")
    assert Process(4711, None) in read(Params(), {}).used[0].processes


def test_a_k80_is_told_which_tensorflow_runs_it(put):
    put(machines.p2_16xlarge() + "gpu*.compute_capability 3.7\n")
    told = found(Params(device="gpu", num_gpus=16))
    (kernels,) = told["kernels"]
    assert kernels.severity.value == "stops"
    assert "GPUs 0-15 (Tesla K80) have compute capability 3.7" in kernels.what
    assert (
        "Install TensorFlow 2.14.1, the last release for them, on Python 3.10 or 3.11 with CUDA 11.8" in kernels.remedy
    )
    assert "driver_cuda" not in told  # no later driver knows it


def test_a_k80_under_the_tensorflow_that_runs_it(put, monkeypatch):
    monkeypatch.setitem(BUILT, "cuda_compute_capabilities", ["sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80"])
    monkeypatch.setitem(BUILT, "cuda_version", "11.8")
    put(machines.p2_16xlarge() + "gpu*.compute_capability 3.7\n")
    told = found(Params(device="gpu", num_gpus=16))
    assert [*told] == ["driver_cuda"]
    assert told["driver_cuda"][0].severity.value == "tells"


def test_a_run_that_may_go_to_the_cpu_is_warned_only(put):
    put(machines.p2_16xlarge() + "gpu*.compute_capability 3.7\n")
    told = found(Params(device="auto"))
    assert [each.severity.value for each in told["kernels"]] == ["warns"]
    assert "the run goes to the CPU" in told["kernels"][0].why


def test_pairs_of_a_dgx_1_that_reach_each_other_over_others_are_told(put):
    put(NEW_DRIVER + machines.dgx_1() + "gpu*.compute_capability 6.0\n")
    told = found(Params(device="gpu", num_gpus=8))
    (peers,) = told["peers"]
    assert peers.severity.value == "tells"
    assert (
        "12 of 28 pairs of GPUs do not reach each other's memory (the way between them does not allow it)" in peers.what
    )


def test_two_gpus_of_a_run_reach_each_other_over_no_gpu_that_is_not_the_run_s(put):
    put(NEW_DRIVER + machines.dgx_1() + "gpu*.compute_capability 6.0\n")
    (peers,) = found(Params(device="gpu", num_gpus=2, gpu_indices="0,5"))["peers"]
    assert peers.severity.value == "warns"
    assert peers.what.startswith("1 of 1 pairs")
    assert peers.why == "what they exchange goes through the host's memory"
    assert "--gpu_indices takes GPUs that do" in peers.remedy


def test_cards_without_peers_are_a_warning(put):
    put(machines.no_peers())
    (peers,) = found(Params(device="gpu", num_gpus=2))["peers"]
    assert peers.severity.value == "warns"
    assert "1 of 1 pairs" in peers.what
    assert "ACS of PCIe switches" in peers.remedy
    (peers,) = found(Params(device="gpu", num_gpus=2), host=HostFacts(guest="kvm"))["peers"]
    assert "a guest sees what its host lets it see" in peers.remedy


def test_an_nvlink_that_is_down(put):
    put(NEW_DRIVER + machines.nvswitch() + "gpu*.compute_capability 9.0\n").set("gpu5.nvlink.3", 0)
    told = found(Params(device="gpu", num_gpus=8))
    assert [*told] == ["nvlinks"]
    assert told["nvlinks"][0].what == "1 of 18 NVLinks of GPU 5 are not active"
    assert found(Params(device="gpu", num_gpus=4)) == {}  # which are the first four
    assert found(Params(device="gpu", gpu_indices="5")) == {}  # one sends nothing


def test_all_nvlinks_are_down_where_others_lead_to_switches_or_no_bridge_was_put_on(put):
    off = "".join(f"gpu1.nvlink.{link} 0\n" for link in range(12))
    machine = put(off + NEW_DRIVER + machines.nvswitch() + "gpu*.compute_capability 9.0\n")
    for link in range(12, 18):
        machine.set(f"gpu1.nvlink.{link}", 0)
    (down,) = found(Params(device="gpu", num_gpus=4))["nvlinks"]
    assert down.what == "18 of 18 NVLinks of GPU 1 are not active"
    cards = "".join(f"gpu{gpu}.nvlink.{link} 0\n" for gpu in range(8) for link in range(12))
    put(cards + machines.no_peers())
    assert "nvlinks" not in found(Params(device="gpu"))
    assert "nvlinks" not in found(Params(device="gpu", num_gpus=8))


@pytest.mark.parametrize(("guest", "warned"), [("none", True), ("kvm", False), (None, False)])
def test_an_iommu_between_gpus_over_pcie(put, guest, warned):
    put(NEW_DRIVER + machines.p2_16xlarge() + "gpu*.compute_capability 6.0\n")
    told = found(Params(device="gpu", num_gpus=2), host=HostFacts(iommu=True, guest=guest))
    assert ("iommu" in told) == warned


@pytest.mark.parametrize(
    ("named", "params", "used", "missing"),
    [
        (None, {"num_gpus": 2}, [0, 1], ()),
        ("3,1", {"num_gpus": 2}, [3, 1], ()),
        ("3,1", {"num_gpus": 2, "gpu_indices": "1,0"}, [1, 3], ()),
        ("3,17,1", {"num_gpus": 2}, [3], (1,)),  # what follows a number that there is not is not seen
        ("", {"num_gpus": 1}, [], (0,)),
        ("-1", {"num_gpus": 1}, [], (0,)),
        ("GPU-abc", {"num_gpus": 1}, [2], ()),
        ("2,2", {"num_gpus": 2}, [2], (1,)),
        (None, {"num_gpus": 1, "gpu_indices": "9"}, [], (9,)),
        ("9" * 5000, {"num_gpus": 1}, [], (0,)),
        ("MIG-1", {"num_gpus": 1}, [*range(8)], ()),  # of which of them it is a part is not known
    ],
)
def test_which_gpus_a_run_would_take(put, named, params, used, missing):
    put(machines.dgx_1() + "gpu2.uuid GPU-abcdef\n")
    gpus = read(Params(**params), {} if named is None else {"CUDA_VISIBLE_DEVICES": named})
    assert ([gpu.index for gpu in gpus.used], gpus.missing) == (used, missing)


@pytest.mark.parametrize(
    ("named", "no_gpu"), [("3,99", "99"), ("3,3", "3"), ("99", "99"), ("3", ""), ("-1", ""), ("", ""), ("3,-1", "")]
)
def test_what_is_no_gpu_among_those_to_be_seen_is_named(put, named, no_gpu):
    put(NEW_DRIVER + machines.dgx_1() + "gpu*.compute_capability 6.0\n")
    told = found(Params(), {"CUDA_VISIBLE_DEVICES": named}).get("gpus", [])
    assert [each.what for each in told] == [
        f"CUDA_VISIBLE_DEVICES names {no_gpu}, which is no further GPU of this machine" for _ in [no_gpu] if no_gpu
    ]


SPLIT = "gpu5.mig 1\ngpu5.part1.name Tesla P100 MIG 1g.2gb\ngpu5.part3.name Tesla P100 MIG 2g.4gb\n"


@pytest.mark.parametrize(
    ("named", "used", "certain", "visible"),
    [
        (None, [5], True, 1),  # no whole GPU
        ("GPU-abc", [2], True, 1),
        ("GPU-abc,GPU-fff", [5], True, 1),
        ("0", [*range(8)], False, None),
        ("MIG-1", [*range(8)], False, None),
    ],
)
def test_beside_parts_of_a_gpu_no_whole_one_is_seen(put, named, used, certain, visible):
    put(SPLIT + machines.dgx_1() + "gpu2.uuid GPU-abcdef\ngpu5.uuid GPU-ffff\n")
    gpus = read(Params(num_gpus=1), {} if named is None else {"CUDA_VISIBLE_DEVICES": named})
    assert ([gpu.index for gpu in gpus.used], gpus.certain, gpus.visible) == (used, certain, visible)


def test_a_run_on_several_gpus_ends_at_a_split_one(put):
    put(SPLIT + NEW_DRIVER + machines.dgx_1() + "gpu*.compute_capability 6.0\n")
    (stopped,) = found(Params(device="gpu", num_gpus=2))["gpus"]
    assert (stopped.severity.value, stopped.what) == ("stops", "--num_gpus=2: this process sees 1 GPU")
    told = found(Params(device="gpu"))
    assert [*told] == ["mig"]
    assert told["mig"][0].what == "GPU 5 (Tesla P100-SXM2-16GB) is split by MIG"


def test_the_only_gpu_goes_by_its_number_though_it_is_split(put):
    put(H200 + SET + "gpu0.part1.name NVIDIA H200 MIG 1g.18gb\n").set("gpu0.mig", 1)
    assert [*found(variables={"CUDA_VISIBLE_DEVICES": "0"})] == ["mig"]


def test_where_models_differ_their_order_is_cuda_s_and_not_known(put):
    put("gpu7.name Tesla K80\n" + machines.dgx_1())
    assert len(read(Params(num_gpus=1), {}).used) == 8
    by_bus = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert [gpu.index for gpu in read(Params(num_gpus=1), by_bus).used] == [0]
    by_number = read(Params(num_gpus=1), {"CUDA_VISIBLE_DEVICES": "0"})
    assert (len(by_number.used), by_number.certain, by_number.visible) == (8, False, None)
    assert [gpu.index for gpu in read(Params(num_gpus=1), by_bus | {"CUDA_VISIBLE_DEVICES": "7"}).used] == [7]


def test_a_gpu_that_may_be_none_of_the_run_s_stops_nothing(put):
    machine = put("gpu7.name Tesla K80\ngpu7.compute_capability 3.7\n" + NEW_DRIVER + machines.dgx_1())
    machine.set("gpu*.compute_capability", "6.0")
    (kernels,) = found()["kernels"]
    assert (kernels.severity.value, "GPU 7 (Tesla K80)" in kernels.what) == ("warns", True)
    assert "CPU" not in kernels.why
    machine.set("gpu7", "!15")
    (lost,) = found()["gpus"]
    assert (lost.severity.value, lost.what) == ("warns", "GPU 7 does not answer (GPU is lost)")


def test_gpus_that_are_not_there_stop_a_run(put):
    put(H200 + SET)
    told = found(Params(device="gpu", num_gpus=2))
    assert told["gpus"][0].what == "--num_gpus=2: this process sees 1 GPU"
    assert told["gpus"][0].remedy == "Pass --num_gpus=1, or see what CUDA_VISIBLE_DEVICES leaves out"
    put(machines.nvswitch())
    told = found(Params(device="gpu", gpu_indices="9"))
    assert told["gpus"][0].what == "--gpu_indices=9: this process sees 8 GPUs (0 to 7)"
    assert told["gpus"][0].remedy.startswith("Name others: --gpu_indices takes 0 to 7, or see")
    told = found(Params(num_gpus=16), {"CUDA_VISIBLE_DEVICES": "-1"})
    assert told["gpus"][0].remedy.startswith("Pass --device=cpu, whose 16 towers share the processors, or")


@pytest.mark.parametrize("asked", [{"device": "gpu"}, {"num_gpus": 16}, {"gpu_indices": "7"}])
def test_without_a_driver_of_cuda_there_is_no_gpu(put, monkeypatch, asked):
    monkeypatch.setattr(cuda_order, "LIBRARY", "no such library")
    put("init !12\n")
    (driver,) = found(Params(**asked))["driver"]
    assert driver.severity.value == "stops"
    assert driver.what.endswith(": this process sees no GPU")
    assert "no such library" in driver.why
    assert "driver" not in found(Params())
    (driver,) = found(Params(**asked, job_name="worker"))["driver"]  # the whole cluster hears of it where it begins
    assert driver.severity.value == "warns"


def test_processes_on_several_gpus_are_told_together(put):
    machine = put(machines.nvswitch())
    for gpu in range(8):
        machine.set(f"gpu{gpu}.processes", "12:5000000000" if gpu < 6 else "13")
    (others,) = found(Params(device="gpu", num_gpus=8))["gpu_processes"]
    assert others.what.endswith(
        "compute on GPUs 0-7 (NVIDIA H100 80GB HBM3): on GPUs 0-5 12 with 5.0 GB; on GPUs 6-7 13 with 1.0 MB"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("init !9", "Driver Not Loaded"),
        ("init !4", "Insufficient Permissions"),
        ("count !4", "it does not tell how many GPUs there are: Insufficient Permissions"),
    ],
)
def test_a_driver_that_tells_nothing(put, monkeypatch, line, reason):
    monkeypatch.setattr(cuda_order, "LIBRARY", None)  # stands for this program, as a library that is there
    put(f"{line}\n")
    (driver,) = found()["driver"]
    assert driver.what == f"NVML tells nothing of the GPUs ({reason})"
    assert found(Params()) == {}  # a machine of CPUs
    assert "driver" in found(Params(), host=HostFacts(driver_files=True))


def test_a_driver_that_may_tell_little_is_not_guessed_about(put):
    put("count 2\ngpu*.name NVIDIA X\ngpu*.processes !4\ngpu*.power_limit !4\ngpu*.persistence !3\n")
    assert found(Params(device="gpu", num_gpus=2)) == {}


def test_a_run_on_the_cpu_does_not_ask_for_gpus(put):
    put(machines.p2_16xlarge())
    assert facts_of.read(Params(device="cpu"), variables=os.environ).gpus.nvml == "not asked"


@pytest.mark.parametrize("job", ["ps", "controller"])
def test_who_has_no_towers_needs_no_gpus(put, job):
    put(machines.p2_16xlarge())
    facts = facts_of.read(Params(device="gpu", num_gpus=99, job_name=job), variables={})
    assert (facts.gpus.nvml, facts.need) == ("not asked", None)


def test_memory_of_a_gpu_against_the_model(put):
    machine = put(H200 + SET)
    params = Params(device="gpu", model="resnet50", batch_size=2000)
    (memory,) = found(params, need=facts_of.need(params))["gpu_memory"]
    assert "resnet50 with 2000 images a tower takes about" in memory.what
    assert "GPU 0 (NVIDIA H200) has 116.4 GB free" in memory.what
    assert "an estimate" in memory.why
    machine.set("gpu0.mig", 1)
    assert [*found(params, need=facts_of.need(params))] == ["mig"]
    machine.set("gpu0.mig", 0)
    small = Params(device="gpu", model="resnet50", batch_size=64)
    assert found(small, need=facts_of.need(small)) == {}
