"""TensorBoard's events of a run, and the graph of its step, read back."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format

from benchmarks.errors import ExitCode
from benchmarks.inputs import cifar10
from benchmarks.inputs.feed import Feed, compiled
from tests.engine.test_tracing import ran


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The TFRecord files of a sample."""
    folder = tmp_path_factory.mktemp("cifar10") / "sample"
    cifar10.prepare(folder, sample=True)
    return folder


def events(folder):
    """Each value by tag and step."""
    (file,) = folder.glob("events.out.tfevents.*")
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        for value in event.summary.value:
            plugin = value.metadata.plugin_data.plugin_name
            found[value.tag, event.step] = tf.make_ndarray(value.tensor), plugin or found.get((value.tag, 2), "..")[1]
    return found


def test_summaries_tell_what_the_record_does(tmp_path):
    folder = tmp_path / "events"
    params = {"summary_verbosity": 2, "save_summaries_steps": 2, "train_dir": str(folder), "init_learning_rate": 0.25}
    ending, _, err = ran(tmp_path, model="trivial", **params)
    assert ending.exit_code == ExitCode.VALID, ending.record.message
    found, measured = events(folder), ending.record.measurement
    assert {step for _, step in found} == {2, 4}
    for step in (2, 4):
        assert found["loss", step] == (pytest.approx(measured.losses[step - 1], rel=1e-6), "scalars")
        assert found["learning_rate", step] == (0.25, "scalars")
        seconds = sum(measured.step_seconds[step - 2 : step])
        assert found["images_per_second", step] == (pytest.approx(2 * 4 / seconds, rel=1e-6), "scalars")
    histograms = {tag: value for (tag, step), (value, plugin) in found.items() if plugin == "histograms" and step == 4}
    assert len(histograms) == ending.record.model["variables"]
    assert sum(value[:, 2].sum() for value in histograms.values()) == ending.record.model["parameters"]
    for value in histograms.values():
        assert value.shape == (30, 3)
        assert (value[:, 0] < value[:, 1]).all()
    assert f"Summaries: {folder}" in err


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("graph.pbtxt", {}),
        ("graph.pb", {}),
        ("graph.pb", {"forward_only": True}),
        ("graph.txt", {"input_only": True}),
    ],
)
def test_the_graph_of_a_step_can_be_imported(tmp_path, sample, name, mode):
    data = {"data_dir": str(sample)} if mode.get("input_only") else {}
    ending, _, err = ran(
        tmp_path, model="trivial", graph_file=name, num_warmup_batches=0, num_batches=1, **mode, **data
    )
    assert ending.exit_code == ExitCode.VALID, ending.record.message
    content = (tmp_path / name).read_bytes()
    definition = tf.compat.v1.GraphDef()
    if name.endswith("txt"):
        text_format.Parse(content.decode(), definition)
    else:
        definition.ParseFromString(content)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(definition, name="")
    towers = {node.name.partition("/")[0] for node in definition.node if node.name.startswith("tower")}
    assert towers == (set() if mode.get("input_only") else {"tower0", "tower1"})
    assert graph.get_operations()
    assert f"Graph of the step: {tmp_path / name}" in err


def test_a_step_that_is_fed_has_a_graph_too():
    batch = tf.zeros([2, 4, 4, 3]), tf.zeros([2], tf.int32)
    feed = Feed(tf.data.Dataset.from_tensors(batch).repeat())
    run = compiled(lambda: tf.reduce_sum(feed()[0]), [feed])
    assert [operation.type for operation in run.graph.get_operations()][:2] == ["Placeholder", "Placeholder"]
    np.testing.assert_array_equal(run().numpy(), 0.0)
