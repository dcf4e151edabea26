"""What measured copies say, on made-up times, and the tables of links."""

import pytest

from benchmarks.topology import measured_links
from benchmarks.topology.measured_links import MeasuredLinks, measure
from benchmarks.topology.speed import CopyError, both_ways, speed

SIZES = (2**12, 2**16, 2**20, 2**23, 2**25, 2**26)
LATENCY, BANDWIDTH = 10e-6, 12e9
GPUS = ("/gpu:0", "/gpu:1")


def on_the_line(scale=1.0, latency=LATENCY):
    return {size: scale * (latency + size / BANDWIDTH) for size in SIZES}


def test_latency_and_bandwidth_are_those_of_the_line():
    found = speed(*GPUS, [on_the_line()] * 3)
    assert found.bytes_per_second == pytest.approx([BANDWIDTH] * 3)
    assert found.latency_seconds == pytest.approx([LATENCY] * 3)
    assert found.largest_fit_error == pytest.approx(0, abs=1e-9)
    assert found.valid


def test_intervals_are_those_over_the_repeats():
    found = speed(*GPUS, [on_the_line(scale) for scale in (0.98, 1.0, 1.02)])
    assert found.bytes_per_second.low < 0.97 * BANDWIDTH < 1.03 * BANDWIDTH < found.bytes_per_second.high
    assert found.valid


def test_what_stays_in_caches_does_not_make_the_bandwidth():
    cached = {size: seconds / 10 if size < 2**23 else seconds for size, seconds in on_the_line().items()}
    found = speed(*GPUS, [cached] * 3)
    assert found.bytes_per_second.value == pytest.approx(BANDWIDTH)
    assert found.largest_fit_error > 5


def test_scattered_repeats_are_doubtful():
    found = speed(*GPUS, [on_the_line(scale) for scale in (0.8, 1.0, 1.2)])
    assert found.bytes_per_second is not None
    assert not found.valid
    assert found.problem.startswith("too noisy: the bandwidth is known to within ")


def test_repeats_that_say_nothing_have_no_figure():
    scales = (0.5, 1.0, 2.0)
    found = speed(*GPUS, [on_the_line(scale) for scale in scales])
    both = both_ways(GPUS, 2**26, scales)
    assert found.problem == both.problem == "too noisy: the bandwidth is known to within 271%"
    assert found.bytes_per_second is both.bytes_per_second is None
    assert "?  too noisy: /gpu:0 to /gpu:1 (the bandwidth" in measured_links.report(MeasuredLinks(GPUS, (found,), ()))


def test_copies_that_take_no_longer_when_larger_have_no_bandwidth():
    flat = dict.fromkeys(SIZES, 1e-3)
    found = speed(*GPUS, [on_the_line(), flat, {size: -seconds for size, seconds in on_the_line().items()}])
    assert found.bytes_per_second is None
    assert found.latency_seconds is None
    assert found.problem == "too noisy: in 2 of 3 repeats larger copies took no longer"


def test_a_latency_below_nothing_is_not_known():
    found = speed(*GPUS, [on_the_line(latency=-1e-9)] * 3)
    assert found.latency_seconds is None
    assert found.latency_problem == "the latency is lost in the noise"
    assert found.bytes_per_second.value == pytest.approx(BANDWIDTH)


def test_a_latency_that_may_be_nothing_is_not_known():
    repeats = [on_the_line(latency=latency) for latency in (1e-9, 1e-6, 3e-6)]
    found = speed(*GPUS, repeats)
    assert found.latency_seconds is None
    links = MeasuredLinks(GPUS, (found,), ())
    assert "?  the latency is lost in the noise: /gpu:0 to /gpu:1" in measured_links.report(links)


def test_what_is_handed_over_has_no_bandwidth():
    found = speed("/cpu:0", "/cpu:1", [dict.fromkeys(SIZES, 3e-6)] * 2, copied=False)
    assert found.bytes_per_second is None
    assert found.latency_seconds.value == pytest.approx(3e-6)
    assert found.problem == "no bytes are copied, as TensorFlow hands the buffer over"


