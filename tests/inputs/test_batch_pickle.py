import os
import pickle

import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.inputs import batch_pickle
from tests.inputs import archives


class Calling:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_reads_a_batch_as_python_2_wrote_it():
    images, labels = archives.images_of("data_batch_1"), [3, 1, 9]
    batch = batch_pickle.load(archives.python2_pickle(images, labels, b"training batch 1 of 5"), "data_batch_1")
    np.testing.assert_array_equal(batch[b"data"], images)
    assert batch[b"data"].dtype == np.uint8
    assert batch[b"labels"] == labels
    assert batch[b"batch_label"] == b"training batch 1 of 5"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_reads_what_this_numpy_writes(protocol):
    batch = archives.batch("test_batch")
    read = batch_pickle.load(pickle.dumps(batch, protocol), "test_batch")
    np.testing.assert_array_equal(read.pop(b"data"), batch.pop(b"data"))
    assert read == batch


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_reads_arrays_of_numpy_1_and_2(module):
    data = archives.python2_pickle(archives.images_of("a"), [1, 2, 3], b"")
    read = batch_pickle.load(data.replace(b"numpy.core.multiarray", module), "a")
    np.testing.assert_array_equal(read[b"data"], archives.images_of("a"))


def test_reads_arrays_in_column_order():
    images = np.asfortranarray(archives.images_of("a"))
    np.testing.assert_array_equal(batch_pickle.load(pickle.dumps({b"data": images}, 2), "a")[b"data"], images)


def test_a_command_in_a_pickle_is_refused_and_does_not_run(tmp_path):
    evidence = tmp_path / "evidence"
    data = pickle.dumps({b"data": Calling(os.system, f"touch {evidence}")}, 2)
    with pytest.raises(UserError, match=r"Cannot read data_batch_1 .* asks for posix\.system, which no batch needs"):
        batch_pickle.load(data, "data_batch_1")
    assert not evidence.exists()


@pytest.mark.parametrize(
    "function", [eval, exec, getattr, __import__, np.load, np.fromfile, np.frombuffer, pickle.loads, open]
)
def test_other_functions_are_refused(function):
    with pytest.raises(UserError, match="asks for"):
        batch_pickle.load(pickle.dumps({b"data": Calling(function, "0")}, 2), "a")


@pytest.mark.parametrize(
    ("opcodes", "reason"),
    [
        (b"cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.", "array in an unknown way"),
        (b"cnumpy\ndtype\nU\x01O\x85R.", "not of unsigned bytes"),
        (b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00rot\x86R.", "encoding 'rot'"),
        (b"c_codecs\nencode\nN}X\x05\x00\x00\x00_callK\x01s\x86b.", "alters a function"),
        (b"Pidentity\n.", "persistent"),
        (b"K\x01.", "holds a int, not a dictionary"),
        (b"", "ran out of input|Ran out of input"),
        (b"no pickle", "Cannot read a in the archive"),
    ],
)
def test_misuse_and_damage_are_refused(opcodes, reason):
    with pytest.raises(UserError, match=reason):
        batch_pickle.load(opcodes, "a")


def test_an_array_of_objects_is_refused():
    with pytest.raises(UserError, match="not of unsigned bytes"):
        batch_pickle.load(pickle.dumps({b"data": np.array([None, "text"])}, 2), "a")


def test_a_shape_that_does_not_fit_the_pixels_is_refused():
    data = archives.python2_pickle(archives.images_of("a"), [1], b"")
    claimed = data.replace(b"J\x00\x0c\x00\x00\x86", b"J\xff\xff\xff\x7f\x86")  # rows of 2**31 - 1 pixels
    assert claimed != data
    with pytest.raises(UserError, match="cannot reshape"):
        batch_pickle.load(claimed, "a")
