"""What a record says of a quantised model, and what one that came from anywhere may have in its place."""

import pytest

from results.frame import facts
from results.quantization import in_short, ratio, report, speedup
from tests.results.records import record

MILLISECONDS = {"p50_seconds": 0.04, "p90_seconds": 0.05, "p99_seconds": 0.06, "calls": 100}
FOUND = {
    "mode": "int8",
    "runtime": "LiteRT 2.3.0",
    "threads": 2,
    "checkpoint": "trained/model.ckpt-110",
    "calibration_images": 100,
    "float_bytes": 1_000_000,
    "quantized_bytes": 255_000,
    "operators": {"float": {"CONV_2D": 94, "ADD": 3}, "quantized": dict.fromkeys("ABCDEF", 2)},
    "operators_in_float": {"LOCAL_RESPONSE_NORMALIZATION": 2},
    "transforms": [{"name": "fold batch norms", "what": "batch norms", "before": 94, "after": 0}],
    "latency": {"tensorflow": MILLISECONDS | {"p50_seconds": 0.084}, "quantized": MILLISECONDS},
    "agreement": {
        "source": "validation.tfrecords",
        "images": 400,
        "top_1_agreement": 0.9925,
        "accuracy": {"float": {"top_1": 0.98, "top_5": 1.0}, "quantized": {"top_1": 0.975, "top_5": 1.0}},
    },
}


def test_everything_that_is_known_is_told():
    assert report(FOUND) == [
        "int8 by LiteRT 2.3.0, 2 threads, weights of trained/model.ckpt-110",
        "size: 255,000 bytes, 0.255 of the float model's 1,000,000; ranges of 100 images",
        "one image, ms (50th, 90th, 99th percentile): TensorFlow 84.00, 50.00, 60.00; LiteRT int8 40.00, 50.00, 60.00 "
        "(2.10 times TensorFlow's speed)",
        "agreement: the class that comes first is the float model's for 0.9925 of 400 evaluation images "
        "(validation.tfrecords); top-1 and top-5 accuracy on them: float model 0.9800 and 1.0000, quantised model "
        "0.9750 and 1.0000",
        "operators left in float: LOCAL_RESPONSE_NORMALIZATION 2",
        "operations: float model 97 (CONV_2D 94, ADD 3); quantised model 12 (A 2, B 2, C 2, D 2 and 2 more)",
        "  fold batch norms: 94 -> 0 batch norms",
    ]
    assert (ratio(FOUND), speedup(FOUND)) == pytest.approx((0.255, 2.1))


def test_a_model_that_is_wholly_quantised_and_untrained_says_so():
    told = report(FOUND | {"operators_in_float": {}, "checkpoint": None})
    assert "no operator computes in float" in told
    assert told[0].endswith("weights untrained: what they say of images means nothing")


def test_percentiles_of_too_few_calls_are_told_to_be_that():
    slow = {name: MILLISECONDS | {"calls": calls} for name, calls in (("tensorflow", 12), ("quantized", 100))}
    (told,) = [line for line in in_short(FOUND | {"latency": slow}) if "percentile" in line]
    assert told.startswith("one image, ms (50th, 90th, 99th percentile of as few as 12 calls): TensorFlow 40.00, ")


def test_made_up_images_are_not_called_evaluation_images():
    agreement = {"source": "synthetic images", "images": 100, "top_1_agreement": 0.98}
    told = report(FOUND | {"agreement": agreement})
    assert told[3].endswith("the float model's for 0.9800 of 100 images (synthetic images)")


def test_kernels_that_are_not_the_usual_ones_are_told():
    told = report(FOUND | {"xnnpack_refusal": "node 6"})
    assert told[1] == "XNNPACK refuses the model, so LiteRT's own kernels run it, which are slower: node 6"


@pytest.mark.parametrize("odd", [{}, {"mode": 3}, {"mode": None, "latency": []}])
def test_what_is_no_such_section_tells_nothing(odd):
    assert list(in_short(odd)) == []


@pytest.mark.parametrize(
    "odd",
    [
        {"float_bytes": 0, "quantized_bytes": "many"},
        {"latency": {"tensorflow": 3, "quantized": {"p50_seconds": None}}},
        {"agreement": {"top_1_agreement": "all", "accuracy": []}},
        {"operators": {"float": [], "quantized": {"CONV_2D": "many"}}, "transforms": [3, {"before": "x"}]},
        {"operators_in_float": ["CONV_2D"]},
    ],
)
def test_a_section_from_anywhere_breaks_nothing(odd):
    assert report(FOUND | odd)


def test_a_table_has_the_numbers_that_were_computed_with():
    assert facts(record(settings={"forward_only": True, "quantize": "int8"}))["precision"] == "int8 (LiteRT)"
    assert facts(record(settings={"forward_only": True, "quantize": "none"}))["precision"] == "fp32"
