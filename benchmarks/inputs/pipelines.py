"""What all input pipelines have in common: how records are kept, and how batches are held ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from benchmarks.inputs.pipeline_options import PipelineOptions


def kept(records: tf.data.Dataset, options: PipelineOptions) -> tf.data.Dataset:
    """One epoch of `records`, in memory from its second time on where `options` ask for that."""
    if options.cached_sample:
        return records.take(1).cache()
    return records.cache() if options.cached else records


def numbered(elements: tf.data.Dataset, function: Callable[..., Any], passed_over: int = 0) -> tf.data.Dataset:
    """`function` of the number of each of the `elements` and of its parts, but for those that are `passed_over`.

    The number seeds what is random, so parallel calls give the same images in any order of execution.
    """

    def apply(number: tf.Tensor, element: Any) -> Any:
        return function(number, *element) if isinstance(element, tuple) else function(number, element)

    counted = elements.enumerate()
    counted = counted.skip(passed_over) if passed_over else counted
    return counted.map(apply, num_parallel_calls=tf.data.AUTOTUNE)


def held_ready(batches: tf.data.Dataset, options: PipelineOptions) -> tf.data.Dataset:
    """`batches`, made before they are asked for, by the threads that `options` give."""
    if options.prefetch != 0:
        batches = batches.prefetch(tf.data.AUTOTUNE if options.prefetch is None else options.prefetch)
    threading = tf.data.Options()
    if options.private_threads:
        threading.threading.private_threadpool_size = options.private_threads
    return batches.with_options(threading)
