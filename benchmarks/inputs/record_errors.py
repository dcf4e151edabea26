"""What to tell the user of an error that came from reading TFRecord files during a run."""

from __future__ import annotations

import re
from pathlib import Path

import tensorflow as tf

_EXPECTED = {
    "cifar10": "an image of 3072 bytes with a label",
    "imagenet": "an image (image/encoded) with a label (image/class/label) of 1 to 1000",
}
# Texts of the checks within the input pipeline, which stand in the errors that a step raises.
TOO_MANY_SKIPPED = "more images than --max_skipped_images={limit} cannot be decoded"
LABEL_OUT_OF_RANGE = "a label is out of range"


def explain(error: Exception, name: str, data_dir: str | Path | None = None) -> str | None:
    """What to tell of an `error` that a step raised, if it came from reading the data set `name`; else None."""
    if not isinstance(error, tf.errors.OpError):
        return None
    text = str(error.message)
    from_input = "IteratorGetNext" in text
    if too_many := re.search(TOO_MANY_SKIPPED.format(limit=r"\d+"), text):
        return (
            f"While reading {data_dir}, {too_many[0]}. Make the data set again with "
            f"{way_out(name, data_dir or 'DIR', words='')}, which leaves such images out, or give a higher limit."
        )
    if isinstance(error, tf.errors.DataLossError):
        where = f"a TFRecord file in {data_dir}" if data_dir else "a TFRecord file of --data_dir"
        return f"While reading, {where} is truncated or corrupt: {damage(error)}. {way_out(name, data_dir or 'DIR')}"
    if isinstance(error, tf.errors.InvalidArgumentError) and from_input and re.search(_WRONG_RECORD, text):
        problem = f"has a record that is not {_EXPECTED[name]}"
    elif isinstance(error, tf.errors.OutOfRangeError) and from_input:
        problem = "has no record for one of the towers: give fewer towers, or more data"
    elif isinstance(error, tf.errors.NotFoundError) and from_input:
        problem = "has gone"
    else:
        return None
    where = f"a TFRecord file in {data_dir}" if data_dir else "a TFRecord file of --data_dir"
    return f"While reading, {where} {problem} ({reason(error)}). {way_out(name, data_dir or 'DIR')}"


_WRONG_RECORD = f"Parse|Decode|Reshape|{LABEL_OUT_OF_RANGE}"


def feature_names(record: tf.Tensor) -> str:
    """In words, which features `record`, a serialised tf.train.Example, has."""
    names = sorted(tf.train.Example.FromString(record.numpy()).features.feature)
    return f"its features are {', '.join(names)}" if names else "it has no features"


def way_out(name: str, folder: str | Path, words: str = "Make the data set again with: ") -> str:
    """The command that makes the TFRecord files of the data set `name` in `folder`."""
    source = " --images=FOLDER" if name == "imagenet" else ""
    return f"{words}python -m benchmarks.inputs.{name} --data_dir={folder}{source}"


def damage(error: tf.errors.DataLossError) -> str:
    """What is wrong with a TFRecord file, and at which byte as far as TensorFlow tells; its own words want --debug."""
    place = re.search(r"(truncated|corrupted) record at (\d+)", str(error.message))
    if place is None:
        return "TensorFlow cannot read on (--debug shows its words)"
    kind, start = place[1], int(place[2])
    if kind == "truncated":
        return f"it ends within the record that begins at byte {start:,}"
    if not start:
        return "its first record does not fit its checksum: it may be no TFRecord file at all"
    return f"the record that begins at byte {start:,} does not fit its checksum"


def reason(error: tf.errors.OpError) -> str:
    """The line of TensorFlow's message that says what is wrong, without the operations around it."""
    lines = str(error.message).split("\n\t [[")[0].strip().splitlines()
    line = re.sub(r"^Error in user-defined function.*?Iterator::\S+: ", "", lines[-1] if lines else "")
    line = re.sub(r"^\{\{function_node [^}]*\}\} ", "", line)
    return re.sub(r"\s*\[Op:.*", "", line).rstrip(".")
