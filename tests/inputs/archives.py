"""Makes archives for tests: honest ones as Python 2 wrote them, and hostile ones."""

import gzip
import io
import pickle
import struct
import tarfile

import numpy as np

from benchmarks.inputs.cifar10_archive import FOLDER, META, TEST_BATCH, TRAIN_BATCHES

IMAGES_PER_BATCH = 3


def images_of(name):
    """Images that differ from batch to batch and pixel to pixel."""
    seed = sum(name.encode())
    return np.random.default_rng(seed).integers(0, 256, (IMAGES_PER_BATCH, 3072), dtype=np.uint8)


def labels_of(name):
    return [(sum(name.encode()) + index) % 10 for index in range(IMAGES_PER_BATCH)]


def batch(name, **changed):
    fields = {"batch_label": name.encode(), "data": images_of(name), "labels": labels_of(name), **changed}
    return {key.encode(): value for key, value in fields.items()}


def pickles(**changed):
    """The files of an archive by name; `changed` gives other bytes for some, or None to leave one out."""
    files = {name: pickle.dumps(batch(name), 2) for name in (*TRAIN_BATCHES, TEST_BATCH)}
    files[META] = pickle.dumps({b"label_names": [b"class"] * 10}, 2)
    return {name: data for name, data in (files | changed).items() if data is not None}


def write(path, files, *extra):
    """Write a tar.gz of `files` by name, and of `extra` members: TarInfo, or pairs of TarInfo and bytes."""
    with tarfile.open(path, "w:gz") as tar:
        for member in extra:
            info, data = member if isinstance(member, tuple) else (member, b"")
            tar.addfile(info, io.BytesIO(data) if data else None)
        for name, data in files.items():
            tar.addfile(info_of(f"{FOLDER}/{name}", data), io.BytesIO(data))
    return path


def info_of(name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def write_huge_claim(path):
    """A gzip of one tar header that claims a batch of 2**33 bytes, with nothing after it."""
    info = info_of(f"{FOLDER}/data_batch_1", size=2**33)
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT)))
    return path


def python2_pickle(images, labels, label):
    """A batch as Python 2 and NumPy 1 pickled the published ones: byte strings, numpy.core, protocol 2."""

    def string(value):
        return b"T" + struct.pack("<i", len(value)) + value

    def number(value):
        return b"J" + struct.pack("<i", value)

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85" + string(b"b") + b"\x87R"
        b"(" + number(1) + number(images.shape[0]) + number(images.shape[1]) + b"\x86"
        b"cnumpy\ndtype\n" + string(b"u1") + number(0) + number(1) + b"\x87R"
        b"(" + number(3) + string(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
        b"\x89" + string(images.tobytes()) + b"tb"
    )
    listed = b"](" + b"".join(number(each) for each in labels) + b"e"
    items = string(b"batch_label") + string(label) + string(b"labels") + listed + string(b"data") + array
    return b"\x80\x02}(" + items + b"u."
