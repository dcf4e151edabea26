"""A store: one set of a network's variables, each on the device that a placement gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import tensorflow as tf

from variable_mgr.balance import balanced_by_bytes


class Declaration(Protocol):
    """What a store has to know of a variable before it exists."""

    @property
    def name(self) -> str:
        """Its name, unique in the network."""

    @property
    def nbytes(self) -> int:
        """Its size in memory."""

    @property
    def trainable(self) -> bool:
        """Whether it has a gradient; the others are moving statistics."""

    @property
    def decayed(self) -> bool:
        """Whether weight decay pulls at it."""

    def initial_value(self, seed: int) -> tf.Tensor:
        """The value to start from."""


Placement = Mapping[str, str]  # variable name -> device


def on_one_device(declarations: Sequence[Declaration], device: str) -> Placement:
    """Every variable on `device`."""
    return {declaration.name: device for declaration in declarations}


def balanced(declarations: Sequence[Declaration], devices: Sequence[str]) -> Placement:
    """Variables spread over `devices` by bytes: the largest first, each to the device that has least so far."""
    return balanced_by_bytes({declaration.name: declaration.nbytes for declaration in declarations}, devices)


class Store:
    """One set of variables, created at once from their declarations.

    Attributes: `declarations` by name, `placement` (name -> device), `variables` (name -> `tf.Variable`, float32).
    """

    def __init__(self, declarations: Sequence[Declaration], placement: Placement, seed: int) -> None:
        self.declarations = {declaration.name: declaration for declaration in declarations}
        self.placement = dict(placement)
        self.variables: dict[str, tf.Variable] = {}
        for name, declaration in self.declarations.items():
            with tf.device(placement[name]):
                self.variables[name] = tf.Variable(
                    declaration.initial_value(seed), trainable=declaration.trainable, name=name
                )

    @property
    def trainable(self) -> list[str]:
        """Names of the variables that gradients update, in the order of declaration."""
        return [name for name, declaration in self.declarations.items() if declaration.trainable]

    def read(self) -> dict[str, tf.Tensor]:
        """Every variable's value, read where it lives; the runtime copies it to whoever computes with it."""
        values = {}
        for name, variable in self.variables.items():
            with tf.device(self.placement[name]):
                values[name] = variable.read_value()
        return values

    def copy_from(self, other: Store) -> None:
        """Take over every value of `other`."""
        for name, variable in self.variables.items():
            variable.assign(other.variables[name])
