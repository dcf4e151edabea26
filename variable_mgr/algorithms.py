"""All-reduce algorithms as schedules: each works for any number of participants and of elements. Imports no TensorFlow.

An algorithm gets the slots that take part, the elements `[begin, end)` to reduce, and a `turn`, the running number of
the exchange: where one participant has more to do than the others, they take turns at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from variable_mgr.schedule import Extent, Halves, Joint, Step, Sum

Slots = tuple[int, ...]
Algorithm = Callable[[Slots, int, int, int], Halves]  # slots, begin, end, turn


def ring(slots: Slots, begin: int, end: int, turn: int) -> Halves:
    """Each of n parts travels once around to be added up and once more to be handed out: 2 (n - 1) hops.

    Every participant sends 2 (n - 1) / n of the elements, the least there can be. Every other turn goes the other way
    round, for links that carry both ways at once. (Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms, 2009.)
    """
    order = _rotated(slots if turn % 2 == 0 else slots[::-1], turn // 2)
    count = len(order)
    reduce: list[Step] = []
    totals: list[Extent] = []
    share: list[Step] = []
    for owner, (first, last) in enumerate(parts(begin, end, count)):
        around = _rotated(order, owner)
        reduce += [Sum(at, (source, at), first, last) for source, at in pairwise([*around[1:], around[0]])]
        totals.append(Extent(around[0], first, last))
        share += [Sum(at, (source,), first, last) for source, at in pairwise(around)]
    return Halves(totals, reduce, share)


def halving_doubling(slots: Slots, begin: int, end: int, turn: int) -> Halves:
    """Partners swap halves, then quarters of what is left, and so on, and back: 2 log2(n) hops.

    As few bytes as a ring, in fewer messages. Where n is no power of two, the surplus participants first hand theirs to
    a partner, and get the sums from it at the end. (Thakur, Rabenseifner and Gropp, Optimization of collective
    communication operations in MPICH, 2005.)
    """
    order = _rotated(slots, turn)
    power = 1 << (len(order).bit_length() - 1)
    core, surplus = order[:power], order[power:]
    reduce: list[Step] = [Sum(core[i], (core[i], extra), begin, end) for i, extra in enumerate(surplus)]
    share: list[Step] = []
    held = [(begin, end)] * power
    distance = power // 2
    while distance:
        kept = [_half(held[i], second=bool(i & distance)) for i in range(power)]
        partners = [core[i ^ distance] for i in range(power)]
        reduce += [Sum(core[i], (core[i], partners[i]), *kept[i]) for i in range(power)]
        # Undone in reverse: with its half as good as done, each gets the half that the partner kept.
        share[:0] = [Sum(core[i], (partners[i],), *kept[i ^ distance]) for i in range(power)]
        held = kept
        distance //= 2
    share += [Sum(extra, (core[i],), begin, end) for i, extra in enumerate(surplus)]
    return Halves(
        [Extent(core[i], *held[i]) for i in range(power) if held[i][0] < held[i][1]],
        _not_empty(reduce),
        _not_empty(share),
    )


def tree(slots: Slots, begin: int, end: int, turn: int) -> Halves:
    """Sums run up a binomial tree and the total runs down it: 2 log2(n) hops of everything.

    More bytes than a ring, in the fewest messages: for small tensors. The root takes turns.
    """
    order = _rotated(slots, turn)
    reduce: list[Step] = []
    share: list[Step] = []
    distance = 1
    while distance < len(order):
        pairs = [(order[i], order[i + distance]) for i in range(0, len(order) - distance, 2 * distance)]
        reduce += [Sum(upper, (upper, lower), begin, end) for upper, lower in pairs]
        share[:0] = [Sum(lower, (upper,), begin, end) for upper, lower in pairs]
        distance *= 2
    return Halves([Extent(order[0], begin, end)], reduce, share)


def gather(places: Slots) -> Algorithm:
    """All elements are sent to one of `places`, added up there and sent back. The places take turns."""

    def algorithm(slots: Slots, begin: int, end: int, turn: int) -> Halves:
        place = places[turn % len(places)]
        share: list[Step] = [Sum(slot, (place,), begin, end) for slot in slots if slot != place]
        return Halves([Extent(place, begin, end)], [Sum(place, slots, begin, end)], share)

    return algorithm


def hierarchical_copy(groups: Sequence[Slots], mains: Sequence[Slots]) -> Algorithm:
    """Each group is added up at its main, then the mains' sums at the first of them; the total goes back the same way.

    `mains` are taken in turn; each has one slot of each group. Slots that take part are those of `groups`.
    """

    def algorithm(slots: Slots, begin: int, end: int, turn: int) -> Halves:
        assert sorted(slots) == sorted(slot for group in groups for slot in group)
        chosen = mains[turn % len(mains)]
        first = chosen[0]
        group_of = {main: next(group for group in groups if main in group) for main in chosen}
        reduce: list[Step] = [Sum(main, group_of[main], begin, end) for main in chosen if len(group_of[main]) > 1]
        reduce += [Sum(first, chosen, begin, end)] * (len(chosen) > 1)
        share: list[Step] = [Sum(main, (first,), begin, end) for main in chosen[1:]]
        share += [Sum(slot, (main,), begin, end) for main in chosen for slot in group_of[main] if slot != main]
        return Halves([Extent(first, begin, end)], reduce, share)

    return algorithm


def in_order(algorithm: Algorithm, order: Slots) -> Algorithm:
    """`algorithm` among participants in this `order`, then those that it does not have: a ring's send to the next."""
    places = {slot: place for place, slot in enumerate(order)}

    def ordered(slots: Slots, begin: int, end: int, turn: int) -> Halves:
        chosen = tuple(sorted(slots, key=lambda slot: places.get(slot, len(places))))
        return algorithm(chosen, begin, end, turn)

    return ordered


