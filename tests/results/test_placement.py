"""Where operations were, in words."""

from results import placement

FACTS = {
    "operations": {"/cpu:0": {"AddN": 1, "Const": 2}, "/gpu:0": {f"Kind{n:02}": 20 - n for n in range(14)}},
    "moved": [
        {"type": "TopKV2", "requested": "/gpu:0", "device": "/cpu:0", "operations": 1, "names": ["top"]},
        {"type": "Where", "requested": "/gpu:0", "device": "/cpu:0", "operations": 1200, "names": ["a", "b"]},
    ],
    "crossing": [
        {"from": "/cpu:0", "to": "/gpu:0", "tensors": 2, "bytes": 3_000_000, "unknown": 1},
        {"from": "/gpu:0", "to": "/cpu:0", "tensors": 1, "bytes": 4, "unknown": 0},
    ],
}


def test_one_other_type_has_its_own_row():
    kinds = {f"Kind{number:02}": 20 - number for number in range(placement.ROWS + 1)}
    assert "other" not in "\n".join(placement.report({"operations": {"/cpu:0": kinds}, "moved": [], "crossing": []}))


def test_the_table_has_the_most_frequent_types_and_counts_the_others():
    lines = placement.report(FACTS)
    assert lines[0] == "Placement of 192 operations of a step, by type:"
    assert lines[1].split() == ["/cpu:0", "/gpu:0"]
    assert lines[2].split() == ["Kind00", "0", "20"]
    assert lines[14:16] == ["  (4 others)       3      15", "  (all)            3     189"]
    assert lines[16:] == [
        "From device to device in a step:",
        "                    tensors                                   bytes",
        "  /cpu:0 -> /gpu:0        2  3,000,000 and 1 tensor of unknown size",
        "  /gpu:0 -> /cpu:0        1                                       4",
    ]


def test_layouts_and_transposes_stand_under_the_table():
    facts = {"operations": {"/cpu:0": {"Conv2D": 1200}}, "crossing": []}
    layout = {"operations": {"NHWC": 1200}, "transposes": 0, "asked_for": 0}
    assert placement.report(facts | {"layout": layout})[-2] == (
        "Operations with a layout: 1,200 in NHWC. Transposes: 0."
    )
    assert placement.report(facts | {"layout": layout | {"operations": {}}}) == placement.report(facts)


def test_one_device_has_nothing_to_send_to():
    assert placement.report({"operations": {"/cpu:0": {"AddN": 1}}, "crossing": []})[-1] == (
        "Nothing goes from device to device."
    )


def test_collective_operations_are_told_apart():
    told = placement.report({"operations": {"/cpu:0": {"CollectiveReduce": 1}}, "crossing": []})
    assert "Collective operations send by themselves, and are not in what follows." in told


def test_what_was_moved_is_named_and_the_rest_is_counted():
    one, many = placement.moved(FACTS)
    assert one == "TopKV2 (top): asked for on /gpu:0, moved to /cpu:0"
    assert many == "1200 x Where (a, ...): asked for on /gpu:0, moved to /cpu:0"
    assert placement.moved(FACTS, most=1) == [one, "1,200 operations more moved"]


def test_in_short():
    told = list(placement.in_short(FACTS))
    assert told[:2] == [
        "/cpu:0: 3 operations, /gpu:0: 189 operations",
        "from device to device in a step: 3.00 MB and 1 tensor of unknown size",
    ]
    assert told[2:] == placement.moved(FACTS)
    assert list(placement.in_short({"moved": []})) == []
    assert list(placement.in_short({"not_looked_at": "there is no warm-up"})) == [
        "what was moved is not known: there is no warm-up"
    ]


def test_a_section_from_elsewhere_is_told_as_far_as_it_is_fit():
    unfit = {
        "operations": {"/cpu:0": 3, "/cpu:1": {"AddN": "x"}},
        "moved": [1, {"type": 3}],
        "crossing": [{"bytes": "x"}],
    }
    assert len(list(placement.in_short(unfit))) == 3
