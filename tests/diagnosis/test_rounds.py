from benchmarks.diagnosis.rounds import LEAD_STEPS, measure_rounds


class Machine:
    """Ways whose steps turn a clock, the first ones of a block (while its buffer lasts) by nothing."""

    def __init__(self):
        self.now = 0.0
        self.calls = []
        self.ready = 0

    def way(self, name, seconds, ready=0):
        def step():
            if self.calls and self.calls[-1] != name:
                self.ready = ready
            self.calls.append(name)
            self.now += 0.0 if self.ready else seconds
            self.ready = max(0, self.ready - 1)

        return step


def measured(machine, ways, **lengths):
    blocks = measure_rounds(ways, clock=lambda: machine.now, **lengths)
    return {way: [block.step_seconds for block in of_way] for way, of_way in blocks.items()}


def order(calls):
    return [name for name, before in zip(calls, [None, *calls], strict=False) if name != before]


def test_every_other_round_goes_backwards():
    machine = Machine()
    told = []
    ways = {"a": machine.way("a", 0.1), "b": machine.way("b", 0.2), "c": machine.way("c", 0.3)}
    found = measured(machine, ways, rounds=2, block_seconds=1.0, on_block=lambda *block: told.append(block))
    assert list(found) == ["a", "b", "c"]
    assert order(machine.calls) == ["a", "b", "c", "a", "b", "c", "b", "a"]
    assert told == [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("b", 1), ("c", 1), ("c", 2), ("b", 2), ("a", 2)]


def test_what_was_ready_before_a_block_is_not_timed():
    machine = Machine()
    ways = {"fed": machine.way("fed", 1.0, ready=LEAD_STEPS), "other": machine.way("other", 0.5)}
    found = measured(machine, ways, rounds=3, block_seconds=2.0)
    assert found == {"fed": [1.0] * 3, "other": [0.5] * 3}


def test_a_block_has_as_many_steps_as_its_time_allows():
    machine = Machine()
    measured(machine, {"a": machine.way("a", 0.01)}, rounds=1, block_seconds=3.0)
    assert 300 <= len(machine.calls) <= 310
