"""Traces and profiles of steps: real runs of a small network, read back as their readers would."""

import gzip
import io
import itertools
import json
import signal
from collections import defaultdict

import pytest
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import runner, xplane
from benchmarks.chrome_trace import chrome_trace
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.errors import ExitCode, UserError
from benchmarks.op_profile import table, timed_operations
from benchmarks.output_file import write
from benchmarks.params import CommandLine, Params, resolve
from benchmarks.step import StepOutcome
from benchmarks.tracing import Tracing

ROUNDING = 1e-3  # microseconds: times are picoseconds, in floating point


def ran(folder, **params):
    """The ending of a run on two towers, and what it printed."""
    chosen = {
        "device": "cpu",
        "num_gpus": 2,
        "num_intra_threads": 0,
        "batch_size": 2,
        "num_warmup_batches": 3,
        "num_batches": 4,
    }
    chosen |= {"data_name": "cifar10", "variable_update": "replicated", "verify_variable_update": False}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    out, err = io.StringIO(), io.StringIO()
    named = {name: str(folder / value) if name.endswith("_file") else value for name, value in params.items()}
    try:
        command = CommandLine(Params(**chosen | named))
        ending = runner.run(command, ["run_benchmark.py"], Console(out, err), started=0.0)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return ending, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A run that traces the next to last step of its warm-up."""
    folder = tmp_path_factory.mktemp("warm")
    ending, out, _ = ran(folder, model="resnet20", trace_file="trace.json.gz", tfprof_file="profile.txt")
    assert ending.exit_code == ExitCode.VALID, ending.record.message
    return ending.record, json.loads(gzip.decompress((folder / "trace.json.gz").read_bytes())), folder, out


def spans(trace):
    return [event for event in trace["traceEvents"] if event["ph"] == "X"]


def test_a_trace_is_in_the_trace_event_format(warm):
    _, trace, _, _ = warm
    assert trace["displayTimeUnit"] == "ms"
    named = {"process_name": set(), "thread_name": set()}
    for event in trace["traceEvents"]:
        assert event["ph"] in ("X", "M")
        assert isinstance(event["name"], str)
        assert isinstance(event["args"], dict)
        assert (type(event["pid"]), type(event["tid"])) == (int, int)
        if event["name"] in named:
            assert event["args"]["name"]
            named[event["name"]].add((event["pid"], event["tid"]))
    for span in spans(trace):
        assert span["ts"] >= 0
        assert span["dur"] > 0
        assert (span["pid"], 0) in named["process_name"]
        assert (span["pid"], span["tid"]) in named["thread_name"]


def test_spans_of_a_thread_lie_within_one_another_or_apart(warm):
    threads = defaultdict(list)
    for span in spans(warm[1]):
        threads[span["pid"], span["tid"]].append(span)
    assert len(threads) > 1
    for within in threads.values():
        open_until = []
        for span in within:  # in order, outer ones first
            while open_until and open_until[-1] <= span["ts"] + ROUNDING:
                open_until.pop()
            assert not open_until or span["ts"] + span["dur"] <= open_until[-1] + ROUNDING
            open_until.append(span["ts"] + span["dur"])


def test_the_operations_of_all_towers_lie_within_the_step(warm):
    _, trace, _, _ = warm
    (step,) = [span for span in spans(trace) if span["name"] == xplane.STEP]
    assert step["args"]["step_num"] == -2
    of_towers = [span for span in spans(trace) if "tower" in span["args"]]
    assert {span["args"]["tower"] for span in of_towers} == {0, 1}
    for tower in (0, 1):
        layer = f"tower{tower}/stage1/block1/conv1/"
        assert any("Conv2D" in span["args"]["type"] for span in of_towers if span["name"].startswith(layer))
    for span in of_towers:
        assert step["ts"] - ROUNDING <= span["ts"]
        assert span["ts"] + span["dur"] <= step["ts"] + step["dur"] + ROUNDING


def test_the_record_says_what_was_traced_and_the_window_has_none_of_it(warm):
    record, _, folder, out = warm
    assert (record.trace["steps"], record.trace["in_pause"]) == ([-2], False)
    assert set(record.trace["milliseconds"]) == {"host"}
    assert len(record.measurement.warmup_step_seconds) == 3
    assert len(record.measurement.step_seconds) == 4
    assert f"Dumping trace to {folder / 'trace.json.gz'}" in out.partition("Done warm up")[0]
    assert sorted(path.name for path in folder.iterdir()) == ["profile.txt", "trace.json.gz"]


def rows(text, heading):
    """The rows of one table of a profile, as (count, milliseconds, share in percent, rest)."""
    block = text.partition(f"{heading}:\n")[2].partition("\n\n")[0].splitlines()[1:]
    for row in block:
        count, milliseconds, share, rest = row.split(None, 3)
        yield int(count.replace(",", "")), float(milliseconds.replace(",", "")), float(share[:-1]), rest


@pytest.mark.parametrize("heading", ["by type of operation", "by operation"])
def test_the_totals_of_a_profile_are_those_of_its_trace(warm, heading):
    record, trace, folder, _ = warm
    *listed, (count, total, share, _) = rows(
        (folder / "profile.txt").read_text(), f"On the threads of the host, {heading}"
    )
    (step,) = [span for span in spans(trace) if span["name"] == xplane.STEP]
    threads = defaultdict(list)
    for span in spans(trace):
        if "operation" in span["args"] and step["ts"] <= span["ts"] <= step["ts"] + step["dur"]:
            threads[span["tid"]].append((span["ts"], span["ts"] + span["dur"]))
    assert count == sum(map(len, threads.values())) == sum(row[0] for row in listed)
    assert total == pytest.approx(sum(map(covered, threads.values())) / 1000, abs=0.02)
    assert total == pytest.approx(sum(row[1] for row in listed), abs=0.02)
    assert total == pytest.approx(sum(record.trace["milliseconds"]["host"].values()), abs=0.02)
    assert share == 100.0
    assert len(listed) == 21  # twenty, and the others
    assert sorted((row[1] for row in listed[:-1]), reverse=True) == [row[1] for row in listed[:-1]]


def covered(intervals):
    """The length that `intervals` cover together."""
    total, end = 0.0, 0.0
    for begin, until in sorted(intervals):
        total += max(0.0, until - max(begin, end))
        end = max(end, until)
    return total


def test_steps_in_a_pause_are_traced_as_the_profiler_has_them_and_kept_apart(tmp_path):
    ending, _, _ = ran(
        tmp_path, model="trivial", trace_file="t.xplane.pb", use_chrome_trace_format=False, trace_steps="2:3"
    )
    record = ending.record
    assert ending.exit_code == ExitCode.VALID, record.message
    steps = xplane.read((tmp_path / "t.xplane.pb").read_bytes()).steps
    assert [step.facts["step_num"] for step in steps] == [2, 3]
    assert len(record.measurement.step_seconds) == len(record.measurement.losses) == 4
    assert record.trace["steps"] == [2, 3]
    assert record.trace["in_pause"] is True
    before, *apart, after = [record.measurement.losses[1], *record.trace["losses"], record.measurement.losses[2]]
    assert before > apart[0] > apart[1] > after  # on the same images: each step has learned from all before it


def test_what_a_run_does_not_have_cannot_be_traced(tmp_path):
    ending, _, _ = ran(
        tmp_path, model="trivial", trace_file="t", trace_steps="9", num_batches=None, num_epochs=4 * 4 / 50_000
    )
    assert ending.exit_code == ExitCode.UNUSABLE
    assert "--trace_steps=9 is beyond the end of the run, which has" in ending.record.message
    assert list(tmp_path.iterdir()) == []


def test_another_profiler_is_named(tmp_path):
    (tmp_path / "other").mkdir()
    tf.profiler.experimental.start(str(tmp_path / "other"))
    try:
        ending, _, _ = ran(tmp_path, model="trivial", trace_file="t")
    finally:
        tf.profiler.experimental.stop(save=False)
    assert ending.exit_code == ExitCode.UNUSABLE
    assert ending.record.message.startswith(f"--trace_file={tmp_path / 't'}: another profiler runs in this process")


def make_tracing(folder, **params):
    chosen = Params(device="cpu", data_name="cifar10", trace_file=str(folder / "trace.json"), **params)
    draft = Draft(CommandLine(chosen), chosen, [])
    console = Console(io.StringIO(), io.StringIO())
    return Tracing(draft, resolve(chosen, device="cpu"), "cpu", console), draft


def test_an_interrupt_in_a_traced_step_leaves_no_file_and_no_profiler(tmp_path):
    tracing, draft = make_tracing(tmp_path, trace_steps="1:2")

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tracing.apart(lambda: StepOutcome(1.0), interrupt)
    assert list(tmp_path.iterdir()) == []
    assert "trace" not in draft.sections
    tracing.apart(lambda: StepOutcome(1.0), lambda: None)  # the profiler is free again
    expected = {"steps": [1, 2], "in_pause": True, "milliseconds": {}, "losses": [1.0, 1.0]}
    assert draft.sections["trace"] == expected


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UserError, match=r"--trace_file=.*/gone/t cannot be written: No such file or directory. Give"):
        write("trace_file", str(tmp_path / "gone" / "t"), b"")


class Space:
    """An XSpace, made by hand."""

    def __init__(self):
        self.message = xplane_pb2.XSpace()

    def line(self, plane_name, line_name, *events):
        """A line; events are (name, display name, facts, begin, duration), in picoseconds."""
        plane = self.message.planes.add(name=plane_name)
        line = plane.lines.add(id=7, name=line_name, timestamp_ns=1)
        numbers = itertools.count(1)
        for name, shown, facts, begin, duration in events:
            kind = next(numbers)
            plane.event_metadata[kind].name, plane.event_metadata[kind].display_name = name, shown
            event = line.events.add(metadata_id=kind, offset_ps=begin, duration_ps=duration)
            for key, value in facts.items():
                stat, reference = next(numbers), next(numbers)
                plane.stat_metadata[stat].name, plane.stat_metadata[reference].name = key, value
                event.stats.add(metadata_id=stat, ref_value=reference)
        return self

    def read(self):
        return xplane.read(self.message.SerializeToString())


def test_the_time_of_an_operation_is_without_that_of_those_within_it():
    profile = (
        Space()
        .line(
            "/host:CPU",
            "threads/7",
            ("a:Call", "Call", {}, 0, 100),
            ("b:Send", "Send", {}, 10, 40),
            ("c:Recv", "Recv", {}, 20, 10),
            ("d:Send", "Send", {}, 60, 10),
            ("e:Mul", "Mul", {}, 100, 5),
            ("FunctionRun", "", {}, 101, 2),
            ("mark", "", {}, 102, 0),
        )
        .line("/host:CPU", "python", ("step", "", {}, 0, 200))
        .read()
    )
    found = {each.operation.name: each.own for each in timed_operations(profile)}
    assert found == {"a": 50, "b": 30, "c": 10, "d": 10, "e": 5}
    assert profile.planes[0].lines[0].name == "threads"
    assert len(profile.planes[0].lines[0].events) == 6


def test_what_a_gpu_did_is_told_by_the_operation_that_launched_it():
    profile = (
        Space()
        .line("/host:CPU", "python", ("step", "", {}, 0, 10**9))
        .line(
            "/device:GPU:0",
            "Stream #13(Compute)",
            ("volta_sgemm", "", {"tf_op": "tower0/logits/MatMul:MatMul"}, 1000, 6 * 10**8),
            ("MemcpyH2D", "", {}, 7 * 10**8, 10**8),
        )
        .read()
    )
    (step,), gpu = profile.steps, profile.planes[1]
    assert (step.begin, step.end) == (1000, 10**9 + 1000)
    assert gpu.is_gpu
    text = table(profile, "title")
    assert list(rows(text, "On the GPUs, by operation")) == [
        (1, 0.6, 85.7, "MatMul     0      tower0/logits/MatMul"),
        (1, 0.1, 14.3, "MemcpyH2D  -      MemcpyH2D"),
        (2, 0.7, 100.0, "(all)"),
    ]
    assert "host" not in text
    shown = next(event for event in chrome_trace(profile)["traceEvents"] if event["name"] == "volta_sgemm")
    assert (shown["cat"], shown["ts"], shown["dur"]) == ("MatMul", 0.002, 600.0)
    assert shown["args"]["tower"] == 0


def test_operations_that_xla_compiled_or_others_go_on_beside_are_told_too():
    started = {"name": "tower1/PartitionedCall", "kernel_type": "PartitionedCall"}
    (line,) = (
        Space()
        .line(
            "/host:CPU",
            "tf_Compute/-25",
            ("ExecutorState::ProcessAsync::Start", "", started, 0, 100),
            ("Conv2D_5.1", "", {"hlo_op": "Conv2D_5.1", "_p": "a"}, 10, 20),
            ("ExecutorState::ProcessAsync::Done", "", started, 200, 5),
        )
        .read()
        .planes[0]
        .lines
    )
    assert line.name == "tf_Compute"
    assert [event.operation for event in line.events] == [
        ("tower1/PartitionedCall", "PartitionedCall"),
        ("Conv2D_5.1", "XLA Conv2D"),
        None,
    ]
    assert line.events[0].operation.tower == 1
    assert line.events[1].facts == {"hlo_op": "Conv2D_5.1"}


def test_a_compiled_step_can_be_profiled(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.op_profile.ROWS", 1000)  # a call that only starts another can be a short one
    ending, _, _ = ran(tmp_path, model="trivial", xla=True, tfprof_file="profile.txt")
    assert ending.exit_code == ExitCode.VALID, ending.record.message
    listed = list(rows((tmp_path / "profile.txt").read_text(), "On the threads of the host, by operation"))
    calls = {tuple(rest.split()) for *_, rest in listed if rest.startswith("PartitionedCall ")}
    assert calls >= {("PartitionedCall", str(tower), f"tower{tower}/PartitionedCall") for tower in (0, 1)}
