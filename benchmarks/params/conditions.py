"""When options act that depend on others. An option given where it has no effect is warned about, not dropped."""

from typing import Any

import models
from benchmarks.params.data_set import data_name
from benchmarks.params.option import Condition
from models.cost import batch_norms


def reads_imagenet(params: Any) -> bool:
    """Whether a run reads ImageNet from files."""
    return bool(params.data_dir) and data_name(params) == "imagenet"


def prepares_by_default(params: Any) -> bool:
    """Whether a run reads ImageNet, and prepares its images as tf_cnn_benchmarks did by default."""
    return reads_imagenet(params) and params.input_preprocessor == "default"


def asked_gpus(params: Any) -> list[int]:
    """The numbers, as TensorFlow gives them, of the GPUs that the towers are asked to be on."""
    return [int(each) for each in params.gpu_indices.split(",")] if params.gpu_indices else [*range(params.num_gpus)]


EVALUATION_SCHEDULES = (
    "eval_during_training_every_n_steps",
    "eval_during_training_every_n_epochs",
    "eval_during_training_at_specified_steps",
    "eval_during_training_at_specified_epochs",
)


def evaluates(params: Any) -> bool:
    """Whether a run evaluates while it trains."""
    return any(getattr(params, name) for name in EVALUATION_SCHEDULES)


def traces(params: Any) -> bool:
    """Whether a run traces some of its steps."""
    return bool(params.trace_file or params.tfprof_file)


def quantizes(params: Any) -> bool:
    """Whether LiteRT runs a quantised model in place of TensorFlow's step."""
    return bool(params.quantize != "none")


def reads_evaluation_images(params: Any) -> bool:
    """Whether a run evaluates, while it trains or in place of training, or a quantised model."""
    return params.eval or evaluates(params) or (quantizes(params) and bool(params.data_dir))


def has_batch_norm(params: Any) -> bool:
    """Whether the network of a run has layers of batch norm; a name that is none is another's problem."""
    try:
        return batch_norms(models.get(params.model, data_name(params) or "")) > 0
    except LookupError:
        return True


WITH_BATCH_NORM = Condition("with a model that has batch norm", has_batch_norm)
WITH_BATCH_SEARCH = Condition("with --find_batch_size", lambda params: bool(params.find_batch_size))
WITH_TRACE_FILE = Condition("with --trace_file", lambda params: bool(params.trace_file))
WITH_TRACE = Condition("with --trace_file or --tfprof_file", traces)
WITH_SUMMARIES = Condition("with --summary_verbosity", lambda params: params.summary_verbosity > 0)
WITH_EVALUATION = Condition(
    "with --eval, one of --eval_during_training_every_n_steps and its like, or --quantize and --data_dir",
    reads_evaluation_images,
)
WITH_EVAL = Condition("with --eval", lambda params: params.eval)
WITH_QUANTIZE = Condition("with --quantize", quantizes)
WITH_INT8 = Condition("with --quantize=int8", lambda params: params.quantize == "int8")
TRAINS_WITH_TRAIN_DIR = Condition(
    "with --train_dir, and with neither --eval nor --quantize",
    lambda params: bool(params.train_dir) and not params.eval and not quantizes(params),
)
ON_GPU = Condition("on GPUs", lambda params: params.device != "cpu")
BESIDE_GPUS = Condition("on the CPU", lambda params: params.device != "gpu")
WITH_MKL = Condition("with --mkl", lambda params: bool(params.mkl))
WITH_GPU_THREADS = Condition(
    "on GPUs with --gpu_thread_mode=gpu_private or gpu_shared",
    lambda params: params.device != "cpu" and params.gpu_thread_mode != "global",
)
WITH_AUTO_LOSS_SCALE = Condition(
    "with --fp16_enable_auto_loss_scale", lambda params: params.fp16_enable_auto_loss_scale
)
WITH_DATA = Condition("with --data_dir (synthetic images are used as they are)", lambda params: bool(params.data_dir))
WITH_DATA_ON_GPU = Condition(
    "with --data_dir and on GPUs", lambda params: bool(params.data_dir) and params.device != "cpu"
)
WITH_IMAGENET = Condition("with --data_dir of imagenet", reads_imagenet)
WITH_COUNTED_IMAGES = Condition(
    "with --data_dir of imagenet, and not with --input_method=service, which ends at the first such image",
    lambda params: reads_imagenet(params) and params.input_method != "service",
)
WITH_DATA_SERVICE = Condition(
    "with --data_dir and --input_method=service",
    lambda params: bool(params.data_dir) and params.input_method == "service",
)
WITH_DEFAULT_PREPROCESSOR = Condition(
    "with --data_dir of imagenet and --input_preprocessor=default", prepares_by_default
)
WITH_DISTORTED_COLORS = Condition(
    "with --data_dir of imagenet, --input_preprocessor=default and --distortions",
    lambda params: prepares_by_default(params) and params.distortions,
)
WITH_MOMENTUM = Condition("with --optimizer=momentum", lambda params: params.optimizer == "momentum")
WITH_LARS = Condition("with --optimizer=lars", lambda params: params.optimizer == "lars")
WITH_MOMENTUM_OR_LARS = Condition(
    "with --optimizer=momentum or lars", lambda params: params.optimizer in ("momentum", "lars")
)
WITH_RMSPROP = Condition("with --optimizer=rmsprop", lambda params: params.optimizer == "rmsprop")
WITH_ADAM = Condition("with --optimizer=adam", lambda params: params.optimizer == "adam")
WITH_PARAMETER_SERVER = Condition(
    "with --variable_update=parameter_server", lambda params: params.variable_update == "parameter_server"
)
WITH_PARAMETER_DEVICES = Condition(
    "with --variable_update=parameter_server or distributed_replicated",
    lambda params: params.variable_update in ("parameter_server", "distributed_replicated"),
)
WITH_HOROVOD = Condition("with --variable_update=horovod", lambda params: params.variable_update == "horovod")
WITH_REPLICATED = Condition("with --variable_update=replicated", lambda params: params.variable_update == "replicated")

