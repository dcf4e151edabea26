"""What a run will take of memory and disk, estimated from the model's cost."""

from __future__ import annotations

from dataclasses import dataclass

import models
from benchmarks.inputs.datasets import DATASETS
from benchmarks.params import Params
from benchmarks.params.data_set import data_name
from benchmarks.params.resolve import precision
from models.cost import cost

NUMBERS_REMEMBERED = {"sgd": 0, "momentum": 1, "lars": 1, "rmsprop": 2, "adam": 2}  # by optimizer, for each parameter
_VARIABLE_BYTES = 4  # variables and what optimizers remember stay in float32
_BYTES = {"fp16": 2, "bf16": 2}
TENSORFLOW_BYTES = 600e6  # of the host, before it does anything


@dataclass(frozen=True)
class Need:
    """Bytes of one tower: `variables`, `remembered` by the optimizer, `activations` of its batch. `batch`: its images.

    `towers` is how many there are in this process, `copies` how many of them have variables of their own.
    """

    variables: float
    remembered: float
    activations: float
    batch: int
    towers: int
    copies: int

    @property
    def of_a_tower(self) -> float:
        """Bytes on a tower's device that has variables: them, their gradients, and activations."""
        return 2 * self.variables + self.remembered + self.activations

    @property
    def of_the_host(self) -> float:
        """Bytes in all, where all towers are on the host."""
        gradients = self.towers * (self.variables + self.activations)
        return TENSORFLOW_BYTES + self.copies * (self.variables + self.remembered) + gradients

    @property
    def of_a_checkpoint(self) -> float:
        """Bytes of a checkpoint: variables and what the optimizer remembers, once."""
        return self.variables + self.remembered


def need(params: Params) -> Need | None:
    """Return what a training run of `params` needs at least; None where nothing is trained, or batches are tried."""
    if params.forward_only or params.input_only or params.eval or params.find_batch_size:
        return None
    name = data_name(params)
    assert name is not None, "valid params name a data set"
    network = models.get(params.model, name)
    found = cost(network, DATASETS[name].num_classes, training=True)
    batch = params.batch_size or network.batch_size
    variables = _VARIABLE_BYTES * found.parameters
    return Need(
        variables=variables,
        remembered=NUMBERS_REMEMBERED[params.optimizer] * variables,
        activations=batch * found.activation_bytes(_BYTES.get(precision(params), _VARIABLE_BYTES)),
        batch=batch,
        towers=params.num_gpus,
        copies=1 if params.variable_update == "parameter_server" else params.num_gpus,
    )
