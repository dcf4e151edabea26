"""What this project uses of horovod.tensorflow, over plain sockets: for tests where Horovod cannot be installed.

Names, arguments and results are those of Horovod 0.28.1; so are the variables that say which process this is. As there,
operations meet by name, and one that not all processes ask for is waited for.
"""

import atexit
import itertools
import os
import pickle
import socket
import struct
import threading
import time

import numpy as np
import tensorflow as tf

Average, Sum = "average", "sum"
_values = {}  # name -> rank -> value, at the first process, until all have come
_changed = threading.Condition()
_open = set()  # connections, at the first process, of those that have not got their answer
_calls = {}  # how often a name was asked for by this process
_last = {}  # graph -> its last operation: a blocked one keeps a thread, so all processes must go in one order
_numbers = itertools.count()


def rank():
    return int(os.environ["HOROVOD_RANK"])


def size():
    return int(os.environ["HOROVOD_SIZE"])


def local_rank():
    return int(os.environ["HOROVOD_LOCAL_RANK"])


def init():
    if rank() == 0:
        server = socket.create_server(_address(), backlog=128)
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        atexit.register(_answer_the_others)


def allreduce(tensor, op=None, name=None, device_dense=""):
    assert name is not None, "a made-up name would not be the same in all processes"
    assert tensor.dtype in (tf.float16, tf.float32, tf.float64), f"{tensor.dtype} is none of Horovod's types"
    with tf.device(device_dense):
        total = _blocking(lambda value: sum(_exchanged(name, value)).astype(value.dtype), tensor)
        return total / size() if op in (None, Average) else total


def broadcast_variables(variables, root_rank):
    for variable in variables:
        name = f"broadcast {variable.name} {next(_numbers)}"
        variable.assign(_exchanged(name, variable.numpy())[root_rank])


def allgather_object(obj, name=None):
    return _exchanged(f"object {name}", obj)


def _blocking(function, tensor):
    graph = tensor.graph
    with tf.control_dependencies([_last[graph]] if graph in _last else []):
        result = tf.numpy_function(function, [tensor], tensor.dtype)
    _last[graph] = result.op
    result.set_shape(tensor.shape)
    return result


def _exchanged(name, value):
    """The values that all processes have brought for `name`, by rank."""
    _calls[name] = _calls.get(name, 0) + 1
    with _connection() as connection:
        _send(connection, ((name, _calls[name]), rank(), value))
        return _receive(connection)


def _serve(server):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection):
    key, number, value = _receive(connection)
    with _changed:
        _open.add(connection)
        values = _values.setdefault(key, {})
        values[number] = value
        _changed.notify_all()
        _changed.wait_for(lambda: len(values) == size())
        _values.pop(key, None)
    _send(connection, [values[each] for each in range(size())])
    connection.close()
    with _changed:
        _open.discard(connection)
        _changed.notify_all()


def _answer_the_others():
    """Who has an answer may end at once; as Horovod does, the first process ends once the others have theirs too."""
    with _changed:
        _changed.wait_for(lambda: not _open, timeout=60)


def _connection():
    deadline = time.monotonic() + 300
    while True:
        try:
            return socket.create_connection(_address())
        except OSError:  # noqa: PERF203  it is tried until the first process listens
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _address():
    return "127.0.0.1", int(os.environ["HOROVOD_GLOO_RENDEZVOUS_PORT"])


def _send(connection, value):
    data = pickle.dumps(np.asarray(value) if isinstance(value, np.generic) else value)
    connection.sendall(struct.pack("!q", len(data)) + data)


def _receive(connection):
    (length,) = struct.unpack("!q", _read(connection, 8))
    return pickle.loads(_read(connection, length))


def _read(connection, length):
    data = b""
    while len(data) < length:
        chunk = connection.recv(length - len(data))
        if not chunk:
            raise ConnectionError("another process is gone")
        data += chunk
    return data
