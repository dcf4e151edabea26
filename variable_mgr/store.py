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
        variables: dict[str, tf.Variable] = {}
        for declaration in declarations:
            with tf.device(placement[declaration.name]):
                variables[declaration.name] = tf.Variable(
                    declaration.initial_value(seed), trainable=declaration.trainable, name=declaration.name
                )
        self._hold(declarations, placement, variables)

    @classmethod
    def of(
        cls, declarations: Sequence[Declaration], placement: Placement, variables: Mapping[str, tf.Variable]
    ) -> Store:
        """A store of variables that exist already, each on the device that `placement` says."""
        store = cls.__new__(cls)
        store._hold(declarations, placement, variables)
        return store

    def _hold(
        self, declarations: Sequence[Declaration], placement: Placement, variables: Mapping[str, tf.Variable]
    ) -> None:
        self.declarations = {declaration.name: declaration for declaration in declarations}
        self.placement = {name: placement[name] for name in self.declarations}
        self.variables: dict[str, tf.Variable] = {name: variables[name] for name in self.declarations}

    @property
    def trainable(self) -> list[str]:
        """Names of the variables that gradients update, in the order of declaration."""
        return [name for name, declaration in self.declarations.items() if declaration.trainable]

    def read(self) -> dict[str, tf.Tensor]:
        """Every variable's value, read where it lives; the runtime copies it to whoever computes with it."""
        return {name: self.value(name) for name in self.variables}

    def value(self, name: str) -> tf.Tensor:
        """The value of the variable `name`, read where it lives."""
        with tf.device(self.placement[name]):
            return self.variables[name].read_value()

    def assign(self, name: str, value: tf.Tensor) -> tf.Operation:
        """Let the variable `name` take over `value`."""
        with tf.device(self.placement[name]):
            return tf.raw_ops.AssignVariableOp(resource=self.variables[name].handle, value=value)

    def copy_from(self, other: Store) -> None:
        """Take over the value of every variable that `other` has too."""
        for name in self.variables.keys() & other.variables.keys():
            self.assign(name, other.value(name))
