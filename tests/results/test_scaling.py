import pytest

from results.reference import records
from results.report.material import gather
from results.report.sections.devices import curves
from results.scaling import Point, examine


def scaling(*speeds, bound=0.7):
    return examine([Point(2**i, speed) for i, speed in enumerate(speeds)], bound)


def test_speed_up_and_efficiency_follow_their_formulas():
    found = scaling(100, 190, 360)
    assert [found.speed_up(point) for point in found.points] == [1.0, 1.9, 3.6]
    assert [found.efficiency(point) for point in found.points] == [1.0, 0.95, 0.9]
    assert not found.flagged
    assert found.knee is None


def test_a_base_of_several_devices_counts_as_ideal():
    found = examine([Point(8, 1600.0), Point(2, 400.0)])
    assert found.base.devices == 2
    assert found.speed_up(found.points[1]) == 8.0


def test_fewer_than_two_points_are_no_curve():
    assert examine([Point(1, 100.0)]) is None


def test_negative_scaling_is_held_against_the_best_of_fewer_devices():
    found = scaling(325, 325, 264, 270)
    assert found.negative == (4, 8)
    assert found.verdict(found.points[3]).startswith(
        "negative scaling: 17% less than 1 device; efficiency 10% is under"
    )


def test_negative_scaling_needs_intervals_that_part():
    near = [Point(1, 100.0, 95.0, 105.0), Point(2, 98.0, 94.0, 102.0)]
    far = [Point(1, 100.0, 99.0, 101.0), Point(2, 90.0, 89.0, 91.0)]
    assert examine(near).negative == ()
    assert examine(far).negative == (2,)


def test_the_knee_is_where_a_device_stops_adding_half_of_one():
    found = scaling(100, 190, 280, 300)
    assert found.knee == 2  # 45 a device from 2 to 4
    assert "knee" in found.verdict(found.points[1])
    assert scaling(100, 190, 291, 500).knee is None


@pytest.mark.parametrize(("bound", "flagged"), [(0.7, ()), (0.9, (4,))])
def test_the_bound_decides(bound, flagged):
    assert scaling(100, 190, 320, bound=bound).inefficient == flagged


@pytest.fixture(scope="module")
def lambda_curves():
    return curves(gather(records("lambda_tf")))


def test_vgg16_on_eight_rtx_3090_is_flagged(lambda_curves):
    found = [
        curve.scaling
        for curve in lambda_curves
        if curve.groups[0].facts["model"] == "vgg16" and curve.groups[0].facts["platform"] == "7662-GeForce_RTX_3090"
    ]
    assert len(found) == 2  # fp16 and fp32
    assert all(8 in scaling.inefficient for scaling in found)
    assert [scaling.negative for scaling in found if scaling.negative] == [(4, 8)]


def test_no_healthy_row_of_a100_and_v100_is_flagged(lambda_curves):
    healthy = 0
    for curve in lambda_curves:
        if curve.groups[0].facts["accelerator"].startswith(("A100", "V100")):
            for point in curve.scaling.points[1:]:
                if curve.scaling.efficiency(point) >= 0.9:
                    healthy += 1
                    assert curve.scaling.verdict(point) == ""
    assert healthy == 37
