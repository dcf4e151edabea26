"""The data sets as facts: names, classes and sizes. Imports no TensorFlow, so flags can be checked against it."""

from dataclasses import dataclass

from benchmarks.inputs.shards import TRAIN, VALIDATION


@dataclass(frozen=True)
class Dataset:
    """One data set's published facts.

    `tcb_num_classes` is the width of the classifier that tf_cnn_benchmarks gave its models for this set; it counts a
    background class that no image has. `files` are the TFRecord files that a data directory must have, `shards` the
    patterns of those that come in numbered shards, `evaluation_shards` of those that only an evaluation needs.
    """

    name: str
    num_classes: int
    tcb_num_classes: int
    train_examples: int
    evaluation_examples: int
    image_size: int
    files: tuple[str, ...] = ()
    shards: tuple[str, ...] = ()
    evaluation_shards: tuple[str, ...] = ()


DATASETS = {
    "imagenet": Dataset(
        name="imagenet",
        num_classes=1000,
        tcb_num_classes=1001,
        train_examples=1_281_167,  # ILSVRC 2012
        evaluation_examples=50_000,
        image_size=224,
        shards=(TRAIN,),
        evaluation_shards=(VALIDATION,),
    ),
    "cifar10": Dataset(
        name="cifar10",
        num_classes=10,
        tcb_num_classes=11,
        train_examples=40_000,  # data_batch_1 to 4; data_batch_5 is kept for validation
        evaluation_examples=10_000,
        image_size=32,
        files=("train.tfrecords", "validation.tfrecords", "eval.tfrecords"),
    ),
}