def joint(library: str, subdivisions: int = 1) -> Algorithm:
    """The all-reduce of a library, "nccl" or "collective"."""

    def algorithm(slots: Slots, begin: int, end: int, turn: int) -> Halves:
        del turn  # a library balances by itself
        reduce: list[Step] = [Joint(library, slots, begin, end, subdivisions)] * (len(slots) > 1)
        return Halves([Extent(slot, begin, end) for slot in slots], reduce)

    return algorithm


def two_levels(groups: Sequence[Slots], leaders: Sequence[Slots], within: str, between: Algorithm) -> Algorithm:
    """Sums of the groups first, by `within`, then `between` the groups' leaders, and back.

    `leaders` has for each group the slots that may speak for it; they take turns. `within` is "nccl", with leaders that
    are members, or "gather", at the leader, wherever that is.
    """

    def algorithm(slots: Slots, begin: int, end: int, turn: int) -> Halves:
        assert sorted(slots) == sorted(slot for group in groups for slot in group)
        chosen = tuple(candidates[turn % len(candidates)] for candidates in leaders)
        if within == "nccl":
            reduce: list[Step] = [Joint("nccl", group, begin, end) for group in groups if len(group) > 1]
        else:
            reduce = [Sum(leader, group, begin, end) for group, leader in zip(groups, chosen, strict=True)]
        inner = between(chosen, begin, end, turn)
        share: list[Step] = [
            Sum(slot, (leader,), begin, end)
            for group, leader in zip(groups, chosen, strict=True)
            for slot in group
            if slot != leader
        ]
        return Halves(inner.totals, [*reduce, *inner.reduce], [*inner.share, *share])

    return algorithm


def sharded(algorithm: Algorithm, shards: int) -> Algorithm:
    """`algorithm` on each of `shards` equal parts of the elements, each with a turn of its own."""
    if shards == 1:
        return algorithm

    def by_shard(slots: Slots, begin: int, end: int, turn: int) -> Halves:
        pieces = [
            algorithm(slots, first, last, turn * shards + shard)
            for shard, (first, last) in enumerate(parts(begin, end, shards))
        ]
        return Halves(
            [extent for piece in pieces for extent in piece.totals],
            [step for piece in pieces for step in piece.reduce],
            [step for piece in pieces for step in piece.share],
        )

    return by_shard


def parts(begin: int, end: int, count: int) -> list[tuple[int, int]]:
    """`[begin, end)` in `count` parts whose sizes differ by one at most; fewer where there are fewer elements."""
    count = min(count, end - begin)
    bounds = [begin + (end - begin) * index // count for index in range(count + 1)] if count else []
    return list(pairwise(bounds))


def _half(extent: tuple[int, int], *, second: bool) -> tuple[int, int]:
    begin, end = extent
    middle = (begin + end + 1) // 2
    return (middle, end) if second else (begin, middle)


def _not_empty(steps: list[Step]) -> list[Step]:
    """The steps that concern any element: of few elements not every participant gets a part."""
    return [step for step in steps if step.begin < step.end]


def _rotated(slots: Slots, by: int) -> Slots:
    by %= len(slots)
    return slots[by:] + slots[:by]
