"""NUMA nodes as Linux lists them, and flags of processors that this machine or another flag rules out."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import numa
from benchmarks.params import Params, validate

PROJECT = Path(__file__).parents[2]
TWO = {0: frozenset({0, 1, 2, 3}), 1: frozenset({4, 5})}


@pytest.mark.parametrize(
    ("text", "numbers"), [("0-3,8\n", {0, 1, 2, 3, 8}), ("5", {5}), ("\n", set()), ("0,2-3", {0, 2, 3})]
)
def test_lists_of_the_kernel(text, numbers):
    assert numa.processors(text) == numbers


def test_nodes_with_processors(tmp_path):
    for name, cpus in {"node1": "4-5\n", "node0": "0-3\n", "node2": "\n"}.items():  # the last has memory alone
        (tmp_path / name).mkdir()
        (tmp_path / name / "cpulist").write_text(cpus)
    (tmp_path / "online").write_text("0-2\n")
    (tmp_path / "node7y").mkdir()  # which is none
    assert numa.nodes(tmp_path) == TWO
    assert numa.nodes(tmp_path / "online") == {}


@pytest.mark.parametrize(
    ("params", "environment", "node"),
    [
        (Params(), {}, None),
        (Params(numa_node=1), {"SLURM_LOCALID": "0"}, 1),
        (Params(use_numa_affinity=True), {}, 0),
        (Params(use_numa_affinity=True, task_index=3), {}, 1),
        (Params(use_numa_affinity=True, task_index=3), {"SLURM_LOCALID": "2"}, 1),  # started by hand in Slurm's job
        (Params(use_numa_affinity=True, cluster_resolver="slurm"), {"SLURM_LOCALID": "3"}, 1),
        (Params(use_numa_affinity=True, variable_update="horovod"), {"HOROVOD_LOCAL_RANK": "1"}, 1),
    ],
)
def test_each_process_has_its_node(params, environment, node):
    assert numa.node_of(params, environment, TWO) == node


def test_what_is_told_of_a_process_that_is_bound():
    assert str(numa.Bound(1, 2, 16)) == "bound to NUMA node 1 with its 16 processor(s)."
    assert "that changes nothing" in str(numa.Bound(0, 1, 2))
    assert "its memory could not be (Operation not permitted)" in str(numa.Bound(0, 2, 2, "Operation not permitted"))


def test_a_node_that_is_not_there_is_refused():
    (found,) = validate(Params(numa_node=4095))
    assert found.startswith("--numa_node=4095: ")
    assert found.endswith("leave it out.") or "tells of no NUMA nodes" in found


def test_primitives_are_those_of_a_window(data):
    params = Params(onednn_verbose=True, eval=True, train_dir="trained", **data)
    assert "--onednn_verbose and --eval: evaluations have no window. Leave one of them out." in validate(params)


def test_two_ways_to_choose_one():
    (found,) = validate(Params(numa_node=0, use_numa_affinity=True))
    assert found == "--numa_node=0 and --use_numa_affinity both choose a NUMA node: give one of them."


@pytest.mark.skipif(not numa.usable(numa.nodes()), reason="this system tells of no NUMA nodes")
def test_a_process_is_bound():
    program = """
from benchmarks import numa
node, cpus = next(iter(numa.usable(numa.nodes()).items()))
bound, state = numa.bind(node), numa.state()
assert bound.processors == len(cpus)
assert state["processors"] == {str(node): sorted(cpus)}
assert bound.memory or state["memory"] == f"preferred {node}", state
"""
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True, timeout=60)  # binding is for good
