import pytest

from benchmarks.errors import UserError
from benchmarks.exchange import plan_exchange, reduce_options
from benchmarks.params import parse, resolve
from variable_mgr.exchange_plan import ReduceOptions


def options_of(*flags):
    command = parse(["--variable_update=replicated", "--num_gpus=2", *flags])
    return reduce_options(resolve(command.params, device="gpu"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], ReduceOptions()),
        (["--all_reduce_spec="], ReduceOptions()),
        (["--all_reduce_spec=nccl/xring"], ReduceOptions(spec="nccl/xring")),
        (["--hierarchical_copy", "--num_gpus=4"], ReduceOptions(spec="hierarchical_copy")),
        (["--network_topology=gcp_v100"], ReduceOptions(topology="gcp_v100")),
        (["--gradient_repacking=8"], ReduceOptions(repacking=8)),
        (["--bytes_per_pack=4096"], ReduceOptions(bytes_per_pack=4096)),
        (
            ["--agg_small_grads_max_bytes=64", "--agg_small_grads_max_group=3"],
            ReduceOptions(small_bytes=64, small_group=3),
        ),
        (["--allreduce_merge_scope=32"], ReduceOptions(gradients_per_pack=32)),
        (["--use_fp16"], ReduceOptions(transfer_format="float16")),
        (["--precision=bf16", "--nocompact_gradient_transfer"], ReduceOptions()),
        (["--gradient_transfer=bf16"], ReduceOptions(transfer_format="bfloat16")),
    ],
)
def test_flags_become_options(flags, expected):
    assert options_of(*flags) == expected


@pytest.mark.parametrize(
    ("options", "problem"),
    [(ReduceOptions(spec="nccl"), "nccl needs GPUs"), (ReduceOptions(spec="x"), "at character 1: 'x' is no algorithm")],
)
def test_what_cannot_be_had_is_the_users_to_mend(options, problem):
    with pytest.raises(UserError, match=problem):
        plan_exchange(options, {"a": 4}, ["/cpu:0", "/cpu:1"])
