"""The devices of a run: which the towers compute on, where parameter_server keeps variables, and what they can do."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from benchmarks.absent_gpus import asking_flag, counted, way_out
from benchmarks.errors import UserError
from benchmarks.params import Params
from benchmarks.params.conditions import asked_gpus
from benchmarks.params.resolve import intra_threads
from benchmarks.precision import COMPUTE_DTYPE
from benchmarks.telemetry.cuda_order import bus_addresses
from benchmarks.telemetry.gpus import total_memory
from models.layers import Net, declarations
from models.network import Network, Outputs
from variable_mgr.topology import is_gpu

FIRST_WITH_TF32 = (8, 0)  # Ampere


@dataclass(frozen=True)
class Devices:
    """`kind` is "cpu" or "gpu"; `towers` are the towers' devices, `parameters` those for parameter_server.

    `processes` run the same step each on as many towers of its own; this is number `process` of them. `runtime` is
    what connects them: TensorFlow's strategy, or the module of Horovod.
    """

    kind: str
    towers: tuple[str, ...]
    parameters: tuple[str, ...]
    processes: int = 1
    process: int = 0
    runtime: Any = None

    @property
    def num_towers(self) -> int:
        """Towers over all processes."""
        return len(self.towers) * self.processes

    @property
    def first_tower(self) -> int:
        """Number of this process's first tower among all."""
        return len(self.towers) * self.process


def set_up(params: Params) -> Devices:
    """Find and configure the devices that `params` asks for. Call it before TensorFlow computes anything.

    Raises UserError where there are fewer GPUs than asked for.
    """
    configure(params)
    gpus = tf.config.list_physical_devices("GPU")
    kind = kind_of_towers(params, any_gpus=bool(gpus))
    if params.precision == "tf32":
        _check_tf32(kind, gpus)
    towers = _gpu_towers(params, gpus) if kind == "gpu" else _cpu_towers(params.num_gpus)
    parameter_device = params.local_parameter_device or kind
    if parameter_device == "gpu" and kind == "cpu":
        raise UserError(
            "--local_parameter_device=gpu: this run computes on the CPU. Pass --local_parameter_device=cpu."
        )
    return Devices(kind, towers, towers if parameter_device == "gpu" else ("/cpu:0",))


def configure(params: Params) -> None:
    """Set what concerns TensorFlow as a whole: threads, determinism, TF32, what it may move and change in a graph."""
    _set_threads(params)
    tf.config.set_soft_device_placement(params.allow_soft_placement)
    if params.deterministic:
        tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(params.precision == "tf32")
    # The layout optimizer would measure NCHW where NHWC was asked for.
    tf.config.optimizer.set_experimental_options(
        {"layout_optimizer": False, "disable_meta_optimizer": not params.enable_optimizations}
    )


def kind_of_towers(params: Params, *, any_gpus: bool) -> str:
    """What the towers of `params` compute on, "cpu" or "gpu", where TensorFlow sees `any_gpus` or none.

    auto never means the CPU for several towers or where GPUs are named: logical CPU devices are for who asks for them.
    """
    if params.device != "auto":
        return params.device
    return "gpu" if any_gpus or params.num_gpus > 1 or params.gpu_indices else "cpu"


def _check_tf32(kind: str, gpus: Sequence[tf.config.PhysicalDevice]) -> None:
    details = tf.config.experimental.get_device_details(gpus[0]) if kind == "gpu" and gpus else {}
    capability = details.get("compute_capability", (0, 0))
    if capability < FIRST_WITH_TF32:
        found = (
            f"{details.get('device_name', 'this GPU')} is {capability}" if kind == "gpu" else "this run uses the CPU"
        )
        raise UserError(
            f"--precision=tf32: only GPUs of compute capability 8.0 on have it, {found}. Pass fp32 or bf16."
        )


def _set_threads(params: Params) -> None:
    if threads := intra_threads(params):  # with 0 TensorFlow decides, as without a number
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    if params.num_inter_threads:
        tf.config.threading.set_inter_op_parallelism_threads(params.num_inter_threads)


def _cpu_towers(count: int) -> tuple[str, ...]:
    """Logical CPU devices stand in for GPUs; they share the cores."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or [None]) < count:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    tf.config.set_visible_devices([], "GPU")
    return tuple(f"/cpu:{index}" for index in range(count))


def gpu_indices(params: Params, gpus: Sequence[tf.config.PhysicalDevice]) -> list[int]:
    """Which of `gpus`, all that TensorFlow sees, the towers use. Raises UserError where there are fewer."""
    indices = asked_gpus(params)
    missing = [index for index in indices if index >= len(gpus)]
    if missing:
        count = len(gpus)
        raise UserError(
            f"{asking_flag(params, count)}: TensorFlow {tf.__version__} sees {counted(params, count)}. "
            f"{way_out(params, count)}. If the machine has {'more' if gpus else 'one'} for which this TensorFlow has "
            "code (--preflight tells), install tensorflow[and-cuda] and see whether nvidia-smi works."
        )
    return indices


def numbers(params: Params) -> list[int]:
    """TensorFlow's numbers, among all GPUs that it sees in this process, of those of the towers."""
    return gpu_indices(params, tf.config.list_physical_devices("GPU"))


def _gpu_towers(params: Params, gpus: Sequence[tf.config.PhysicalDevice]) -> tuple[str, ...]:
    indices = gpu_indices(params, gpus)
    visible = [gpus[index] for index in indices]
    tf.config.set_visible_devices(visible, "GPU")
    for gpu in visible:
        _configure_memory(params, gpu)
    return in_order(indices)


