import pytest

from benchmarks.params import Params, parse, resolve, validate

REPLICATED = {"variable_update": "replicated", "num_gpus": 4}


def two_workers():
    return {
        "variable_update": "distributed_all_reduce", "job_name": "controller", "controller_host": "localhost:21310",
        "worker_hosts": "localhost:21311,localhost:21312",
    }  # fmt: skip


@pytest.mark.parametrize(
    "params",
    [
        Params(all_reduce_spec=""),
        Params(all_reduce_spec="pscpu:2k:pscpu#2:64k:xring", device="cpu", **REPLICATED),
        Params(all_reduce_spec="nccl/xring", **REPLICATED),
        Params(all_reduce_spec="nccl", precision="bf16", gradient_transfer="fp32", **REPLICATED),
        Params(all_reduce_spec="nccl", precision="bf16", compact_gradient_transfer=False, **REPLICATED),
        Params(all_reduce_spec="nccl", use_fp16=True, **REPLICATED),
        Params(all_reduce_spec="hierarchical_copy", hierarchical_copy=True, **REPLICATED),
        Params(hierarchical_copy=True, network_topology="gcp_v100", variable_update="replicated", num_gpus=8),
        Params(network_topology="gcp_v100", **REPLICATED),
        Params(hierarchical_copy=True, network_topology="auto", **REPLICATED),
        Params(hierarchical_copy=True, network_topology="auto", num_gpus=3, **two_workers()),
        Params(all_reduce_spec="psgpu", device="cpu"),  # without an exchange it has no effect, which is a warning
        Params(bytes_per_pack=1024, allreduce_merge_scope=1, **REPLICATED),
        Params(all_reduce_spec="nccl/xring:2k:pscpu", num_gpus=4, **two_workers()),
        Params(hierarchical_copy=True, network_topology="gcp_v100", num_gpus=4, **two_workers()),
        Params(all_reduce_spec="collective#2", variable_update="collective_all_reduce"),
        Params(all_reduce_spec="collective:2k:collective#2", variable_update="collective_all_reduce"),
    ],
)
def test_valid(params):
    assert validate(params) == []


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (
            Params(all_reduce_spec="pscpu:2q:xring"),
            "--all_reduce_spec=pscpu:2q:xring: at character 8: '2q' is no limit. Allowed is a whole number from 1 on",
        ),
        (
            Params(all_reduce_spec="collective#3", **REPLICATED),
            "--all_reduce_spec=collective#3: at character 12: collective cannot cut into 3 shards. Allowed is",
        ),
        (
            Params(all_reduce_spec="xring", hierarchical_copy=True),
            "--hierarchical_copy and --all_reduce_spec=xring both choose the algorithm: give one of them.",
        ),
        (
            Params(all_reduce_spec="pscpu:2k:nccl", device="cpu", **REPLICATED),
            "--all_reduce_spec=pscpu:2k:nccl with --device=cpu: nccl needs GPUs. On CPU devices there are xring, rechd",
        ),
        (
            Params(all_reduce_spec="psgpu#4", device="cpu", **REPLICATED),
            "--all_reduce_spec=psgpu#4 with --device=cpu: psgpu needs GPUs.",
        ),
        (
            Params(all_reduce_spec="nccl", precision="bf16", **REPLICATED),
            "--all_reduce_spec=nccl: TensorFlow's NCCL does not add up bfloat16, in which gradients would travel here.",
        ),
        (
            Params(hierarchical_copy=True, network_topology="gcp_v100", **REPLICATED),
            "--network_topology=gcp_v100 is a machine with 8 GPUs, and there are 4 towers. Take --num_gpus=8 or",
        ),
        (
            Params(gradient_repacking=2, agg_small_grads_max_bytes=64),
            "--gradient_repacking=2 and --agg_small_grads_max_bytes=64 each say what is exchanged together: give one",
        ),
        (
            Params(bytes_per_pack=2, allreduce_merge_scope=32),
            "--bytes_per_pack=2 and --allreduce_merge_scope=32 each say what is exchanged together: give one",
        ),
        (
            Params(all_reduce_spec="nccl#2:2k:xring", **two_workers()),
            "--all_reduce_spec=nccl#2:2k:xring: nccl joins the GPUs of one worker, and there are 2 workers. Between",
        ),
        (
            Params(
                all_reduce_spec="nccl",
                variable_update="distributed_all_reduce",
                cluster_resolver="slurm",
                cluster_jobs="controller:1,worker:3",
            ),
            "--all_reduce_spec=nccl: nccl joins the GPUs of one worker, and there are 3 workers. Between",
        ),
        (
            Params(hierarchical_copy=True, network_topology="gcp_v100", **two_workers()),
            "--network_topology=gcp_v100 is a machine with 8 GPUs, and there are 2 towers. Take",
        ),
        (
            Params(all_reduce_spec="collective:2k:xring", variable_update="collective_all_reduce"),
            "--all_reduce_spec=collective:2k:xring with --variable_update=collective_all_reduce: its algorithm is",
        ),
        (
            Params(hierarchical_copy=True, variable_update="collective_all_reduce"),
            "--hierarchical_copy with --variable_update=collective_all_reduce: its algorithm is collective",
        ),
        (Params(agg_small_grads_max_group=0), "--agg_small_grads_max_group=0 must be at least 1."),
        (Params(gradient_transfer="tf32"), "--gradient_transfer=tf32 is none of: fp32, fp16, bf16."),
    ],
)
def test_problem(params, problem):
    [found] = validate(params)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], "fp32"),
        (["--use_fp16"], "fp16"),
        (["--precision=bf16"], "bf16"),
        (["--precision=tf32"], "fp32"),
        (["--precision=bf16", "--nocompact_gradient_transfer"], "fp32"),
        (["--precision=bf16", "--gradient_transfer=fp16"], "fp16"),
        (["--gradient_transfer=bf16"], "bf16"),
        (["--gradient_transfer=bf16", "--variable_update=independent"], "fp32"),
        (["--gradient_transfer=bf16", "--num_gpus=1"], "fp32"),
    ],
)
def test_what_gradients_travel_in(flags, expected):
    params = parse(["--variable_update=replicated", "--num_gpus=2", *flags]).params
    resolved = resolve(params, device="gpu")
    assert resolved.gradient_transfer == expected
    assert resolve(resolved, device="gpu") == resolved
