"""Options of devices and their memory, threads and libraries."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import BESIDE_GPUS, ON_GPU, WITH_GPU_THREADS, WITH_MKL
from benchmarks.params.option import option

_SESSION_ONLY = "only a session of TensorFlow 1 can set it"
_KERNEL_TRACKER = "only a session of TensorFlow 1 can set up the GPU kernel tracker"
_NO_OPENMP = "Only a TensorFlow built with OpenMP heeds it."


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """What the run uses of the machine."""

    TITLE: ClassVar[str] = "Devices, memory and threads"

    device: str = option(
        "auto",
        "Where the towers run; auto: on GPUs where TensorFlow sees one, else on the CPU.",
        choices=("auto", "cpu", "gpu"),
        tcb="its default is gpu",
    )
    num_gpus: int = option(
        1, "Towers, each on a device of its own: GPUs, or with --device=cpu logical CPU devices.", lower_bound=1
    )
    gpu_indices: str = option(
        "", "Which GPUs to use, in the order of the ring: as many as --num_gpus, with commas, as in 0,2.", acts=ON_GPU
    )
    data_format: str = option(
        "auto",
        "Order of the image dimensions; auto: NCHW on GPUs, NHWC on the CPU.",
        choices=("auto", "NHWC", "NCHW"),
        tcb="its default is NCHW",
    )
    allow_soft_placement: bool = option(
        True,
        "Let TensorFlow move an operation whose device is missing or has no kernel for it; the record names each. "
        "--noallow_soft_placement: the run ends there.",
        tcb="it was always on, and no flag",
        run_only=True,
    )
    device_policy: str = option(
        "report",
        "What to do about operations that are not on the device they were asked for, once the first step of the "
        "warm-up has placed them: tell them (report), or refuse the run (strict).",
        choices=("report", "strict"),
        run_only=True,
    )
    log_device_placement: bool = option(
        False,
        "Print, once, the types of the step's operations by device, and the bytes that cross devices in a step.",
        run_only=True,
    )
    num_intra_threads: int | None = option(
        None,
        "Threads within one operation on the CPU; 0: TensorFlow decides. Where it is not given, TensorFlow decides "
        "too, but it is 1 where there is a tower on the CPU for each of its cores.",
        lower_bound=0,
        tcb="not given meant 1 on GPUs",
    )
    num_inter_threads: int = option(0, "Threads across operations; 0: TensorFlow decides.", lower_bound=0)
    numa_node: int | None = option(
        None,
        "Bind this process to the processors of a NUMA node, by its number, and have its memory there as long as there "
        "is some left; before TensorFlow starts, whose threads are then as many as those processors.",
        lower_bound=0,
    )
    use_numa_affinity: bool = option(
        False,
        "The same with a node for each process of a machine, in turn; a run of one process takes the first.",
        tcb="it bound devices of one process to nodes of their own",
    )
    tune_cpu: bool = option(
        False,
        "In place of a run, find the fastest threads, --data_format and number of towers on the CPU, with as many "
        "images a step: what flags say stays, the rest is tried in fresh processes. A table and the command to run are "
        "printed.",
        run_only=True,
    )
    gpu_thread_mode: str = option(
        "gpu_private",
        "Threads that launch GPU work: those of the CPU (global), each GPU its own (gpu_private), or a "
        "pool for all GPUs (gpu_shared). Sets TF_GPU_THREAD_MODE.",
        choices=("global", "gpu_private", "gpu_shared"),
        acts=ON_GPU,
    )
    per_gpu_thread_count: int = option(
        0, "Launching threads per GPU; 0 means 2. Sets TF_GPU_THREAD_COUNT.", lower_bound=0, acts=WITH_GPU_THREADS
    )
    allow_growth: bool | None = option(
        None, "Take GPU memory as it is needed, not all at the start. Sets TF_FORCE_GPU_ALLOW_GROWTH.", acts=ON_GPU
    )
    gpu_memory_frac_for_testing: float = option(
        0.0,
        "Share of each GPU's memory to take, so that runs can share one GPU; 0 leaves it to TensorFlow.",
        lower_bound=0.0,
        acts=ON_GPU,
    )
    use_unified_memory: bool | None = option(
        None, "Let GPU memory overflow into the host's. Sets TF_FORCE_UNIFIED_MEMORY.", acts=ON_GPU
    )
    gpu_allocator: str = option(
        "",
        "Allocator of GPU memory: TensorFlow's own, or CUDA's stream-ordered one (cuda_malloc_async). Sets "
        "TF_GPU_ALLOCATOR.",
        choices=("", "cuda_malloc_async"),
        acts=ON_GPU,
    )
    sync_on_finish: bool = option(
        False, "Wait for the devices at the end of each session step. Sets TF_SYNC_ON_FINISH.", acts=ON_GPU
    )
    winograd_nonfused: bool = option(
        True, "Allow cuDNN's non-fused Winograd convolutions. Sets TF_ENABLE_WINOGRAD_NONFUSED.", acts=ON_GPU
    )
    batchnorm_persistent: bool = option(
        True, "Use cuDNN's persistent batch norm. Sets TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT.", acts=ON_GPU
    )
    mkl: bool | None = option(
        None,
        "Turn oneDNN on (TF_ENABLE_ONEDNN_OPTS=1) and set the KMP variables below and, from --num_intra_threads, "
        "OMP_NUM_THREADS; --nomkl: turn it off. Where it is not given TensorFlow decides, which has it on.",
        tcb="--nomkl, its default, set nothing: oneDNN was then a build of its own",
    )
    onednn_verbose: bool = option(
        False,
        "Have oneDNN tell of each of its primitives (ONEDNN_VERBOSE=1), and sum up those of the window: kind, "
        "implementation, number, time. Telling takes time too.",
        acts=BESIDE_GPUS,
    )
    kmp_blocktime: int = option(
        0, f"Milliseconds that an idle OpenMP thread stays awake. {_NO_OPENMP}", lower_bound=0, acts=WITH_MKL
    )
    kmp_affinity: str = option(
        "granularity=fine,verbose,compact,1,0", f"Binding of OpenMP threads to cores. {_NO_OPENMP}", acts=WITH_MKL
    )
    kmp_settings: int = option(
        1, f"1: OpenMP prints its settings at the start. {_NO_OPENMP}", lower_bound=0, upper_bound=1, acts=WITH_MKL
    )
    force_gpu_compatible: bool = option(False, "Pin all host tensors.", ignored=_SESSION_ONLY)
    timestamped_allocator: bool = option(False, "Stamp freed memory with the time.", ignored=_SESSION_ONLY)
    gpu_kt_max_interval: int = option(0, "Kernels between tracking events.", lower_bound=0, ignored=_KERNEL_TRACKER)
    gpu_kt_max_bytes: int = option(0, "Bytes between tracking events.", lower_bound=0, ignored=_KERNEL_TRACKER)
    gpu_kt_max_pending: int = option(0, "Tracking events in flight.", lower_bound=0, ignored=_KERNEL_TRACKER)
    use_tf_layers: bool = option(True, "Build networks from tf.layers.", ignored="TensorFlow 2 has no tf.layers")
    use_resource_vars: bool = option(
        False, "Use resource variables.", ignored="every variable of TensorFlow 2 is a resource variable"
    )
    use_python32_barrier: bool = option(
        False, "Use threading.Barrier.", ignored="no thread of this program needs a barrier"
    )
