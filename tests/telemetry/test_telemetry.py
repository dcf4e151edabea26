"""Telemetry over the real nvidia-ml-py and a stand-in for the driver's library."""

import os
import threading
import time

import numpy as np
import psutil
import pytest

from benchmarks import environment
from benchmarks.environment import gpus
from benchmarks.load import gpu_state
from benchmarks.params.params import options
from benchmarks.telemetry import host as host_telemetry
from benchmarks.telemetry import series, telemetry
from benchmarks.telemetry.gpus import total_memory
from benchmarks.telemetry.host import Host, rapl_joules
from benchmarks.telemetry.telemetry import Telemetry
from tests.telemetry.stand_in import HERE, Machine, put_in_place

INTERVAL = 0.02


@pytest.fixture
def h200(tmp_path, monkeypatch) -> Machine:
    return put_in_place((HERE / "h200.txt").read_text(), tmp_path, monkeypatch)


class Clock:
    """The clock of all windows here; who asks it is the telemetry, at each look."""

    asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return time.perf_counter()


CLOCK = Clock()


def watched(*parts, images: int | None = 100) -> dict:
    """The facts of a window in which each of `parts` is called."""
    watch = Telemetry(INTERVAL, CLOCK)
    for part in parts:
        with watch.part():
            part()
    return watch.facts(images)


def some_time() -> None:
    """As long as ten looks take, at least, however late they come."""
    enough, end = CLOCK.asked + 10, time.monotonic() + 60
    time.sleep(10 * INTERVAL)
    while CLOCK.asked < enough:
        assert time.monotonic() < end
        time.sleep(INTERVAL)


@pytest.mark.usefixtures("h200")
def test_the_library_is_asked_through_ctypes():
    found = gpus()
    assert found["nvml"] == "ok"
    assert found["driver"] == "570.133.20"
    assert found["gpus"][0]["name"] == "NVIDIA H200"


def test_the_longest_interval_can_be_waited_for():
    watch = Telemetry(options()["telemetry_interval"].upper_bound)
    with watch.part():
        time.sleep(10 * INTERVAL)  # a thread that cannot wait so long raises at once, which pytest takes for an error
    assert watch.facts(1)["host"]["samples"] == 1


@pytest.mark.usefixtures("h200")
def test_quantities_have_the_units_of_their_names():
    gpu = watched(some_time)["gpus"]["GPU 0"]
    means = {name: value["mean"] for name, value in gpu["summary"].items()}
    assert means == pytest.approx(
        {
            "utilisation": 0.97,
            "memory_utilisation": 0.41,
            "memory_used_bytes": 34359738368,
            "power_watts": 640,
            "temperature_celsius": 61,
            "sm_clock_mhz": 1980,
            "memory_clock_mhz": 3201,
            "pcie_sent_bytes_per_second": 120e6,
            "pcie_received_bytes_per_second": 2400e6,
        }
    )
    assert gpu["counted"] == {"corrected_ecc_errors": 0, "uncorrected_ecc_errors": 0}
    assert gpu["slowed_shares"] == {"its power limit": 1.0}  # as of a GPU that is busy


def test_samples_are_those_of_the_window_only(h200):
    watch = Telemetry(INTERVAL, CLOCK)
    with watch.part():
        some_time()
    h200.set("gpu0.utilization", 0)
    time.sleep(5 * INTERVAL)
    h200.set("gpu0.utilization", 50)
    with watch.part():
        some_time()
    series = watch.facts(1)["gpus"]["GPU 0"]["series"]
    assert set(series["utilisation"]) == {0.97, 0.5}
    assert series["seconds"] == sorted(series["seconds"])


def test_energy_is_what_the_driver_counted_in_the_window(h200):
    watch = Telemetry(INTERVAL)
    for counted in (1_000_000, 1_250_000):
        h200.set("gpu0.energy", counted)
        with watch.part():
            h200.set("gpu0.energy", counted + 50_000)
    facts = watch.facts(images=200)
    assert facts["gpus"]["GPU 0"]["energy_joules"] == pytest.approx(100)
    assert facts["gpus"]["GPU 0"]["energy_source"] == "counted by the driver"
    assert facts["joules_per_image"] == pytest.approx(0.5)


def test_without_a_count_energy_is_power_over_time(h200):
    h200.set("gpu0.energy", "!3")
    facts = watched(some_time)
    gpu = facts["gpus"]["GPU 0"]
    assert gpu["energy_source"] == "power over time"
    assert gpu["energy_joules"] == pytest.approx(640 * gpu["series"]["seconds"][-1], rel=1e-4)
    assert gpu["series"]["seconds"][-1] >= 10 * INTERVAL


