"""oneDNN's lines of both kinds that TensorFlow's releases print, and the place where they are kept."""

import os
import subprocess
import sys

from benchmarks import numa
from benchmarks.onednn_lines import Kind, Told, facts, report, summed_up
from tests.main.conftest import PROJECT, run

CONV = "convolution,jit:avx512_core,backward_weights,src:f32 wei:f32,,alg:convolution_direct,mb4_ic3oc4"
OF_3_7 = f"""\
onednn_verbose,v1,info,oneDNN v3.7.3 (commit N/A)
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,prop_kind,exec_time
onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,src:f32 dst:f32,,,4x3x3x3,0.5
onednn_verbose,v1,primitive,exec,cpu,{CONV},1.5
onednn_verbose,v1,primitive,exec,cpu,{CONV},2
onednn_verbose,v1,primitive,create:cache_miss,cpu,{CONV},9
onednn_verbose,v1,primitive,exec,cpu,convo
another line
"""
KINDS = (Kind("convolution (backward_weights)", "jit:avx512_core", 2, 3.5), Kind("reorder", "jit:uni", 1, 0.5))


def test_lines_of_both_kinds():
    assert summed_up(OF_3_7.splitlines()) == KINDS
    older = OF_3_7.replace("onednn_verbose,v1,primitive,", "onednn_verbose,")
    assert summed_up(older.splitlines()) == KINDS
    with_times = OF_3_7.replace("onednn_verbose,v1,", "onednn_verbose,v1,1700000000.25,")
    assert summed_up(with_times.splitlines()) == KINDS


def test_the_table():
    head, names, first, second = report(Told(KINDS, ("oneDNN v3.7.3",)), steps=2)
    assert head == "oneDNN's primitives in the 2 step(s) of the window (oneDNN v3.7.3):"
    assert names.split() == ["primitive", "implementation", "number", "total", "ms", "share"]
    assert first.split() == ["convolution", "(backward_weights)", "jit:avx512_core", "2", "3.50", "87.5%"]
    assert second.split() == ["reorder", "jit:uni", "1", "0.50", "12.5%"]
    assert report(Told((), ()), 2) == ["oneDNN told of no primitive in the window."]
    assert facts(Told(KINDS, ()), 2)["primitives"][1] == {
        "primitive": "reorder",
        "implementation": "jit:uni",
        "number": 1,
        "milliseconds": 0.5,
    }


def test_only_what_is_told_within_a_part_counts_and_stdout_stays_free_of_it():
    program = f"""
import os
from benchmarks import numa
from benchmarks.onednn_lines import PrimitiveLines
lines = PrimitiveLines()
os.write(lines.own_stdout, b"a line of the run\\n")
line = b"onednn_verbose,primitive,exec,cpu,{CONV},1.5\\n"
os.write(1, b"onednn_verbose,info,oneDNN v3.2.1 (commit N/A)\\n")
os.write(1, b"onednn_verbose,info,cpu,runtime:threadpool,nthr:2\\n" + line)
for _ in range(2):
    with lines.part():
        os.write(1, line)
    os.write(1, line)
told = lines.told()
assert told.kinds[0].number == 2, told
assert told.library == ("oneDNN v3.2.1", "runtime:threadpool"), told
"""
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "a line of the run\n", "")


def test_a_run(tmp_path):
    flags = ["--model=lenet", "--device=cpu", "--batch_size=2", "--num_batches=3", "--num_warmup_batches=1"]
    bound = [f"--numa_node={node}" for node in numa.usable(numa.nodes())][:1]
    ran = run(*flags, "--mkl", *bound, "--onednn_verbose", results_dir=tmp_path)
    assert ran.code == 0, ran.err
    assert "onednn" not in ran.out.lower()
    assert f"NUMA bind:   {bool(bound)}" in ran.out
    assert ran.out.splitlines()[-2].startswith("total images/sec: ")
    assert "oneDNN's primitives in the 3 step(s) of the window (oneDNN v3." in ran.err
    assert (
        "NOTE: KMP_AFFINITY, KMP_BLOCKTIME, KMP_SETTINGS, which --mkl sets: no effect: this TensorFlow has no OpenMP."
        in ran.err
    )
    (record,) = ran.records
    (convolutions,) = [
        each["number"]
        for each in record["onednn"]["primitives"]
        if each["primitive"] == "convolution (forward_training)"
    ]
    assert convolutions == 2 * 3  # LeNet has two
    assert record["environment"]["in_effect"]["onednn"] is True
    assert record["environment"]["variables"]["ONEDNN_VERBOSE"] == "1"
