"""Input for towers of another process, with a CPU for the GPU: what can be tried without one."""

import subprocess
import sys

from tests.cluster.conftest import free_port
from tests.main.conftest import PROJECT, run_program

SERVER = """
import sys, threading
import tensorflow as tf
kept = tf.distribute.Server({spec}, job_name="worker", task_index=1)
print("up", flush=True)
threading.Event().wait()
"""
CLIENT = """
import os
import tensorflow as tf
from benchmarks.inputs.towers import begun, copied_ahead
tf.config.experimental_connect_to_cluster(tf.train.ClusterSpec({spec}), job_name="worker", task_index=0)
there = "/job:worker/replica:0/task:1/cpu:0"
with tf.device(there):
    batches = begun(copied_ahead(tf.data.Dataset.range(100).batch(2), there))

@tf.function(autograph=False)
def step():
    with tf.device(there):
        return tf.identity(next(batches))

found = [step() for _ in range(3)]
print([batch.numpy().tolist() for batch in found], {{batch.device for batch in found}}, flush=True)
os._exit(0)
"""


def test_batches_are_copied_ahead_in_another_process():
    spec = {"worker": [f"127.0.0.1:{free_port()}" for _ in range(2)]}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER.format(spec=spec)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout.readline() == "up\n"
        out = run_program(CLIENT.format(spec=spec))
    finally:
        server.kill()
        server.communicate()
    assert out == "[[0, 1], [2, 3], [4, 5]] {'/job:worker/replica:0/task:1/device:CPU:0'}\n"
