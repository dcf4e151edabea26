"""Input through a tf.data service: one of this process's own, or one that runs elsewhere.

`python -m benchmarks.inputs.data_service` is such a service: a dispatcher and workers, in one process.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from benchmarks.errors import ExitCode, UserError
from benchmarks.inputs.pipeline_options import PipelineOptions
from benchmarks.inputs.pipelines import held_ready

_SERVICE = tf.data.experimental.service
_REACH_SECONDS = 5.0
_END = {signal.SIGINT, signal.SIGTERM}
_VERSION_OF_DISPATCHER = "/tensorflow.data.DispatcherService/GetVersion"  # what every one of them answers
_REASONS = {  # by the name of gRPC's status
    "UNIMPLEMENTED": "what listens there is another gRPC server, not the dispatcher of a tf.data service",
    "DEADLINE_EXCEEDED": f"there was no answer within {_REACH_SECONDS:.0f} s, as from what is no tf.data service",
}


class _Servers(NamedTuple):
    dispatcher: Any
    workers: list[Any]


def check_reachable(address: str) -> None:
    """Raise UserError, within seconds, where no dispatcher of a tf.data service answers at `address`, host:port."""
    import grpc  # type: ignore[import-untyped]  # TensorFlow brings it, but not its types

    told = f"--data_service_address={address}: no data service can be reached there"
    way_out = (
        "Start its dispatcher (python -m benchmarks.inputs.data_service does), or leave the address out for a service "
        "in this process."
    )
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            channel.unary_unary(_VERSION_OF_DISPATCHER)(b"", timeout=_REACH_SECONDS)
        except grpc.RpcError as error:
            reason = _REASONS.get(error.code().name, error.details())
            raise UserError(f"{told} ({reason}). {way_out}") from error


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
    return _start(workers=1)


def _start(workers: int, port: int = 0) -> _Servers:
    dispatcher = _SERVICE.DispatchServer(_SERVICE.DispatcherConfig(port=port))
    address = dispatcher.target.split("://")[1]
    config = _SERVICE.WorkerConfig(dispatcher_address=address)
    return _Servers(dispatcher, [_SERVICE.WorkerServer(config) for _ in range(workers)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the one line on stdout is the address, once all of it is up."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inputs.data_service",
        description="A tf.data service on this machine, for --input_method=service. Its one line of output is what to "
        "give as --data_service_address; from other machines, with this one's name in place of localhost.",
    )
    parser.add_argument("--port", type=int, default=0, help="of the dispatcher (a free one)")
    parser.add_argument("--workers", type=int, default=1, help="each makes all images of each tower (default 1)")
    options = parser.parse_args(arguments)
    signal.pthread_sigmask(signal.SIG_BLOCK, _END)  # before there are threads to receive them
    try:
        servers = _start(options.workers, options.port)
    except tf.errors.OpError as error:
        sys.stderr.write(f"{parser.prog}: error: --port={options.port}: {error.message}. Give another one.\n")
        return ExitCode.UNUSABLE
    sys.stdout.write(servers.dispatcher.target.split("://")[1] + "\n")
    sys.stdout.flush()
    signal.sigwait(_END)
    return ExitCode.VALID


if __name__ == "__main__":
    sys.exit(main())
