"""Where operations are put: the pinning examples of TensorFlow's old guide to GPUs, on logical CPU devices."""

import contextlib
import io
from dataclasses import replace

import pytest
import tensorflow as tf

from benchmarks.compiled_step import CompiledStep
from benchmarks.console import Console
from benchmarks.draft import Draft
from benchmarks.errors import UserError
from benchmarks.failures import explain, unplaceable
from benchmarks.params import CommandLine, Params
from benchmarks.placed_graph import satisfies, short
from benchmarks.placement import first_step

SIDE = 16
MATRIX = 4 * SIDE * SIDE  # bytes


class Pinned(CompiledStep):
    """A step that computes what `compute` does, and has no towers."""

    def __init__(self, compute):
        super().__init__([], [])
        self._compute = compute
        self.trace()

    def _step(self):
        return self._compute()

    def __call__(self):
        return self._run()


@pytest.fixture
def look():
    """Call a step that computes something, under some parameters: the `placement` section, and what stderr says."""

    def looked(compute, in_warmup=True, kind=Pinned, **params):
        chosen = replace(Params(log_device_placement=True), **params)
        tf.config.set_soft_device_placement(chosen.allow_soft_placement)
        draft, err, step = Draft(CommandLine(chosen), chosen, []), io.StringIO(), kind(compute)
        with first_step(draft, chosen, step, Console(io.StringIO(), err), in_warmup=in_warmup):
            step()
        return draft.sections["placement"], err.getvalue()

    yield looked
    tf.config.set_soft_device_placement(True)


def images():
    """Random images, which are not known before the step runs."""
    return tf.random.uniform((SIDE, SIDE))


def prepared_on_the_cpu():
    """Preprocessing is pinned to the CPU, and the product of its images to another device."""
    with tf.device("/cpu:0"):
        prepared = tf.sqrt(images())
    with tf.device("/cpu:1"):
        return tf.matmul(prepared, prepared)


def towers_and_their_sum():
    """A product for each of two towers, and the sum of them on the CPU."""
    products = []
    for device in ("/cpu:2", "/cpu:3"):
        with tf.device(device):
            own = images()
            products.append(tf.matmul(own, own))
    with tf.device("/cpu:0"):
        return tf.add_n(products)


def on_a_gpu_that_is_not_there():
    with tf.device("/gpu:0"):
        own = images()
        product = tf.matmul(own, own)
    with tf.device("/cpu:0"):
        return product


def products(section):
    """The devices of matrix products; oneDNN calls them by a name of its own."""
    return [device for device, kinds in section["operations"].items() if any("MatMul" in kind for kind in kinds)]


def test_preprocessing_is_on_the_cpu_and_the_product_on_the_other_device(look):
    section, told = look(prepared_on_the_cpu)
    assert products(section) == ["/cpu:1"]
    assert {"RandomUniform": 1, "Sqrt": 1}.items() <= section["operations"]["/cpu:0"].items()
    assert section["moved"] == []
    assert section["crossing"] == [{"from": "/cpu:0", "to": "/cpu:1", "tensors": 1, "bytes": MATRIX, "unknown": 0}]
    assert f"  /cpu:0 -> /cpu:1        1  {MATRIX:,}" in told


def test_what_tensorflow_does_not_tell_is_not_guessed(look, monkeypatch):
    # As where a step was placed before: whether that is told again depends on what was traced until then.
    monkeypatch.setattr("benchmarks.placement._graphs_of_functions", lambda: contextlib.nullcontext([]))
    section, told = look(on_a_gpu_that_is_not_there, log_device_placement=False)
    assert section == {"not_looked_at": "TensorFlow did not tell"}
    assert told == ""
    with pytest.raises(UserError, match="--device_policy=strict: TensorFlow does not tell where"):
        look(on_a_gpu_that_is_not_there, log_device_placement=False, device_policy="strict")


