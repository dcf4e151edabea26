"""How an input pipeline runs, whatever it reads. Imports no TensorFlow."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

# Neighbours in a batch come from so many files. A number that followed the machine would make the order do so too.
FILES_AT_ONCE = 8

# Records that the next one is drawn from. CIFAR-10: more than its file has, so that every order is possible. ImageNet:
# about 0.1 GB; its images were put into shards at random, so more is not needed.
SHUFFLE_BUFFERS = {"cifar10": 50_000, "imagenet": 1024}


@dataclass(frozen=True)
class PipelineOptions:
    """How pipelines read and hold images; None: as TensorFlow finds good.

    `prefetch` is the number of batches held ready for a device, in its own memory where it is a GPU, and
    `host_prefetch` that of those that wait on the host for a GPU; 0: none. `private_threads` gives each pipeline
    threads of its own. `cached` keeps the records in memory, `cached_sample` one of them, which is then repeated for
    ever, and `decoded` the decoded images. Of `files_at_once` files, where there are several, records come in turn, and
    `records_ahead` are read before their turn; `sloppy` lets a file that is slow to answer miss its turn, so that the
    order depends on timing. The first `passed_over` batches are not made: what they are made of is read, and no more.
    """

    prefetch: int | None = None
    host_prefetch: int | None = None
    private_threads: int | None = None
    cached: bool = False
    cached_sample: bool = False
    decoded: bool = False
    files_at_once: int = FILES_AT_ONCE
    records_ahead: int | None = None
    sloppy: bool = False
    passed_over: int = 0

    def on_host_of_gpu(self) -> PipelineOptions:
        """The options of the part of a GPU's pipeline that is on the host."""
        return dataclasses.replace(self, prefetch=0 if self.prefetch == 0 else self.host_prefetch)


DEFAULTS = PipelineOptions()