# The strategies that reduce gradients to every tower; the others have no use for an all-reduce.
ALL_REDUCING = ("replicated", "distributed_all_reduce", "collective_all_reduce", "horovod")


def exchanges_gradients(params: Any) -> bool:
    """Whether a run has an all-reduce."""
    return params.variable_update in ALL_REDUCING and (params.num_gpus > 1 or params.variable_update != "replicated")


def _heeds_wiring(params: Any) -> bool:
    heeding = ("hierarchical_copy", "xring") if params.network_topology == "auto" else ("hierarchical_copy",)
    return params.hierarchical_copy or any(name in (params.all_reduce_spec or "") for name in heeding)


_EXCHANGE = f"with --variable_update={' or '.join(ALL_REDUCING)} and more than one tower"
WITH_EXCHANGE = Condition(_EXCHANGE, exchanges_gradients)
WITH_NARROW_EXCHANGE = Condition(
    f"{_EXCHANGE} that compute in fp16 or bf16",
    lambda params: exchanges_gradients(params) and (params.use_fp16 or params.precision in ("fp16", "bf16")),
)
WITH_WIRING = Condition(
    f"with --hierarchical_copy or hierarchical_copy in --all_reduce_spec, as auto with xring there, {_EXCHANGE}",
    lambda params: exchanges_gradients(params) and _heeds_wiring(params),
)
WITH_SMALL_GRADIENTS = Condition(
    f"with --agg_small_grads_max_bytes, {_EXCHANGE}",
    lambda params: exchanges_gradients(params) and params.agg_small_grads_max_bytes > 0,
)
WITH_PREFLIGHT = Condition("with --preflight", lambda params: params.preflight)
WITH_LOG_DIR = Condition("with --benchmark_log_dir", lambda params: bool(params.benchmark_log_dir))
IN_CLUSTER = Condition("with --job_name", lambda params: bool(params.job_name))
WITH_SLURM_OR_KUBERNETES = Condition(
    "with --cluster_resolver=slurm or kubernetes", lambda params: params.cluster_resolver in ("slurm", "kubernetes")
)
SEVERAL_WORKERS = Condition(
    "with --variable_update=parameter_server over several processes; those of one process always make a step together",
    lambda params: (
        params.cross_replica_sync  # is what happens anyway
        or (params.variable_update == "parameter_server" and bool(params.job_name))
        or WITH_SLURM_OR_KUBERNETES.holds(params)
    ),
)
WITH_KUBERNETES = Condition(
    "with --cluster_resolver=kubernetes", lambda params: params.cluster_resolver == "kubernetes"
)
