"""Traces of real processes: ended in the middle of one, and without any."""

from tests.main.conftest import INTERRUPT, SHORT, run_program, signal_at

UNUSED = ("benchmarks.tracing", "benchmarks.xplane", "benchmarks.summaries", "benchmarks.graph_file", "keras")


def test_an_interrupt_in_the_middle_of_a_trace_leaves_a_record_and_no_file(tmp_path):
    trace = tmp_path / "trace.json"
    flags = ["--model=trivial", "--data_name=cifar10", f"--trace_file={trace}", "--trace_steps=1:100000"]
    ran = signal_at("1\timages", INTERRUPT, *SHORT, *flags, results_dir=tmp_path / "runs")
    assert ran.code == 130
    (record,) = ran.records
    assert record["status"] == "interrupted"
    assert record["trace"] == {}
    assert len(record["measurement"]["step_seconds"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_run_without_a_trace_imports_nothing_of_it_and_no_keras(tmp_path):
    flags = [*SHORT, "--model=trivial", "--data_name=cifar10", f"--results_dir={tmp_path}"]
    modules = f"[name for name in sys.modules if name in {UNUSED!r} or 'xplane_pb2' in name]"
    out = run_program(f"import sys, run_benchmark; run_benchmark.main({flags!r}); print('unused', {modules})")
    assert "total images/sec: " in out
    assert out.rstrip().endswith("unused []")
