"""Operations a second, and what a record that came from anywhere may have in place of them."""

import pytest

from results.cost import achieved, flops, report, shares

COST = {"flops_an_image": 2e9, "flops_per_second": 3e12, "flops_per_second_and_tower": 1.5e12}
PEAKS = {"matrix_product": {"flops_per_second": 6e12}, "convolution": {"flops_per_second": 4e12}}


def test_operations_a_second_are_those_of_the_images():
    assert achieved({"flops_an_image": 100}, 30.0, 4) == {
        "flops_per_second": 3000.0,
        "flops_per_second_and_tower": 750.0,
    }


def test_the_lines_tell_the_speed_and_its_share_of_each_peak():
    assert report(COST) == ["3.00 TFLOP/s (1.50 TFLOP/s each tower), as an image takes 2.00 GFLOP"]
    assert report(COST | {"flops_per_second_and_tower": 3e12}) == ["3.00 TFLOP/s, as an image takes 2.00 GFLOP"]
    assert report(COST | {"peaks": PEAKS})[1:] == [
        "that is 50.0% of a matrix product (6.00 TFLOP/s), 75.0% of a convolution (4.00 TFLOP/s) alone on the same "
        "devices"
    ]
    assert shares(COST | {"peaks": PEAKS}) == {"matrix_product": 0.5, "convolution": 0.75}


@pytest.mark.parametrize(
    "odd", [{}, {"flops_per_second": "many"}, COST | {"flops_per_second": -1.0}, COST | {"flops_an_image": None}]
)
def test_what_is_no_number_is_not_told(odd):
    assert report(odd) == []


@pytest.mark.parametrize("peaks", [None, [], {"convolution": 3}, {"convolution": {"flops_per_second": 0.0}}])
def test_a_peak_that_is_none_has_no_share(peaks):
    assert shares(COST | {"peaks": peaks}) == {}
    assert len(report(COST | {"peaks": peaks})) == 1


@pytest.mark.parametrize(
    ("count", "words"), [(12, "0.00 MFLOP"), (24.3e9, "24.30 GFLOP"), (999e6, "999.00 MFLOP"), (7e18, "7,000.00 PFLOP")]
)
def test_operations_are_written_in_units(count, words):
    assert flops(count) == words
