"""What a run reads, from its parameters: synthetic images, or the TFRecord files of a data set."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.inputs import cifar10_images, cifar10_records, imagenet_images, imagenet_records
from benchmarks.inputs.data_service import check_reachable, served
from benchmarks.inputs.datasets import DATASETS, Dataset
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_folder import SAMPLE_IMAGES
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.inputs.imagenet_reading import Files, Images, Shards
from benchmarks.inputs.pipeline_options import FILES_AT_ONCE, PipelineOptions
from benchmarks.inputs.skipped_images import NoSkippedImages, SkippedImages
from benchmarks.inputs.towers import (
    TowerGroup,
    TowerInput,
    fed_towers,
    prepared_by_step,
    reading_towers,
    synthetic_towers,
)
from benchmarks.params import Params, ResolvedParams
from benchmarks.params.data_set import data_name
from benchmarks.precision import COMPUTE_DTYPE


@dataclass(frozen=True)
class Pipeline:
    """The data set of a tower, and the data sets up to the end of each of its stages.

    Both are functions of the keywords `tower` (its number) and `options`.
    """

    dataset: Callable[..., tf.data.Dataset]
    stages: Callable[..., dict[str, tf.data.Dataset]]


@dataclass(frozen=True)
class Source(ABC):
    """Where images come from.

    `num_classes` is the width of the classifier. `examples` is the number of images in an epoch, None where only the
    published number is known; `title` is what the console calls the data; `facts` go into the record.
    """

    dataset: Dataset
    num_classes: int
    title: str
    facts: dict[str, Any]
    examples: int | None = None

    @abstractmethod
    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
        passed_over: int = 0,
    ) -> list[TowerInput]:
        """An input for each of `towers`, for `params`, from the batch on that follows those `passed_over`."""

    def counted(self) -> dict[str, Any]:
        """What was counted while the towers read, for the record."""
        return {}


class Synthetic(Source):
    """One batch of made-up images a tower, resident on its device."""

    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
        passed_over: int = 0,
    ) -> list[TowerInput]:
        """The same batch at every step."""
        del passed_over
        return synthetic_towers(
            image_spec(params, image_size),
            self.dataset.num_classes,  # the last of the classes that tf_cnn_benchmarks counts has no images
            towers,
            params.tf_random_seed,
        )


class FromFiles(Source):
    """Training images from the files of --data_dir."""

    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
        passed_over: int = 0,
    ) -> list[TowerInput]:
        """A share of the images for each tower, in an order of its own every epoch."""
        dataset = self.dataset_of(params, image_size, towers.total)
        options = dataclasses.replace(pipeline_options(params), passed_over=passed_over)
        make = fed_towers if params.input_method == "feed" else reading_towers
        return make(towers, dataset, options)

    def dataset_of(self, params: ResolvedParams, image_size: int, num_towers: int) -> Callable[..., tf.data.Dataset]:
        """A tower's data set, as the method that `params` name makes it, from keywords `tower` and `options`."""
        dataset = self.pipeline(params, image_size, num_towers).dataset
        return served(dataset, params.data_service_address) if params.input_method == "service" else dataset

    @abstractmethod
    def pipeline(self, params: ResolvedParams, image_size: int, num_towers: int) -> Pipeline:
        """The pipeline of each of `num_towers` towers."""


class Cifar10(FromFiles):
    """CIFAR-10's training images from TFRecord."""

    def pipeline(self, params: ResolvedParams, image_size: int, num_towers: int) -> Pipeline:
        """That of cifar10_images."""
        parts = self._parts(params, image_size, num_towers)
        return Pipeline(partial(cifar10_images.dataset, **parts), partial(cifar10_images.stages, **parts))

    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
        passed_over: int = 0,
    ) -> list[TowerInput]:
        """As others; with --preprocess_device=tower the step prepares the images."""
        if params.preprocess_device == "cpu":
            return super().towers(params, image_size, towers, passed_over)
        parts = self._parts(params, image_size, towers.total)
        options = dataclasses.replace(pipeline_options(params), passed_over=passed_over)
        stored = reading_towers(towers, partial(cifar10_images.unprepared, **parts), options)
        return prepared_by_step(stored, partial(cifar10_images.prepared, spec=parts["spec"]))

    def _parts(self, params: ResolvedParams, image_size: int, num_towers: int) -> dict[str, Any]:
        assert params.data_dir is not None, "this source has been opened"
        return {
            "path": cifar10_records.find(params.data_dir, "train.tfrecords"),
            "spec": image_spec(params, image_size),
            "num_towers": num_towers,
            "seed": params.tf_random_seed,
            "distortions": params.distortions,
        }


