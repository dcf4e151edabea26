"""Scripts written for tf_cnn_benchmarks pass these flags: each is accepted, or refused with a reason."""

import pytest

from benchmarks.params import CommandLineError, notices, options, parse
from benchmarks.params.option import Option, Status

# Every flag of tf_cnn_benchmarks (with its all-reduce benchmark's --iters_per_step), in the groups of its history.
HISTORY = """
model batch_size eval_batch_size batch_group_size num_batches num_epochs num_eval_batches num_eval_epochs
num_warmup_batches autotune_threshold display_every display_perf_ewma tf_random_seed loss_type_to_report
single_l2_loss_op weight_decay

eval eval_dir eval_interval_secs forward_only freeze_when_forward_only trt_mode trt_max_workspace_size_bytes
print_training_accuracy eval_during_training_every_n_steps eval_during_training_every_n_epochs
eval_during_training_at_specified_steps eval_during_training_at_specified_epochs stop_at_top_1_accuracy
collect_eval_results_async backbone_model_path ml_perf ml_perf_compliance_logging

num_gpus gpu_indices device local_parameter_device data_format num_intra_threads num_inter_threads gpu_thread_mode
per_gpu_thread_count use_numa_affinity allow_growth gpu_memory_frac_for_testing use_unified_memory
force_gpu_compatible timestamped_allocator gpu_kt_max_interval gpu_kt_max_bytes gpu_kt_max_pending sync_on_finish
winograd_nonfused batchnorm_persistent use_tf_layers use_resource_vars use_python32_barrier use_datasets
compute_lr_on_cpu sparse_to_dense_grads mkl kmp_blocktime kmp_affinity kmp_settings

use_fp16 fp16_vars fp16_loss_scale fp16_enable_auto_loss_scale fp16_inc_loss_scale_every_n xla xla_compile
enable_optimizations rewriter_config fuse_decode_and_crop distort_color_in_yiq

variable_update staged_vars cross_replica_sync variable_consistency all_reduce_spec gradient_repacking
compact_gradient_transfer agg_small_grads_max_bytes agg_small_grads_max_group allreduce_merge_scope hierarchical_copy
network_topology iters_per_step

data_dir data_name input_preprocessor resize_method distortions datasets_use_prefetch datasets_prefetch_buffer_size
datasets_num_private_threads datasets_use_caching datasets_parallel_interleave_cycle_length
datasets_parallel_interleave_prefetch datasets_sloppy_parallel_interleave datasets_repeat_cached_sample
multi_device_iterator_max_buffer_size

optimizer init_learning_rate piecewise_learning_rate_schedule num_epochs_per_decay learning_rate_decay_factor
minimum_learning_rate num_learning_rate_warmup_epochs resnet_base_lr momentum rmsprop_decay rmsprop_momentum
rmsprop_epsilon adam_beta1 adam_beta2 adam_epsilon gradient_clip

trace_file use_chrome_trace_format tfprof_file graph_file partitioned_graph_file_prefix debugger summary_verbosity
save_summaries_steps train_dir save_model_secs save_model_steps max_ckpts_to_keep benchmark_log_dir benchmark_test_id

job_name ps_hosts worker_hosts controller_host task_index server_protocol horovod_device
"""
NAMES = HISTORY.split()

REFUSED = {
    "trt_mode": "--trt_mode=INT8 is refused: TensorFlow has no TensorRT since 2.18.",
    "trt_max_workspace_size_bytes": "--trt_max_workspace_size_bytes=1 is refused: TensorFlow has no TensorRT",
    "collect_eval_results_async": "--collect_eval_results_async=True is refused: there is no detection model here.",
    "backbone_model_path": "--backbone_model_path=1 is refused: there is no detection model here.",
    "debugger": "--debugger=1 is refused: it went with TensorFlow 1's sessions.",
    "eval": "--eval without --train_dir, whose checkpoints it evaluates: give the folder of a training.",
    **{
        name: f"--{name}={value} without --data_dir: synthetic images have nothing to learn."
        for name, value in {
            "eval_during_training_every_n_steps": 1,
            "eval_during_training_every_n_epochs": 1.0,
            "eval_during_training_at_specified_steps": 1,
            "eval_during_training_at_specified_epochs": 1,
        }.items()
    },
    "stop_at_top_1_accuracy": "--stop_at_top_1_accuracy=1.0 without evaluations, which alone tell the accuracy: add",
    "summary_verbosity": "--summary_verbosity=1 writes nothing yet: add --train_dir=FOLDER for the events and",
    "job_name": "--job_name=controller without hosts of that role: add --controller_host=host:port.",
    "ps_hosts": "--ps_hosts names '1', which is not host:port.",
    "worker_hosts": "--worker_hosts names '1', which is not host:port.",
    "controller_host": "--controller_host names '1', which is not host:port.",
    "variable_update": "--variable_update=horovod: the package horovod is not installed.",
}

