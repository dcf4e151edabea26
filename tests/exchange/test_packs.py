import pytest

from variable_mgr import packs
from variable_mgr.packs import Part

SIZES = {"a": 3, "b": 1, "c": 8, "d": 2, "e": 2}
TOTAL = sum(SIZES.values())


def names(packed):
    return ["".join(part.name for part in pack) for pack in packed]


PACKINGS = {
    "one by one": packs.one_by_one(SIZES),
    **{f"count {count}": packs.by_count(SIZES, count) for count in (1, 2, 3, 99)},
    **{f"bytes {nbytes}": packs.by_bytes(SIZES, nbytes) for nbytes in (1, 16, 17, 10**6)},
    **{f"small {nbytes}": packs.small_together(SIZES, nbytes, 2) for nbytes in (1, 12, 10**6)},
    **{f"evenly {count}": packs.evenly(SIZES, count) for count in (1, 2, 3, TOTAL, TOTAL + 5)},
    "cut": [shard for pack in packs.by_count(SIZES, 2) for shard in packs.cut(pack, 3)],
}


@pytest.mark.parametrize("packed", PACKINGS.values(), ids=PACKINGS)
def test_every_element_is_in_one_pack_in_order(packed):
    listed = [(part.name, index) for pack in packed for part in pack for index in range(part.begin, part.end)]
    assert listed == [(name, index) for name, size in SIZES.items() for index in range(size)]
    assert all(packed)
    assert all(part.begin < part.end for pack in packed for part in pack)


@pytest.mark.parametrize("packed", PACKINGS.values(), ids=PACKINGS)
def test_packs_have_names_of_their_own(packed):
    named = [packs.pack_name(index, pack, SIZES) for index, pack in enumerate(packed)]
    assert len(set(named)) == len(packed)


def test_a_pack_is_cut_evenly_across_its_gradients():
    [pack, *_] = packs.by_count(SIZES, 3)
    assert packs.cut(pack, 2) == [
        (Part("a", 0, 3), Part("b", 0, 1), Part("c", 0, 2)),
        (Part("c", 2, 8),),
    ]
    assert [packs.elements(shard) for shard in packs.cut(pack, 5)] == [2, 2, 3, 2, 3]


def test_counts():
    assert names(packs.by_count(SIZES, 2)) == ["ab", "cd", "e"]
    assert names(packs.by_count(SIZES, 1)) == names(packs.one_by_one(SIZES)) == [*"abcde"]


@pytest.mark.parametrize(
    ("nbytes", "expected"),
    [
        (1, [*"abcde"]),
        (12, ["a", "bc", "de"]),
        (13, ["ab", "c", "de"]),
        (17, ["abc", "de"]),
        (64, ["abcde"]),
        (65, ["abcde"]),
    ],
)
def test_gradients_are_joined_until_they_have_the_bytes(nbytes, expected):
    assert names(packs.by_bytes(SIZES, nbytes)) == expected


@pytest.mark.parametrize(
    ("nbytes", "group", "expected"),
    [
        (3, 10, [*"abcde"]),
        (4, 10, [*"abcde"]),  # b is small, and alone between larger ones
        (8, 10, ["a", "b", "c", "de"]),
        (11, 10, ["a", "b", "c", "de"]),
        (12, 10, ["ab", "c", "de"]),
        (12, 1, [*"abcde"]),
        (32, 3, ["abc", "de"]),
        (32, 10, ["abcde"]),
    ],
)
def test_small_gradients_are_joined(nbytes, group, expected):
    assert names(packs.small_together(SIZES, nbytes, group)) == expected


def test_packs_of_equal_size_cut_gradients():
    assert packs.evenly(SIZES, 2) == [
        (Part("a", 0, 3), Part("b", 0, 1), Part("c", 0, 4)),
        (Part("c", 4, 8), Part("d", 0, 2), Part("e", 0, 2)),
    ]
    assert len(packs.evenly(SIZES, 7)) == 7
    assert len(packs.evenly(SIZES, TOTAL + 1)) == TOTAL
    sizes = [packs.elements(pack) for pack in packs.evenly(SIZES, 7)]
    assert max(sizes) - min(sizes) <= 1


def test_a_pack_of_one_gradient_has_its_name():
    assert packs.pack_name(3, (Part("c", 0, 8),), SIZES) == "c"
    assert packs.pack_name(3, (Part("c", 0, 7),), SIZES) == "pack3"
    assert packs.pack_name(3, (Part("a", 0, 3), Part("b", 0, 1)), SIZES) == "pack3"
