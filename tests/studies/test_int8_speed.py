"""The study of quantised inference, on runs that never ran."""

from benchmarks.studies.int8_speed import CASES, Pair, agreement_line, measured, table
from tests.results.records import measurement, record
from tests.studies.runs import rows

SECTION = {"float_bytes": 1000, "quantized_bytes": 255}


def test_the_two_sides_take_turns_with_the_same_flags():
    asked = []

    def run(flags):
        asked.append(flags)
        quantised = "--quantize=int8" in flags
        seconds = 1.28 if quantised else 2.56
        return record(measurement=measurement(window_seconds=seconds), quantization=SECTION if quantised else {})

    pairs = measured(CASES[0], 2, 10, 1, run)
    assert [(pair.quantized, pair.plain, pair.section) for pair in pairs] == [(500.0, 250.0, SECTION)] * 2
    assert ["--quantize=int8" in flags for flags in asked] == [True, False, True, False]
    assert [flag for flag in asked[0] if flag != "--quantize=int8"] == asked[1]
    assert "--batch_size=1" in asked[1]


def test_size_and_speed_are_judged_where_there_is_a_target():
    slow, fast = Pair(17.0, 10.0, SECTION), Pair(19.0, 10.0, SECTION | {"quantized_bytes": 310})
    found = rows(table({CASES[0]: [slow, slow, fast], CASES[1]: [fast], CASES[2]: [slow]}))
    assert found == [
        ["inception3", "17.0", "10.0", "1.700 (1.700..1.900)", ">= 1.8", "NOT met", "0.255", "<= 0.3", "met"],
        ["googlenet", "19.0", "10.0", "1.900 (1.900..1.900)", "none", "for information", "0.310", "<= 0.3", "NOT met"],
        [
            "resnet50",
            "17.0",
            "10.0",
            "1.700 (1.700..1.700)",
            "none",
            "for information",
            "0.255",
            "none",
            "for information",
        ],
    ]


def test_agreement_is_judged():
    accuracy = {"quantized": {"top_1": 0.98}, "float": {"top_1": 1.0}}
    found = {"agreement": {"top_1_agreement": 0.98, "images": 400, "accuracy": accuracy}}
    assert agreement_line(found) == (
        "resnet20, trained: top-1 agreement 0.9800 of 400 images (>= 0.97: met); top-1 accuracy 0.9800, float 1.0000."
    )
