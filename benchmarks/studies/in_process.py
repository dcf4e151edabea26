"""The training step of a run, built in this process as the runner builds it, for studies that look inside one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.params import environment_variables, parse

if TYPE_CHECKING:
    from benchmarks.step import TrainingStep


def build_step(flags: Sequence[str]) -> TrainingStep:
    """The step of `run_benchmark.py` with `flags`, not traced yet. Call it once, before TensorFlow is imported."""
    params = parse(flags).params
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
    os.environ.update(quiet | dict(os.environ) | environment_variables(params))

    import models
    from benchmarks import devices, optimizers, precision
    from benchmarks.inputs.sources import open_source
    from benchmarks.params import resolve
    from benchmarks.runner import step_options
    from benchmarks.step import TrainingStep
    from models.layers import declarations
    from variable_mgr import strategies

    machine = devices.set_up(params)
    source = open_source(params)
    resolved = resolve(params, device=machine.kind, examples=source.examples)
    network = models.get(resolved.model, source.dataset.name)
    strategy = strategies.make(
        resolved.variable_update,
        declarations(network, source.num_classes),
        machine.towers,
        machine.parameters,
        resolved.tf_random_seed,
    )
    return TrainingStep(
        network,
        strategy,
        machine.towers,
        source.towers(resolved, network.image_size, machine.towers),
        optimizers.make(resolved),
        precision.make_loss_scale(resolved),
        step_options(resolved, source.num_classes),
    )
