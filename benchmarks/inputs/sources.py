"""What a run reads, from its parameters: synthetic images, or the TFRecord files of a data set."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.inputs import cifar10_records, imagenet_records
from benchmarks.inputs.datasets import DATASETS, Dataset
from benchmarks.inputs.image_spec import ImageSpec
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.inputs.skipped_images import SkippedImages
from benchmarks.inputs.towers import TowerGroup, TowerInput, cifar10_towers, imagenet_towers, synthetic_towers
from benchmarks.params import Params, ResolvedParams
from benchmarks.params.data_set import data_name
from benchmarks.precision import COMPUTE_DTYPE


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
    ) -> list[TowerInput]:
        """An input for each of `towers`, for `params`."""

    def counted(self) -> dict[str, int]:
        """What was counted while the towers read, for the record."""
        return {}


class Synthetic(Source):
    """One batch of made-up images a tower, resident on its device."""

    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
    ) -> list[TowerInput]:
        """The same batch at every step."""
        return synthetic_towers(
            _spec(params, image_size),
            self.dataset.num_classes,  # the last of the classes that tf_cnn_benchmarks counts has no images
            towers,
            params.tf_random_seed,
        )


class Cifar10(Source):
    """CIFAR-10's training images from TFRecord."""

    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
    ) -> list[TowerInput]:
        """A share of the images for each tower, in an order of its own every epoch."""
        assert params.data_dir is not None, "this source has been opened"
        return cifar10_towers(
            params.data_dir,
            _spec(params, image_size),
            towers,
            params.tf_random_seed,
            distortions=params.distortions,
            prefetch=params.datasets_prefetch_buffer_size,
            private_threads=params.datasets_num_private_threads,
        )


@dataclass(frozen=True)
class ImageNet(Source):
    """ImageNet's training images from TFRecord shards."""

    skipped: SkippedImages = field(kw_only=True)

    def towers(
        self,
        params: ResolvedParams,
        image_size: int,
        towers: TowerGroup,
    ) -> list[TowerInput]:
        """A share of the images for each tower, in an order of its own every epoch."""
        assert params.data_dir is not None, "this source has been opened"
        preparation = Preparation(
            distortions=params.distortions,
            input_preprocessor=params.input_preprocessor,
            resize_method=params.resize_method,
            fuse_decode_and_crop=params.fuse_decode_and_crop,
            distort_color_in_yiq=params.distort_color_in_yiq,
            background_class=params.tcb_class_counts,
        )
        return imagenet_towers(
            params.data_dir,
            _spec(params, image_size),
            towers,
            params.tf_random_seed,
            preparation,
            self.skipped,
            prefetch=params.datasets_prefetch_buffer_size,
            private_threads=params.datasets_num_private_threads,
        )

    def counted(self) -> dict[str, int]:
        """The images that could not be decoded and were left out."""
        return {"skipped_images": self.skipped.total()}


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
    verified = imagenet_records.verify(folder) if name == "imagenet" else cifar10_records.verify(folder)
    facts = {"name": name, "synthetic": False, **dataclasses.asdict(verified)}
    title = f"{name} (sample)" if verified.sample else name
    if name == "imagenet":
        skipped = SkippedImages(params.max_skipped_images)
        return ImageNet(dataset, num_classes, title, facts, verified.examples, skipped=skipped)
    return Cifar10(dataset, num_classes, title, facts, verified.examples)


def _spec(params: ResolvedParams, image_size: int) -> ImageSpec:
    return ImageSpec(
        batch_size=params.batch_size,
        height=image_size,
        width=image_size,
        data_format=params.data_format,
        dtype=COMPUTE_DTYPE[params.precision].name,
    )