def test_energy_that_was_not_counted_in_all_parts_is_not_known(h200):
    def counted() -> None:
        h200.set("gpu0.energy", 1_050_000)

    def lost() -> None:
        h200.set("gpu0", "!15")

    facts = watched(counted, lost)
    assert facts["gpus"]["GPU 0"]["energy_joules"] is None
    assert "joules_per_image" not in facts


def test_a_driver_that_answers_no_more_holds_up_no_run(h200, monkeypatch):
    monkeypatch.setattr(telemetry, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(environment, "_left", [])
    why = "NVML did not answer for 2 s, and is asked no more"

    def held() -> None:
        some_time()
        h200.set("gpu0.temperature", "~600000")  # ten minutes, which nobody waits for
        time.sleep(10 * INTERVAL)

    facts = watched(held, lambda: time.sleep(10 * INTERVAL))
    gpu = facts["gpus"]["GPU 0"]
    assert (gpu["failure"], gpu["energy_joules"], gpu["series"]["power_watts"][-1]) == (why, None, None)
    assert len(gpu["series"]["seconds"]) == len(gpu["series"]["power_watts"])
    assert facts["host"]["samples"] >= 2
    assert gpu_state() == {}
    assert gpus() == {"gpus": [], "nvml": why}


def test_what_is_counted_waits_for_no_question_that_holds_who_asks(h200, monkeypatch):
    monkeypatch.setattr(telemetry, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(environment, "_left", [])
    h200.set("gpu0.pcie_tx", "~600000")

    def counted() -> None:
        some_time()
        h200.set("gpu0.energy", 1_050_000)

    facts = watched(counted)
    gpu = facts["gpus"]["GPU 0"]
    assert (gpu["energy_joules"], facts["joules_per_image"]) == (50, 0.5)
    assert (gpu["series"]["power_watts"][-1], gpu["summary"]["utilisation"]["mean"]) == (640, pytest.approx(0.97))
    assert "pcie_sent_bytes_per_second" not in gpu["summary"]
    assert gpu["failure"] == "NVML did not answer for 2 s, and is asked no more"


def test_the_host_is_looked_at_when_the_window_ends_and_not_when_nvml_has_answered(h200, monkeypatch):
    monkeypatch.setattr(telemetry, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(environment, "_left", [])
    monkeypatch.setattr(Host, "sample", lambda _: {"nvml_given_up": float(bool(environment._left))})

    def held() -> None:
        h200.set("gpu0.temperature", "~600000")
        some_time()

    found = watched(held)
    assert found["gpus"]["GPU 0"]["failure"]
    assert found["host"]["summary"]["nvml_given_up"]["most"] == 0


def test_a_look_at_the_host_counts_though_the_window_ends_meanwhile():
    """Rates begin anew with it: the last look's would stand for a time in which they were not taken."""
    looking = threading.Event()

    class Slow:
        looks = 0

        def sample(self):
            self.looks += 1
            if self.looks == 2:  # rates began with the first
                looking.set()
                time.sleep(0.1)
            return {"look": float(self.looks)}

        def counters(self):
            return {}

    watch = Telemetry(INTERVAL)
    watch._host.source = Slow()
    with watch.part():
        assert looking.wait(10)
    found = watch.facts(None)["host"]["series"]["look"]
    assert found == [2.0 + place for place in range(len(found))]
    assert len(found) > 1


def test_what_was_heard_of_pcie_in_one_part_is_not_told_of_the_next(h200):
    def silent() -> None:
        h200.set("gpu0.pcie_tx", "!999")
        some_time()

    sent = watched(some_time, silent)["gpus"]["GPU 0"]["series"]["pcie_sent_bytes_per_second"]
    assert (sent[0] or sent[1], sent[-1]) == (120e6, None)


@pytest.mark.usefixtures("h200")
def test_images_of_other_processes_have_no_joules_of_ours():
    assert "joules_per_image" not in watched(some_time, images=None)


def test_a_gpu_that_falls_off_the_bus_ends_its_series_and_says_so(h200):
    def lost() -> None:
        some_time()
        h200.set("gpu0", "!15")
        some_time()

    gpu = watched(lost)["gpus"]["GPU 0"]
    assert "GPU is lost" in gpu["failure"]
    assert gpu["summary"]["utilisation"]["mean"] == pytest.approx(0.97)
    assert gpu["series"]["utilisation"][0] == 0.97
    assert gpu["series"]["utilisation"][-1] is None
    assert gpu["energy_joules"] is None


def test_an_error_of_one_quantity_leaves_the_others(h200):
    def unknown_for_a_while() -> None:
        some_time()
        h200.set("gpu0.power", 640_000)
        some_time()

    h200.set("gpu0.power", "!999")
    gpu = watched(unknown_for_a_while)["gpus"]["GPU 0"]
    assert gpu["failure"] == "NVML did not always tell power_watts: Unknown Error"
    assert gpu["series"]["power_watts"][0] is None
    assert gpu["series"]["power_watts"][-1] == 640
    assert None not in gpu["series"]["sm_clock_mhz"]


def test_what_a_gpu_does_not_support_is_not_known_and_no_failure(h200):
    for name in ("power", "energy", "pcie_tx", "throttle_reasons", "ecc_corrected"):
        h200.set(f"gpu0.{name}", "!3")
    facts = watched(some_time)
    gpu = facts["gpus"]["GPU 0"]
    assert gpu["failure"] is None
    assert gpu["energy_joules"] is None
    assert gpu["slowed_shares"] is None
    assert not {"power_watts", "pcie_sent_bytes_per_second"} & gpu["summary"].keys()
    assert "pcie_received_bytes_per_second" in gpu["summary"]
    assert "joules_per_image" not in facts


def test_a_mig_slice_has_memory_and_power_and_no_utilisation(h200):
    h200.set("gpu0.mig", 1)
    for name in ("utilization", "memory_utilization", "pcie_tx", "pcie_rx"):
        h200.set(f"gpu0.{name}", "!3")
    facts = watched(some_time)
    assert "joules_per_image" not in facts  # the other parts' are among the GPU's
    gpu = facts["gpus"]["GPU 0"]
    assert gpu["failure"] is None
    assert {"memory_used_bytes", "power_watts"} < gpu["summary"].keys()
    assert "utilisation" not in gpu["summary"]


def test_a_part_of_a_gpu_is_recorded_as_such(h200):
    assert gpus()["gpus"][0]["mig"] is False
    h200.set("gpu0.mig", 1)
    h200.set("gpu0.part2.name", "NVIDIA H200 MIG 1g.18gb")
    h200.set("gpu0.part2.uuid", "MIG-1")
    (gpu,) = gpus()["gpus"]
    assert (gpu["mig"], gpu["mig_parts"]) == (True, [{"name": "NVIDIA H200 MIG 1g.18gb", "uuid": "MIG-1"}])


def test_slow_clocks_are_told_by_reason_and_share(h200):
    h200.set("gpu0.throttle_reasons", 0x40 | 0x4 | 0x1)  # the last of an idle GPU
    assert watched(some_time)["gpus"]["GPU 0"]["slowed_shares"] == {
        "its temperature (hardware limit)": 1.0,
        "its power limit": 1.0,
    }


def test_a_long_series_is_thinned_out_but_not_its_summary(monkeypatch):
    monkeypatch.setattr(series, "MOST_KEPT", 4)
    found = watched(some_time)["host"]
    assert found["samples"] > 4
    assert len(found["series"]["seconds"]) <= 4
    assert found["summary"]["resident_bytes"]["most"] > 0


def test_another_users_gpu_is_not_ours(h200):
    h200.set("count", 2)
    h200.set("gpu1.name", "NVIDIA H200")
    h200.set("gpu1.processes", "1")
    assert set(watched(some_time)["gpus"]) == {"GPU 0"}


@pytest.mark.parametrize(
    ("processes", "others"),
    [("PID", 0), ("PID 4711", 1), ("", None), ("4711", None), ("4711 4712", 1), ("!4", None)],
)
def test_how_many_others_compute_there_is_not_guessed(h200, processes, others):
    h200.set("gpu0.processes", processes.replace("PID", str(os.getpid())))
    assert gpu_state(addresses=["00000000:1b:00.0"])["GPU 0"]["other_processes"] == others


def test_a_driver_that_knows_only_the_older_question_tells_of_processes(tmp_path, monkeypatch):
    machine = put_in_place((HERE / "h200.txt").read_text().replace("570.133.20", "470.256.02"), tmp_path, monkeypatch)
    assert environment.gpus()["driver"] == "470.256.02"
    machine.set("gpu0.processes", f"{os.getpid()} 4711")
    assert gpu_state()["GPU 0"]["other_processes"] == 1
    assert gpu_state(addresses=()) == {}  # of a run on the CPU


@pytest.mark.parametrize("processes", ["", "1 2", "!4"])  # as in a container, and where it is not permitted
def test_gpus_are_known_by_their_addresses(h200, processes):
    h200.set("gpu0.processes", processes)
    watch = Telemetry(INTERVAL, CLOCK, addresses=("00000000:1b:00.0",))
    with watch.part():
        some_time()
    facts = watch.facts(images=100)
    assert set(facts["gpus"]) == {"GPU 0"}
    assert facts["nvml"] == "ok"
    assert facts["joules_per_image"] == 0


def test_gpus_of_others_have_no_joules_of_ours(h200):
    h200.set("gpu0.processes", "1")
    assert "joules_per_image" not in watched(some_time)  # whether these are ours is not known
    watch = Telemetry(INTERVAL, CLOCK, addresses=())  # of a run on the CPU
    with watch.part():
        some_time()
    assert watch.facts(images=1)["gpus"] == {}


def test_the_memory_of_a_gpu_is_found_by_its_address(h200):
    h200.set("count", 2)
    h200.set("gpu1.pci", "00000000:1C:00.0")
    h200.set("gpu1.memory_total", 80_000)
    h200.set("gpu1.memory_used", 0)
    assert total_memory("00000000:1c:00.0") == 80_000
    assert total_memory("00000000:1d:00.0") == "NVML does not tell of the GPU at 00000000:1d:00.0"
    h200.set("gpu1.memory_total", "!3")
    assert total_memory("00000000:1c:00.0") == "NVML does not tell of the GPU at 00000000:1c:00.0"
    h200.set("init", "!4")
    assert total_memory("00000000:1c:00.0") == "Insufficient Permissions"


def test_gpus_that_are_not_all_told_of_have_no_joules(h200):
    watch = Telemetry(INTERVAL, addresses=("00000000:1b:00.0", "00000000:1c:00.0"))
    with watch.part():
        h200.set("gpu0.energy", 1_050_000)
    facts = watch.facts(images=1)
    assert facts["gpus"]["GPU 0"]["energy_joules"] == 50
    assert "joules_per_image" not in facts


@pytest.mark.parametrize(("error", "said"), [(9, "Driver Not Loaded"), (4, "Insufficient Permissions")])
def test_no_driver_is_a_line_and_no_error(h200, error, said):
    h200.set("init", f"!{error}")
    facts = watched(some_time)
    assert facts["nvml"] == said
    assert facts["gpus"] == {}
    assert facts["host"]["summary"]


def test_the_host_is_seen_at_work():
    def now() -> np.ndarray:
        return np.array([time.process_time(), time.monotonic()])

    before, host, begin = now(), Host(), now()
    while time.process_time() - begin[0] < 0.2:  # which takes as long as others let it
        pass
    end, sample, after = now(), host.sample(), now()
    (least, shortest), (most, longest) = end - begin, after - before
    assert least / longest <= sample["processors_of_process"] <= most / shortest
    assert 0 < sample["cpu_utilisation"] <= 1
    assert sample["resident_bytes"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)


def test_the_energy_of_packages_is_added_up_where_it_can_be_read(tmp_path):
    assert rapl_joules(tmp_path) is None
    for package, microjoules in enumerate((1_500_000, 500_000)):
        folder = tmp_path / f"intel-rapl:{package}"
        folder.mkdir()
        (folder / "energy_uj").write_text(f"{microjoules}\n")
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of a package, which is counted already
    (tmp_path / "intel-rapl:0:0" / "energy_uj").write_text("7\n")
    (tmp_path / "intel-rapl:2").mkdir()  # the whole platform
    (tmp_path / "intel-rapl:2" / "name").write_text("psys\n")
    (tmp_path / "intel-rapl:2" / "energy_uj").write_text("9000000\n")
    assert rapl_joules(tmp_path) == pytest.approx(2.0)
    (tmp_path / "intel-rapl:1" / "energy_uj").unlink()
    assert rapl_joules(tmp_path) is None


def test_a_host_that_hides_its_files_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    monkeypatch.setattr(host_telemetry, "_STATISTICS", tmp_path / "stat")
    found = watched(some_time)["host"]
    assert found["samples"] > 1
    assert set(found["summary"]) == {"processors_of_process"}
