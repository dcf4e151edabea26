"""What is really run: every default that depends on something filled in."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import models
from benchmarks.advice.rules import DATA_FORMAT
from benchmarks.inputs.datasets import DATASETS
from benchmarks.machine.processors import usable_cores
from benchmarks.params.conditions import exchanges_gradients
from benchmarks.params.data_set import data_name
from benchmarks.params.params import Params, ResolvedParams

DEFAULT_NUM_BATCHES = 100
LEAST_WARMUP_BATCHES = 10
# Large enough for a link's bandwidth, small enough to begin before the gradients of the first layers are there. It is
# the default of PyTorch's DistributedDataParallel (Li et al. 2020, arXiv:2006.15704).
COLLECTIVE_BYTES_PER_PACK = 25 * 2**20


def precision(params: Params) -> str:
    """The numbers to compute with, from --precision and --use_fp16."""
    return params.precision or ("fp16" if params.use_fp16 else "fp32")


def intra_threads(params: Params, cores: int | None = None) -> int | None:
    """Threads within one operation; None where TensorFlow decides.

    Where one process has a tower for each of its `cores`, or more, the towers alone keep the cores busy, and operations
    that split over all cores would wait for one another: with one thread each, two towers of ResNet-20 on two cores are
    a fifth faster. Collective operations wait for other processes, and need the threads that there are.
    """
    waits_for_others = bool(params.job_name) or "collective" in (params.all_reduce_spec or params.variable_update)
    if params.num_intra_threads is not None or params.device != "cpu" or params.num_gpus == 1 or waits_for_others:
        return params.num_intra_threads
    if cores is None:
        cores = usable_cores() or 1
    return 1 if params.num_gpus >= cores else None


def gradient_transfer(params: Params) -> str:
    """The numbers in which gradients travel between towers: "fp32", "fp16" or "bf16"."""
    if not exchanges_gradients(params):
        return "fp32"
    compute = precision(params)
    compact = params.compact_gradient_transfer and compute in ("fp16", "bf16")
    return params.gradient_transfer or (compute if compact else "fp32")


def images_per_tower(params: Params) -> int:
    """Images of a tower and step, for valid `params`: those given, or the model's own number."""
    return params.batch_size or models.get(params.model, str(data_name(params))).batch_size


def resolve(
    params: Params, *, device: str, examples: int | None = None, num_towers: int | None = None
) -> ResolvedParams:
    """`params` with every open value filled in, for valid `params`. Resolving twice changes nothing.

    `device` is what the towers run on, "cpu" or "gpu". `examples` is the number of training images where it is known
    better than from the data set's published facts, `num_towers` that of the towers where other processes have some
    too. Only what TensorFlow decides by itself (numbers of threads, growth of GPU memory) stays open.
    """
    name = data_name(params)
    assert name is not None, "valid params name a data set"
    network = models.get(params.model, name)
    batch_size = images_per_tower(params)
    compute = precision(params)
    num_batches, num_epochs = _length(
        params,
        batch_size * (num_towers or params.num_gpus),
        DATASETS[name].train_examples if examples is None else examples,
    )
    compiled = params.xla or params.xla_compile
    filled = dataclasses.replace(
        params,
        data_name=name,
        data_dir=_expanded(params.data_dir) if params.data_dir else None,
        results_dir=_expanded(params.results_dir),
        trace_file=_expanded(params.trace_file) if params.trace_file else "",
        tfprof_file=_expanded(params.tfprof_file) if params.tfprof_file else None,
        graph_file=_expanded(params.graph_file) if params.graph_file else None,
        train_dir=_expanded(params.train_dir) if params.train_dir else None,
        quantized_file=_expanded(params.quantized_file) if params.quantized_file else None,
        batch_size=batch_size,
        num_batches=num_batches,
        num_epochs=num_epochs,
        num_warmup_batches=warmup_batches(params),
        device=device,
        data_format=_data_format(params, device),
        local_parameter_device=params.local_parameter_device or device,
        precision=compute,
        bytes_per_pack=_bytes_per_pack(params),
        gradient_transfer=gradient_transfer(params),
        num_intra_threads=intra_threads(params),
        use_fp16=compute == "fp16",
        fp16_loss_scale=_loss_scale(params, compute, network.loss_scale),
        xla=compiled,
        xla_compile=compiled,
        init_learning_rate=network.learning_rate if params.init_learning_rate is None else params.init_learning_rate,
    )
    return ResolvedParams(**vars(filled))


def _expanded(folder: str) -> str:
    """`folder` in full, with ~ replaced: shells leave it as it is in --data_dir=~/data."""
    return str(Path(folder).expanduser().absolute())


def _length(params: Params, global_batch_size: int, examples: int) -> tuple[int, float]:
    """The length of the run in steps and in epochs."""
    num_batches = params.num_batches
    if num_batches is None and params.num_epochs is not None:
        num_batches = math.ceil(params.num_epochs * examples / global_batch_size)
    elif num_batches is None:
        num_batches = DEFAULT_NUM_BATCHES
    return num_batches, num_batches * global_batch_size / examples


def warmup_batches(params: Params) -> int:
    """The steps before the measurement."""
    if params.num_warmup_batches is not None:
        return params.num_warmup_batches
    # Each shape tries its algorithms anew until one has won often enough; the formula is tf_cnn_benchmarks' guess.
    return max(LEAST_WARMUP_BATCHES, 5 * (params.autotune_threshold or 0) ** 2)


def _bytes_per_pack(params: Params) -> int:
    if params.bytes_per_pack is not None:
        return params.bytes_per_pack
    packed = params.gradient_repacking or params.agg_small_grads_max_bytes or params.allreduce_merge_scope > 1
    return COLLECTIVE_BYTES_PER_PACK if params.variable_update == "collective_all_reduce" and not packed else 0


def _data_format(params: Params, device: str) -> str:
    if params.data_format != "auto":
        return params.data_format
    return DATA_FORMAT[device].value


def _loss_scale(params: Params, compute: str, default: float) -> float | None:
    if compute != "fp16":
        return None
    return default if params.fp16_loss_scale is None else params.fp16_loss_scale
