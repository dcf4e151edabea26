"""A step of inference by LiteRT, and how it is built for a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from benchmarks.build import make_strategy
from benchmarks.checkpoints import Checkpoints
from benchmarks.compiled_step import CompiledStep
from benchmarks.errors import UserError
from benchmarks.inputs.feed import compiled
from benchmarks.inputs.towers import TowerInput
from benchmarks.machine.processors import usable_cores
from benchmarks.output_file import write
from benchmarks.params import ResolvedParams
from benchmarks.params.quantization_rules import no_weights
from benchmarks.quantization.agreement import top_five
from benchmarks.quantization.conversion import Images
from benchmarks.quantization.images import Batch, calibration_images
from benchmarks.quantization.interpreter import LiteModel, runtime
from benchmarks.quantization.quantize import Quantized, quantize
from benchmarks.resuming import check_network
from benchmarks.step import StepOutcome
from benchmarks.workload import Workload, inputs_of, step_options
from variable_mgr.exchange_plan import Traffic
from variable_mgr.store import Store
from variable_mgr.strategies import VariableStrategy


class Weights(NamedTuple):
    """The checkpoint that weights are from, and the steps of its training; None where they are untrained."""

    checkpoint: str | None = None
    steps: int | None = None


class QuantizedStep(CompiledStep):
    """The next batch of the input through the quantised model. Converting it is part of tracing.

    A call ends when the logits are there.
    """

    def __init__(
        self,
        workload: Workload,
        strategy: VariableStrategy,
        weights: Weights,
        inputs: Sequence[TowerInput],
        calibration: Images | None = None,
        on_image: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Images for `calibration` are those of `inputs`, unless they are given; `on_image` is told of each."""
        super().__init__(workload.devices.towers, inputs)
        self.strategy = strategy
        self.threads = threads(workload.params)
        self._workload = workload
        self.weights = weights
        self._calibration = calibration
        self._on_image = on_image
        self._quantized: Quantized | None = None
        self._model: LiteModel | None = None

    @property
    def quantized(self) -> Quantized:
        """The models; it has been traced."""
        assert self._quantized is not None, "the step has been traced"
        return self._quantized

    def traffic(self) -> Traffic:
        """Nothing is exchanged."""
        return Traffic(0, dict.fromkeys(self._towers, 0))

    def trace(self) -> float:
        """Build the input's graph, convert the model, and make it ready; the seconds that took."""
        begin, params = time.perf_counter(), self._workload.params
        run = compiled(self._step, self._inputs)
        self._run, self._graph = run, run.graph
        self._quantized = quantize(
            self._workload.network,
            self.strategy.stores[0],
            step_options(params, self._workload.source.num_classes),
            params.quantize,
            self._images,
            self._on_image,
        )
        if params.quantized_file:
            write("quantized_file", params.quantized_file, self._quantized.narrow.model)
        self._model = LiteModel(self._quantized.narrow.model, params.batch_size, self.threads)
        return time.perf_counter() - begin

    def facts(self) -> dict[str, Any]:
        """The record's section before anything was measured."""
        return {
            **self.quantized.facts(),
            "runtime": runtime(),
            "threads": self.threads,
            "xnnpack_refusal": self._ready_model.refusal,
            "checkpoint": self.weights.checkpoint,
            "checkpoint_step": self.weights.steps,
        }

    def __call__(self) -> StepOutcome:
        """Run one step. The loss, which is not computed, is 0, as in a forward pass by TensorFlow."""
        images, labels = self._next_batch()
        right = top_five(self._ready_model(images)) == labels[:, None]
        return StepOutcome(0.0, top_1=float(right[:, 0].mean()), top_5=float(right.sum(axis=1).mean()))

    @property
    def _ready_model(self) -> LiteModel:
        assert self._model is not None, "the step has been traced"
        return self._model

    def _images(self) -> Images:
        if self._calibration is not None:
            return self._calibration
        return calibration_images(self._workload, self._next_batch)

    def _next_batch(self) -> Batch:
        assert self._run is not None, "the input has been traced"
        images, labels = self._run()
        return images.numpy(), labels.numpy()

    def _step(self) -> tf.Tensor:
        """The batch, on the only tower."""
        with tf.device(self._towers[0]):
            images, labels = self._inputs[0]()
            return tf.identity(images), tf.identity(labels)


def build_quantized_step(
    workload: Workload, calibration: Images | None = None, on_image: Callable[[int], None] = lambda _: None
) -> QuantizedStep:
    """The quantised inference of `workload`, with its weights in place, not converted yet.

    Images for `calibration` are those of its input, unless they are given; `on_image` is told the number of each, from
    1, and may end the conversion by an exception.

    Raises UserError where the device or the checkpoint cannot be used.
    """
    if workload.devices.kind != "cpu":
        raise UserError(
            f"--quantize={workload.params.quantize}: LiteRT computes on the CPU here, and TensorFlow has found a GPU. "
            "Add --device=cpu."
        )
    one_tower = workload.with_params(variable_update="parameter_server")  # there is nothing to keep in step
    strategy = make_strategy(one_tower, workload.declarations)
    weights = read_weights(workload, strategy.stores[0])
    return QuantizedStep(workload, strategy, weights, inputs_of(workload), calibration, on_image)


def read_weights(workload: Workload, store: Store) -> Weights:
    """Read the latest checkpoint of --train_dir, if that is given, into `store`.

    Raises UserError where there is none, or it is damaged or of another model.
    """
    if not workload.params.train_dir:
        return Weights()
    checkpoints = Checkpoints(workload.params.train_dir)
    path = checkpoints.latest()
    if path is None:
        raise UserError(no_weights(workload.params))
    facts = checkpoints.facts(path)
    check_network(facts, path, workload)
    checkpoints.read(path, {"network": store.variables})
    return Weights(str(Path(path)), facts.steps)


def threads(params: ResolvedParams) -> int:
    """The interpreter's threads: as many as are asked for, or one for each processor that may be used."""
    return params.num_intra_threads or usable_cores() or 1
