"""Input through a tf.data service: one of this process's own, or one that runs elsewhere."""

from __future__ import annotations

import atexit
import functools
import gc
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from benchmarks.cluster.addresses import host_and_port
from benchmarks.errors import UserError
from benchmarks.inputs.pipeline_options import PipelineOptions
from benchmarks.inputs.pipelines import held_ready

_SERVICE = tf.data.experimental.service
_REACH_SECONDS = 5.0


class _Servers(NamedTuple):
    dispatcher: Any
    worker: Any


def check_reachable(address: str) -> None:
    """Raise UserError, within seconds, where nothing listens at `address`, which is host:port."""
    try:
        socket.create_connection(host_and_port(address), timeout=_REACH_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"--data_service_address={address}: no data service can be reached there ({error.strerror or error}). "
            "Start its dispatcher, or leave the address out for a service in this process."
        ) from error


def served(dataset: Callable[..., tf.data.Dataset], address: str | None) -> Callable[..., tf.data.Dataset]:
    """`dataset` of a tower's number and of options, made by the service at `address`, host:port; None: by our own.

    Every worker of the service makes all of a tower's batches. The images that it reads must be where it looks for
    them, at the same path.
    """
    target = f"grpc://{address}" if address else _own_servers().dispatcher.target

    def of(*, tower: int, options: PipelineOptions) -> tf.data.Dataset:
        made_elsewhere = _SERVICE.distribute(processing_mode=_SERVICE.ShardingPolicy.OFF, service=target)
        return held_ready(dataset(tower=tower, options=options).apply(made_elsewhere), options)

    return of


@functools.cache
def _own_servers() -> _Servers:
    """A dispatcher and a worker in this process, for as long as it runs."""
    # Iterators that are left in cycles would outlive the servers, and hold the process's end up while they miss them.
    atexit.register(gc.collect)
    dispatcher = _SERVICE.DispatchServer()
    address = dispatcher.target.split("://")[1]
    return _Servers(dispatcher, _SERVICE.WorkerServer(_SERVICE.WorkerConfig(dispatcher_address=address)))
