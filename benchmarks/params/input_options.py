"""Options of the images and the input pipeline."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import (
    WITH_COUNTED_IMAGES,
    WITH_DATA,
    WITH_DATA_ON_GPU,
    WITH_DATA_SERVICE,
    WITH_DEFAULT_PREPROCESSOR,
    WITH_DISTORTED_COLORS,
    WITH_IMAGENET,
)
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class InputOptions:
    """Where images come from, and what is done with them before the towers see them."""

    TITLE: ClassVar[str] = "Input"

    data_dir: str | None = option(
        None, "Folder with the TFRecord files; where it is not given, images are synthetic and stay on the device."
    )
    data_name: str | None = option(
        None, "Data set, imagenet or cifar10; where it is not given, the one that --data_dir names, else imagenet."
    )
    input_method: str = option(
        "dataset",
        "How images come to the towers. dataset: tf.data from TFRecord. feed: the same, but Python hands each step "
        "NumPy arrays, as feed_dict did. memory: decoded images stay in memory from the first epoch on, with "
        "imagenet's random crops as they were then. small_files: one file an image, from DATA_DIR/train/CLASS/IMAGE or "
        "DATA_DIR/CLASS/IMAGE (imagenet). service: through a tf.data service; an image that cannot be decoded ends it.",
        choices=("dataset", "feed", "memory", "small_files", "service"),
        acts=WITH_DATA,
    )
    data_service_address: str | None = option(
        None,
        "host:port of the dispatcher of a tf.data service, whose workers find --data_dir at the same path, and each "
        "make all images; where it is not given, this process has a service of its own.",
        acts=WITH_DATA_SERVICE,
        hosts=True,
    )
    input_only: bool = option(
        False,
        "Measure the input alone: each tower gets its batches at full speed, and there is no model. Then the stages of "
        "one tower's pipeline are told on stderr.",
    )
    diagnose: bool = option(
        False,
        "After the run, find out by experiment what bounds its step, input, transfer, compute, variable exchange or "
        "launch overhead, and what would be gained if that cost nothing: the step is made in turn with the run's "
        "input, with a batch on the device, without exchange, for one image, with a trivial model, and the input is "
        "measured alone. Takes a minute or more, and the memory of six models.",
        run_only=True,
    )
    preprocess_device: str = option(
        "cpu",
        "Where cifar10's images are cropped, mirrored and standardised: on the CPU while earlier steps run (cpu), or "
        "in the step, on each tower's device (tower). Both give the same images.",
        choices=("cpu", "tower"),
        tcb="it had no such flag",
        acts=WITH_DATA,
    )
    distortions: bool = option(True, "Augment the training images at random.", acts=WITH_DATA)
    datasets_num_private_threads: int | None = option(
        None,
        "Threads for the input pipeline alone; where it is not given, or 0, it shares TensorFlow's.",
        lower_bound=0,
        tcb="not given meant what GPU threads left over",
        acts=WITH_DATA,
    )
    datasets_prefetch_buffer_size: int | None = option(
        None,
        "Batches to hold ready per device; TensorFlow decides where it is not given.",
        lower_bound=0,
        tcb="its default was 1",
        acts=WITH_DATA,
    )
    datasets_use_prefetch: bool = option(
        True, "Hold batches ready for each device; without it, each is made when it is asked for.", acts=WITH_DATA
    )
    multi_device_iterator_max_buffer_size: int | None = option(
        None,
        "Batches to hold ready on the host for each GPU, beside those in its own memory (2, or "
        "--datasets_prefetch_buffer_size); TensorFlow decides where it is not given.",
        lower_bound=1,
        tcb="its default was 1",
        acts=WITH_DATA_ON_GPU,
    )
    datasets_use_caching: bool = option(
        False,
        "Keep the records in memory, undecoded. The order of files is then drawn once, not in every epoch.",
        acts=WITH_DATA,
    )
    datasets_repeat_cached_sample: bool = option(
        False, "Read one record, and repeat it from memory: input without a disk.", acts=WITH_DATA
    )
    datasets_parallel_interleave_cycle_length: int | None = option(
        None,
        "Files of which records are read in turn, as far as useful at the same time; 8 where it is not given.",
        lower_bound=1,
        tcb="its default was 10",
        acts=WITH_IMAGENET,
    )
    datasets_parallel_interleave_prefetch: int | None = option(
        None,
        "Records to read ahead of each file beyond what TensorFlow does by itself.",
        lower_bound=0,
        acts=WITH_IMAGENET,
    )
    datasets_sloppy_parallel_interleave: bool = option(
        False,
        "Let a file that is slow to answer miss its turn. The order of the images then depends on timing.",
        acts=WITH_IMAGENET,
    )
    input_preprocessor: str = option(
        "default",
        "Preparation of imagenet images. default: a random part of the image, by its boxes where it has some, mirrored "
        "or not, with distorted colours, in [-1, 1]. official_models_imagenet: as the official ResNet, with neither "
        "distorted colours nor scaling, but the channels' means subtracted.",
        choices=("default", "official_models_imagenet"),
        acts=WITH_IMAGENET,
    )
    resize_method: str = option(
        "bilinear",
        "How to fit images to the model's size: by interpolation; by all four in turn (round_robin); or, without "
        "distortions, by a square crop of the middle (crop).",
        choices=("crop", "nearest", "bilinear", "bicubic", "area", "round_robin"),
        tcb="crop failed in training",
        acts=WITH_DEFAULT_PREPROCESSOR,
    )
    fuse_decode_and_crop: bool = option(True, "Decode only the part of a JPEG that is used.", acts=WITH_IMAGENET)
    distort_color_in_yiq: bool = option(
        True, "Distort hue and saturation in the YIQ space, which is faster than HSV.", acts=WITH_DISTORTED_COLORS
    )
    max_skipped_images: int = option(
        100,
        "Images that cannot be decoded to leave out, on each machine, before the run stops; the record counts them, "
        "each as often as it was met.",
        lower_bound=0,
        acts=WITH_COUNTED_IMAGES,
    )
    use_datasets: bool = option(True, "Read through tf.data.", ignored="tf.data is the only way in TensorFlow 2")
