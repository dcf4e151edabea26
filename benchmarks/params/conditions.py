"""When options act that depend on others. An option given where it has no effect is warned about, not dropped."""

from benchmarks.params.option import Condition

ON_GPU = Condition("on GPUs", lambda params: params.device != "cpu")
WITH_MKL = Condition("with --mkl", lambda params: params.mkl)
WITH_GPU_THREADS = Condition(
    "on GPUs with --gpu_thread_mode=gpu_private or gpu_shared",
    lambda params: params.device != "cpu" and params.gpu_thread_mode != "global",
)
WITH_AUTO_LOSS_SCALE = Condition(
    "with --fp16_enable_auto_loss_scale", lambda params: params.fp16_enable_auto_loss_scale
)
WITH_DATA = Condition("with --data_dir (synthetic images are used as they are)", lambda params: bool(params.data_dir))
WITH_MOMENTUM = Condition("with --optimizer=momentum", lambda params: params.optimizer == "momentum")
WITH_RMSPROP = Condition("with --optimizer=rmsprop", lambda params: params.optimizer == "rmsprop")
WITH_ADAM = Condition("with --optimizer=adam", lambda params: params.optimizer == "adam")
WITH_PARAMETER_SERVER = Condition(
    "with --variable_update=parameter_server", lambda params: params.variable_update == "parameter_server"
)
IN_CLUSTER = Condition("with --job_name", lambda params: bool(params.job_name))
WITH_SLURM_OR_KUBERNETES = Condition(
    "with --cluster_resolver=slurm or kubernetes", lambda params: params.cluster_resolver in ("slurm", "kubernetes")
)
WITH_KUBERNETES = Condition(
    "with --cluster_resolver=kubernetes", lambda params: params.cluster_resolver == "kubernetes"
)