def test_both_directions_count_together():
    assert both_ways(GPUS, 10**9, [0.1, 0.1, 0.1]).bytes_per_second.value == pytest.approx(20e9)
    assert both_ways(GPUS, 10**9, [0.1, -0.1]).bytes_per_second is None


class Machine:
    """Copies whose times follow a rule; those from or to `broken` fail from round `breaks` on."""

    def __init__(self, broken=None, breaks=1):
        self.broken, self.breaks, self.calls = broken, breaks, {}

    def moves_bytes(self, source, target):
        if self.broken in (source, target) and self.breaks == 0:
            raise CopyError("the device is lost")
        return "gpu" in source or "gpu" in target or source == target

    def copies(self, *ways):
        def seconds(nbytes):
            self.calls[ways] = self.calls.get(ways, 0) + 1
            if any(self.broken in way for way in ways) and self.calls[ways] > len(SIZES) * (self.breaks - 1):
                raise CopyError("the device is lost")
            return len(ways) * (LATENCY + nbytes / BANDWIDTH)

        return seconds


def measured(towers, machine, **options):
    settings = {"words": {}, "tell": lambda _: None} | options
    return measure(towers, 3, SIZES, moves_bytes=machine.moves_bytes, copies=machine.copies, **settings)


def speeds(links: MeasuredLinks):
    return {(each.source, each.target): each for each in links.speeds}


def test_every_way_is_measured():
    told = []
    links = measured(GPUS, Machine(), words={GPUS: "NV2"}, tell=told.append)
    assert links.devices == ("/cpu:0", *GPUS)
    assert len(links.speeds) == 9
    assert all(each.valid for each in links.speeds)
    assert [each.devices for each in links.both] == [("/cpu:0", "/gpu:0"), ("/cpu:0", "/gpu:1"), GPUS]
    assert told == [f"round {number}/3: copies along 9 ways" for number in (1, 2, 3)]
    facts = links.facts()
    assert facts["devices"] == ["/cpu:0", *GPUS]
    link = next(each for each in facts["links"] if (each["from"], each["to"]) == GPUS)
    assert link["bytes_per_second"] == pytest.approx(BANDWIDTH)
    assert link["latency_seconds"] == pytest.approx(LATENCY)
    assert link["wiring"] == "NV2"
    assert link["copy_seconds"]["4096"] == [LATENCY + 4096 / BANDWIDTH] * 3


@pytest.mark.parametrize("breaks", [0, 1, 2])  # before the first round, in it, in the second
def test_a_device_that_fails_is_not_known_and_the_others_are(breaks):
    links = measured(GPUS, Machine("/gpu:1", breaks))
    for way, each in speeds(links).items():
        assert each.valid == ("/gpu:1" not in way)
        if not each.valid:
            assert each.bytes_per_second is None
            assert each.problem == "a copy failed: the device is lost"
    report = measured_links.report(links)
    assert "?  a copy failed: /cpu:0 to /gpu:1 (the device is lost), " in report
    assert " more" in report


def test_the_tables():
    report = measured_links.report(measured(GPUS, Machine())).splitlines()
    assert report[1].split() == ["/cpu:0", *GPUS]
    assert report[3].split() == ["/gpu:0", "12", "12", "12"]
    assert report[8].split() == ["/gpu:0", "10", "10", "10"]
    assert report[10] == "GB/s of both directions at once, added up"
    assert report[12].split() == ["/cpu:0", "12", "12"]


def test_devices_that_share_memory_hand_over():
    links = measured(["/cpu:0", "/cpu:1"], Machine())
    assert links.both == ()
    report = measured_links.report(links)
    assert report.splitlines()[2].split() == ["/cpu:0", "12", "="]
    assert report.endswith(
        "=  no bytes are copied, as TensorFlow hands the buffer over: /cpu:0 to /cpu:1, /cpu:1 to /cpu:0"
    )


def test_one_device_has_nothing_between():
    assert measured_links.report(measured(["/cpu:0"], Machine())).endswith("nothing is between two.")
