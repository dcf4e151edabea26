"""Machines that are not here, and measurements of ways with an effect that was planted."""

import random

from benchmarks.studies.claims.claim import Measured
from benchmarks.studies.claims.machine import Machine

NOISE = 0.01  # from run to run, of a quiet machine


def two_cores(folder):
    return Machine(cores=2, gpus=(), work=folder)


def two_h100(folder):
    return Machine(cores=16, gpus=("NVIDIA H100", "NVIDIA H100"), work=folder, capabilities=((9, 0), (9, 0)))


def measurements(case, gain, seed=0):
    """What measures the ways of `case`, the advised one `gain` times as good as the other, with noise."""
    draw = random.Random(seed)

    def run(way):
        better = gain if (way is case.advised) != case.less_is_better else 1.0
        return Measured(100.0 * better * (1 / gain if case.less_is_better else 1.0) * draw.gauss(1, NOISE), {})

    return run