def test_operations_are_told_by_layout_and_transposes_by_who_asked_for_them(look):
    def turned_and_convolved():
        x = tf.nn.avg_pool2d(tf.transpose(tf.reshape(images(), (1, 4, 4, 16)), (0, 2, 1, 3)), 2, 2, "SAME")
        x = tf.nn.conv2d(tf.transpose(x, (0, 3, 1, 2)), tf.ones((3, 3, 16, 4)), 1, "SAME", data_format="NCHW")
        there_and_back = tf.transpose(tf.transpose(x, (0, 2, 3, 1)), (0, 3, 1, 2))  # which TensorFlow takes out
        return tf.nn.bias_add(tf.reshape(there_and_back, (4, 4)), tf.ones(4))  # of no image

    section, told = look(turned_and_convolved)
    assert section["layout"] == {"operations": {"NHWC": 1, "NCHW": 1}, "transposes": 2, "asked_for": 4}
    assert "\nOperations with a layout: 1 in NCHW, 1 in NHWC. Transposes: 2, 4 asked for.\n" in told


def test_what_others_run_meanwhile_is_not_taken_for_the_step(look):
    @tf.function
    def of_somebody_else():
        return tf.add_n([tf.matmul(images(), images()) for _ in range(20)])

    class Meanwhile(Pinned):
        def __call__(self):
            of_somebody_else()
            return super().__call__()

    section, _ = look(prepared_on_the_cpu, kind=Meanwhile)
    assert products(section) == ["/cpu:1"]


def test_towers_have_a_product_each_and_their_sum_is_on_the_cpu(look):
    section, _ = look(towers_and_their_sum)
    assert products(section) == ["/cpu:2", "/cpu:3"]
    assert section["operations"]["/cpu:0"]["AddN"] == 1
    assert [(each["from"], each["to"], each["bytes"]) for each in section["crossing"]] == [
        ("/cpu:2", "/cpu:0", MATRIX),
        ("/cpu:3", "/cpu:0", MATRIX),
    ]


def test_what_a_missing_device_was_asked_for_is_moved_and_named(look):
    section, told = look(on_a_gpu_that_is_not_there, log_device_placement=False)
    moved = {each["type"]: each for each in section["moved"]}
    assert moved["RandomUniform"] == {
        "type": "RandomUniform",
        "requested": "/gpu:0",
        "device": "/cpu:0",
        "operations": 1,
        "names": ["random_uniform/RandomUniform"],
    }
    assert any("MatMul" in kind for kind in moved)
    assert "WARNING: RandomUniform (random_uniform/RandomUniform): asked for on /gpu:0, moved to /cpu:0\n" in told
    assert "Placement of" not in told


def test_strict_refuses_what_was_moved_before_anything_is_measured(look):
    with pytest.raises(UserError) as refused:
        look(on_a_gpu_that_is_not_there, device_policy="strict")
    assert str(refused.value).startswith("--device_policy=strict: ")
    assert "RandomUniform (random_uniform/RandomUniform): asked for on /gpu:0, moved to /cpu:0" in str(refused.value)
    assert str(refused.value).endswith("Pass --device_policy=report to measure them where they are.")
    section, _ = look(towers_and_their_sum, device_policy="strict")
    assert section["moved"] == []


def test_without_soft_placement_a_missing_device_ends_the_run(look):
    with pytest.raises(UserError) as refused:
        look(on_a_gpu_that_is_not_there, allow_soft_placement=False)
    said = str(refused.value)
    assert said.startswith("--noallow_soft_placement: ")
    assert " random_uniform" in said
    assert "asked for on /gpu:0, which is not there, only /cpu:0, /cpu:1" in said
    assert said.endswith("Pass --allow_soft_placement to let TensorFlow move what it cannot place.")
    section, _ = look(prepared_on_the_cpu, allow_soft_placement=False)
    assert products(section) == ["/cpu:1"]


def test_an_operation_without_a_kernel_is_named(look):
    def summed_by_nccl():
        with tf.device("/cpu:1"):
            return tf.raw_ops.NcclAllReduce(input=images(), reduction="sum", num_devices=1, shared_name="sum")

    with pytest.raises(UserError, match=r"^NcclAllReduce NcclAllReduce: TensorFlow .* has no kernel for it on any"):
        look(summed_by_nccl, log_device_placement=False)