def in_order(indices: Sequence[int]) -> tuple[str, ...]:
    """TensorFlow's names for the GPUs `indices`, in their order, if no others are visible: it numbers upwards."""
    ranks = sorted(indices)
    return tuple(f"/gpu:{ranks.index(index)}" for index in indices)


def _configure_memory(params: Params, gpu: tf.config.PhysicalDevice) -> None:
    if params.gpu_memory_frac_for_testing:
        total = _total_memory(_number(gpu))
        if isinstance(total, str):
            raise UserError(
                f"--gpu_memory_frac_for_testing={params.gpu_memory_frac_for_testing}: how much memory {gpu.name} has "
                f"is not known: {total}. Leave it out."
            )
        limit = int(params.gpu_memory_frac_for_testing * total / 2**20)
        tf.config.set_logical_device_configuration(gpu, [tf.config.LogicalDeviceConfiguration(memory_limit=limit)])
    elif params.allow_growth:
        tf.config.experimental.set_memory_growth(gpu, True)


def _total_memory(number: int) -> int | str:
    """Bytes of the GPU to which TensorFlow gives this number, before TensorFlow takes them; or why it is not known."""
    addresses = bus_addresses()
    if isinstance(addresses, str):
        return addresses
    address = addresses[number] if number < len(addresses) else None
    return total_memory(address) if address else "CUDA does not tell which it is"


def _number(gpu: tf.config.PhysicalDevice) -> int:
    return int(gpu.name.rsplit(":", 1)[1])


def addresses_in_use(devices: Devices) -> tuple[str, ...] | None:
    """PCI addresses of the GPUs of this process's towers, none where these are on the CPU; None where not told."""
    if devices.kind == "cpu":
        return ()
    visible = [_number(gpu) for gpu in tf.config.get_visible_devices("GPU")]
    found = bus_addresses()
    told = [] if isinstance(found, str) else [found[number] for number in visible if number < len(found)]
    known = tuple(address for address in told if address)
    return known if known and len(known) == len(visible) else None


@dataclass(frozen=True, kw_only=True)
class _Probe(Network):
    """Convolutions, batch norm, both poolings and a classifier: the kernels that depend on layout and dtype."""

    image_size: int = 8
    batch_size: int = 2
    learning_rate: float = 0.1

    def __call__(self, net: Net, images: tf.Tensor) -> Outputs:
        x = net.conv_bn(images, 8, 3, 2, padding=1, name="strided")
        if self.grouped:
            x = net.conv(x, 8, 3, groups=2, name="grouped")
        x = net.conv(x, 8, 3, name="same")
        x = net.avg_pool(net.max_pool(x, 3, 1, padding=1), 2, 1)
        return Outputs(net.logits(net.global_average(net.concat([x, x]))))


def peak_device_bytes(devices: Devices) -> dict[str, int]:
    """The most bytes that this process has held so far on each of its GPUs that has a tower, by the tower's device.

    An allocator that does not count, such as that of unified memory may be, is left out.
    """
    found = {}
    for tower in filter(is_gpu, devices.towers):
        with contextlib.suppress(ValueError):
            index = tf.DeviceSpec.from_string(tower).device_index
            found[tower] = tf.config.experimental.get_memory_info(f"GPU:{index}")["peak"]
    return found


def unused_gpus(devices: Devices, gpus: Sequence[Mapping[str, object]], *, explained: bool = False) -> str | None:
    """A warning where NVML sees `gpus` on this machine and the run computes on the CPU without having been told to.

    Where that is `explained`, as preflight has said why TensorFlow cannot use them, no other reason is guessed at.
    """
    if devices.kind == "gpu" or not gpus:
        return None
    return (
        f"the machine has {len(gpus)} GPU{'s' if len(gpus) > 1 else ''}, {gpus[0]['name']}, but TensorFlow "
        f"{tf.__version__} sees none: this run computes on the CPU. "
        + ("Pass" if explained else "Install tensorflow[and-cuda], or pass")
        + " --device=cpu if that is what you want."
    )


def check_layout(data_format: str, precision: str, device: str, *, grouped: bool = False) -> None:
    """Run a few layers forward and backward on `device`: raises UserError with TensorFlow's reason if it cannot.

    `grouped` convolutions have kernels of their own: those of ResNeXt have none for float16 on the CPU.
    """
    dtype = COMPUTE_DTYPE[precision]
    shape = (2, 8, 8, 3) if data_format == "NHWC" else (2, 3, 8, 8)
    network = _Probe(grouped=grouped)
    values = {each.name: each.initial_value(0) for each in declarations(network, num_classes=10)}

    def probe() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(values)
            net = Net(
                network,
                lambda declaration: values[declaration.name],
                num_classes=10,
                training=True,
                data_format=data_format,
                dtype=dtype,
                on_gpu=is_gpu(device),
            )
            loss = tf.reduce_sum(network(net, tf.ones(shape, dtype)).logits)
        return [gradient for gradient in tape.gradient(loss, values).values() if gradient is not None]

    try:
        with tf.device(device):
            for gradient in tf.function(probe, autograph=False).get_concrete_function()():
                gradient.numpy()
    except tf.errors.OpError as error:
        other = "--data_format=NHWC or another" if data_format == "NCHW" else "another"
        raise UserError(
            f"--data_format={data_format} with --precision={precision} cannot run on {device}: {_reason(error)}. "
            f"Pass {other} --precision."
        ) from error


def _reason(error: tf.errors.OpError) -> str:
    """What went wrong in TensorFlow, which it says after the places in the code and before the node's name."""
    return str(error.message).partition("\n\t [[")[0].splitlines()[-1].rstrip(".")
