"""The scripts for Slurm and Kubernetes are well-formed, and their flags are ones that a run takes together."""

import re
import shlex
import subprocess

import pytest
import yaml

from benchmarks.params import options, parse
from tests.cluster.conftest import PROJECT

SCRIPTS = sorted((PROJECT / "examples").glob("*.sh"))
MANIFESTS = sorted((PROJECT / "examples").glob("*.yaml"))
OF_SLURM = {"kill-on-bad-exit", "label"}


def test_there_are_some():
    assert SCRIPTS
    assert MANIFESTS


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_slurm(path, tmp_path):
    subprocess.run(["bash", "-n", path], check=True)
    text = path.read_text().replace("\\\n", " ")
    (line,) = [line for line in text.splitlines() if line.startswith("srun ")]
    words = shlex.split(line.replace("${RESULTS_DIR:-runs}", str(tmp_path)))
    flags = words[words.index("run_benchmark.py") + 1 :]
    params = parse(flags).params
    assert params.cluster_resolver == "slurm"
    asked = int(re.search(r"--ntasks=(\d+)|--nodes=(\d+)", text)[0].split("=")[1])
    assert asked == sum(int(job.split(":")[1]) for job in params.cluster_jobs.split(","))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_of_kubernetes(path, tmp_path):
    documents = list(yaml.safe_load_all(path.read_text()))
    by_kind = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    flags = by_kind["ConfigMap", "cnn-benchmark"]["data"]["flags"].replace("/runs", str(tmp_path)).split()
    params = parse(flags).params
    assert params.cluster_resolver == "kubernetes"
    counts = dict(job.split(":") for job in params.cluster_jobs.split(","))
    labels = dict(label.split(":") for label in params.kubernetes_labels.split(","))
    for job, count in counts.items():
        spec = by_kind["Job", f"cnn-benchmark-{job}"]["spec"]
        assert spec.get("completions", 1) == spec.get("parallelism", 1) == int(count)
        key, value = labels[job].split("=")
        assert spec["template"]["metadata"]["labels"][key] == value
        (container,) = spec["template"]["spec"]["containers"]
        assert container["command"][-1] == "--flagfile=/flags/flags"
        assert container["ports"] == [{"containerPort": params.cluster_port}]


@pytest.mark.parametrize("path", [*SCRIPTS, *MANIFESTS], ids=lambda path: path.name)
def test_every_flag_exists(path):
    flags = re.findall(r"(?<![\w-])--([a-z][\w-]*)", re.sub(r"(?m)^#.*$", "", path.read_text()))
    assert flags
    assert [flag for flag in flags if flag not in {*options(), *OF_SLURM, "flagfile"}] == []