def test_the_branches_of_a_condition_are_looked_into(look):
    def updated_on_a_gpu():
        def update():
            with tf.device("/gpu:0"):
                return tf.sqrt(images(), name="update")

        return tf.cond(tf.reduce_sum(images()) > 0, update, images)

    section, _ = look(updated_on_a_gpu)
    (found,) = [each for each in section["moved"] if each["type"] == "Sqrt"]
    assert (found["requested"], found["operations"]) == ("/gpu:0", 1)


def test_a_shape_that_is_not_known_is_told_as_that(look):
    def chosen():
        with tf.device("/cpu:1"):
            positive = tf.where(images() > 0.5)
        with tf.device("/cpu:2"):
            return positive + 1

    section, told = look(chosen)
    (there,) = [each for each in section["crossing"] if each["to"] == "/cpu:2"]
    assert (there["tensors"], there["bytes"], there["unknown"]) == (1, 0, 1)
    assert "0 and 1 tensor of unknown size" in told


def test_on_cpus_that_are_there_nothing_is_looked_at_unless_asked_for(look):
    section, told = look(towers_and_their_sum, log_device_placement=False)
    assert (section, told) == ({"moved": []}, "")


def test_without_a_warm_up_nothing_is_looked_at(look):
    section, _ = look(on_a_gpu_that_is_not_there, in_warmup=False, log_device_placement=False)
    assert section == {"not_looked_at": "there is no warm-up"}
    with pytest.raises(UserError, match=r"^--log_device_placement: what is left of this training has no warm-up"):
        look(towers_and_their_sum, in_warmup=False)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "Cannot assign a device for operation tower0/TopKV2: Could not satisfy explicit device specification "
            "'/device:GPU:1' because no supported kernel for GPU devices is available.\nColocation Debug Info:",
            "tower0/TopKV2 asked for on /gpu:1: no supported kernel for GPU devices is available. ",
        ),
        (
            "Cannot assign a device for operation a: Operation was explicitly assigned to /device:GPU:7 but available "
            "devices are [ /job:localhost/replica:0/task:0/device:CPU:0 ]. Make sure",
            "a asked for on /gpu:7: Operation was explicitly assigned to /device:GPU:7 but available devices",
        ),
    ],
)
def test_tensorflows_words_are_explained(message, told):
    error, firm = tf.errors.InvalidArgumentError(None, None, message), Params(allow_soft_placement=False)
    assert explain(error, firm).startswith(f"--noallow_soft_placement: {told}")
    assert " Pass --allow_soft_placement to let TensorFlow move what it cannot place, or choose" in explain(error, firm)
    assert explain(error, Params()).startswith(told)
    assert "allow_soft_placement" not in explain(error, Params())


@pytest.mark.usefixtures("look")
def test_operations_before_the_first_step_are_explained_too():
    tf.config.set_soft_device_placement(False)
    side = tf.ones((2, 2))
    with pytest.raises(tf.errors.InvalidArgumentError) as failed, tf.device("/gpu:0"):
        tf.matmul(side, side)
    said = explain(failed.value, Params(allow_soft_placement=False))
    assert said.startswith("--noallow_soft_placement: MatMul asked for on /gpu:0: only CPU can run it. Pass")


def test_other_errors_are_left_alone():
    assert unplaceable("Incompatible shapes: [2] vs. [3]", Params()) is None


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("/job:localhost/replica:0/task:0/device:CPU:1", "/cpu:1"),
        ("/device:GPU:0", "/gpu:0"),
        ("/gpu:3", "/gpu:3"),
        ("/job:ps/replica:0/task:2/device:CPU:0", "/job:ps/replica:0/task:2/cpu:0"),
    ],
)
def test_devices_have_the_names_of_the_run(device, name):
    assert short(device) == name


def test_what_is_left_open_is_satisfied_by_anything():
    there = "/job:localhost/replica:0/task:0/device:CPU:1"
    assert satisfies(there, "/cpu:1")
    assert satisfies(there, "/job:localhost")
    assert not satisfies(there, "/cpu:0")
    assert not satisfies(there, "/device:GPU:1")