# Each of these alone lacks more than one thing: every one is named.
LACKING = ("job_name", "ps_hosts", "worker_hosts", "controller_host", "eval")


def value_of(option: Option) -> str:
    """A valid value that asks for something."""
    texts = {"model": "resnet50", "data_name": "imagenet", "all_reduce_spec": "pscpu:2k:pscpu#2:64k:xring"}
    if option.name in texts:
        return texts[option.name]
    if option.choices:
        return next(choice for choice in reversed(option.choices))
    return "true" if option.kind is bool else "1"


def test_every_name_is_listed_once():
    assert len(NAMES) == len(set(NAMES)) == 139


@pytest.mark.parametrize("name", NAMES)
def test_accepted_or_refused_with_a_reason(name):
    option = options()[name]
    try:
        command = parse([f"--{name}={value_of(option)}"])
    except CommandLineError as error:
        first, *others = error.problems
        assert not first.startswith("Unknown flag")
        assert name not in REFUSED or first.startswith(REFUSED[name])
        assert not others or name in LACKING
    else:
        assert name not in REFUSED
        assert command.given == {name}
        warned = [notice.flag for notice in notices(command.params, command.given)]
        acts = option.status is Status.ACTING and (option.acts is None or option.acts.holds(command.params))
        assert warned == ([] if acts else [name])


@pytest.mark.parametrize("name", ["trt_mode", "collect_eval_results_async", "eval", "forward_only", "job_name"])
def test_what_is_refused_may_be_given_as_off(name):
    command = parse([f"--{name}={options()[name].default}"])
    assert notices(command.params, command.given) == []


REPLICATED = ["--variable_update=replicated", "--num_gpus=8"]


@pytest.mark.parametrize(
    "flag",
    [
        "all_reduce_spec=pscpu:2k:pscpu#2:64k:xring", "all_reduce_spec=psgpu#4", "all_reduce_spec=nccl/xring",
        "hierarchical_copy", "gradient_repacking=8", "agg_small_grads_max_bytes=1024", "allreduce_merge_scope=32",
        "bytes_per_pack=4194304", "gradient_transfer=fp16",
    ],
)  # fmt: skip
def test_the_gradient_exchange_acts_between_towers_with_copies(flag):
    command = parse([f"--{flag}", *REPLICATED])
    assert notices(command.params, command.given) == []
    for alone in (["--variable_update=replicated"], ["--num_gpus=8"]):
        command = parse([f"--{flag}", *alone])
        [notice] = notices(command.params, command.given)
        assert notice.kind == "no effect"


@pytest.mark.parametrize(
    ("flags", "acts"),
    [
        (["--network_topology=gcp_v100"], False),
        (["--network_topology=gcp_v100", "--all_reduce_spec=xring"], False),
        (["--network_topology=auto", "--all_reduce_spec=xring"], True),
        (["--network_topology=gcp_v100", "--hierarchical_copy"], True),
        (["--network_topology=gcp_v100", "--all_reduce_spec=tree:2k:hierarchical_copy"], True),
        (["--agg_small_grads_max_group=3"], False),
        (["--agg_small_grads_max_group=3", "--agg_small_grads_max_bytes=64"], True),
        (["--compact_gradient_transfer"], False),
        (["--nocompact_gradient_transfer"], False),
        (["--nocompact_gradient_transfer", "--use_fp16"], True),
        (["--compact_gradient_transfer", "--precision=bf16"], True),
    ],
)
def test_details_of_the_exchange_act_with_what_they_belong_to(flags, acts):
    command = parse([*flags, *REPLICATED])
    assert (notices(command.params, command.given) == []) == acts


PERFKIT = """
--local_parameter_device=cpu --batch_size=64 --model=resnet50 --data_name=imagenet --variable_update=parameter_server
--distortions=True --device=cpu --data_format=NHWC --forward_only=False --use_fp16=False --num_gpus=1 --job_name=
--ps_hosts= --worker_hosts= --task_index=0
"""


def test_a_command_of_perfkit_benchmarker():
    command = parse(PERFKIT.split())
    assert [notice.flag for notice in notices(command.params, command.given)] == ["distortions"]
