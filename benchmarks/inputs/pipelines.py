"""What all input pipelines have in common: how records are kept, and how batches are held ready."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.inputs.pipeline_options import PipelineOptions


def kept(records: tf.data.Dataset, options: PipelineOptions) -> tf.data.Dataset:
    """One epoch of `records`, in memory from its second time on where `options` ask for that."""
    if options.cached_sample:
        return records.take(1).cache()
    return records.cache() if options.cached else records


def held_ready(batches: tf.data.Dataset, options: PipelineOptions) -> tf.data.Dataset:
    """`batches`, made before they are asked for, by the threads that `options` give."""
    if options.prefetch != 0:
        batches = batches.prefetch(tf.data.AUTOTUNE if options.prefetch is None else options.prefetch)
    threading = tf.data.Options()
    if options.private_threads:
        threading.threading.private_threadpool_size = options.private_threads
    return batches.with_options(threading)