@dataclass(frozen=True)
class ImageNet(FromFiles):
    """ImageNet's training images, from TFRecord shards or from a file each."""

    images: Images = field(kw_only=True)
    skipped: SkippedImages = field(kw_only=True)

    def pipeline(self, params: ResolvedParams, image_size: int, num_towers: int) -> Pipeline:
        """That of imagenet_images."""
        parts: dict[str, Any] = {
            "images": self.images,
            "spec": image_spec(params, image_size),
            "preparation": preparation_of(params),
            "skipped": self.skipped,
            "num_towers": num_towers,
            "seed": params.tf_random_seed,
        }
        return Pipeline(partial(imagenet_images.dataset, **parts), partial(imagenet_images.stages, **parts))

    def counted(self) -> dict[str, Any]:
        """How many images could not be decoded and were left out, and which were the first."""
        return {"skipped_images": self.skipped.total(), "skipped": self.skipped.named()}


def open_source(params: Params) -> Source:
    """The source that `params` name, its files verified. Raises UserError where they cannot be used."""
    name = data_name(params)
    assert name is not None, "valid params name a data set"
    dataset = DATASETS[name]
    num_classes = dataset.tcb_num_classes if params.tcb_class_counts else dataset.num_classes
    if not params.data_dir:
        facts = {"name": name, "synthetic": True, "sample": False, "source": "generated on the device"}
        return Synthetic(dataset, num_classes, f"{name} (synthetic)", facts)
    folder = Path(params.data_dir).expanduser()
    if params.data_service_address and params.input_method == "service":
        check_reachable(params.data_service_address)
    if name == "imagenet":
        return _open_imagenet(params, folder, num_classes)
    verified = cifar10_records.verify(folder)
    return Cifar10(dataset, num_classes, **_told_of(params, name, dataclasses.asdict(verified)))


def _open_imagenet(params: Params, folder: Path, num_classes: int) -> ImageNet:
    images: Images
    if params.input_method == "small_files":
        images = Files.in_folder(folder)
        sample = folder.name == SAMPLE_IMAGES
        verified = {
            "examples": len(images.paths),
            "source": "sample" if sample else "folder of images",
            "sample": sample,
        }
    else:
        verified = dataclasses.asdict(imagenet_records.verify(folder))
        images = Shards.in_folder(folder)
    skipped = NoSkippedImages() if params.input_method == "service" else SkippedImages(params.max_skipped_images)
    told = _told_of(params, "imagenet", verified)
    return ImageNet(DATASETS["imagenet"], num_classes, images=images, skipped=skipped, **told)


def _told_of(params: Params, name: str, verified: dict[str, Any]) -> dict[str, Any]:
    """What a source from files tells: title, facts and examples."""
    elsewhere = params.input_method == "service" and bool(params.data_service_address)
    facts = {
        "name": name,
        "synthetic": False,
        **verified,
        "deterministic_order": not (params.datasets_sloppy_parallel_interleave or elsewhere),
    }
    return {
        "title": f"{name} (sample)" if verified["sample"] else name,
        "facts": facts,
        "examples": verified["examples"],
    }


def pipeline_options(params: Params) -> PipelineOptions:
    """How the pipelines of a run are to run."""
    return PipelineOptions(
        prefetch=params.datasets_prefetch_buffer_size if params.datasets_use_prefetch else 0,
        host_prefetch=params.multi_device_iterator_max_buffer_size,
        private_threads=params.datasets_num_private_threads,
        cached=params.datasets_use_caching,
        cached_sample=params.datasets_repeat_cached_sample,
        decoded=params.input_method == "memory",
        files_at_once=params.datasets_parallel_interleave_cycle_length or FILES_AT_ONCE,
        records_ahead=params.datasets_parallel_interleave_prefetch,
        sloppy=params.datasets_sloppy_parallel_interleave,
    )


def preparation_of(params: Params) -> Preparation:
    """What a run does to the images of ImageNet to train on them."""
    return Preparation(
        distortions=params.distortions,
        input_preprocessor=params.input_preprocessor,
        resize_method=params.resize_method,
        fuse_decode_and_crop=params.fuse_decode_and_crop,
        distort_color_in_yiq=params.distort_color_in_yiq,
        background_class=params.tcb_class_counts,
    )


def image_spec(params: ResolvedParams, image_size: int) -> ImageSpec:
    """The batches of a run whose network takes images of `image_size`."""
    return ImageSpec(
        batch_size=params.batch_size,
        height=image_size,
        width=image_size,
        data_format=params.data_format,
        dtype=COMPUTE_DTYPE[params.precision].name,
    )
