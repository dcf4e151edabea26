"""Machines that are not here, and measurements of ways with an effect that was planted."""

import functools
import random

from benchmarks.studies.claims.claim import Case, Claim, Measured, Way
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.own_flags import asked_for

NOISE = 0.01  # from run to run, of a quiet machine


def two_cores(folder):
    return Machine(cores=2, gpus=(), work=folder)


def two_h100(folder):
    return Machine(cores=16, gpus=("NVIDIA H100", "NVIDIA H100"), work=folder, capabilities=((9, 0), (9, 0)))


@functools.cache
def said(way):
    """What a way says that it does: the flags of its run as the run reads them, or those of its program."""
    if way.program:
        return dict(word.removeprefix("--").split("=", 1) for word in way.program if word.startswith("--"))
    return vars(asked_for(way)) | {"asked": way.flags}


# By study, whether a way that says so does what is advised; of a case by its name.
ADVISED = {
    "input_bound": lambda says, _: says["model"] == "trivial",
    "input_method": lambda says, _: says.get("way") == "tf.data" or says.get("input_method") == "dataset",
    "preprocess_device": lambda says, _: says["preprocess_device"] == "cpu",
    "file_size": lambda says, _: says.get("way") == "large" or says.get("input_method") == "dataset",
    "data_format": lambda says, _: says["data_format"] == "NCHW" and says["mkl"] is not False,
    "fused_batch_norm": lambda says, _: says["fused_batch_norm"],
    "xla": lambda says, _: says["xla_compile"],
    "precision": lambda says, case: says["precision"] in case.split(),
    "variable_update": lambda says, _: "--variable_update=auto" in says["asked"],
    "threads": lambda says, case: says["mkl"] if case == "oneDNN" else guides_threads(says),
    "placement": lambda says, _: says["way"] in {"several", "together", "pinned", "soft"},
    "constant_reuse": lambda says, _: says["way"] == "tensor",
    "steps_per_loop": lambda says, _: says["steps_per_loop"] > 1,
}


def guides_threads(says):
    """Whether a run has the guide's threads and variables, on `two_cores` or on the 16 of `two_h100`."""
    threads = says["num_intra_threads"], says["num_inter_threads"]
    return bool(says["mkl"]) and threads in ((2, 2), (16, 16)) and says["kmp_blocktime"] == 0


def measurements(case, gain, seed=0, advised=None):
    """What measures the ways of `case`, what is advised `gain` times as good as all else, with noise.

    A way is the advised one where `advised` says so of what it says; without it, where it stands as such in the case.
    """
    draw = random.Random(seed)

    def run(way):
        is_advised = advised(said(way), case.name) if advised else way is case.advised
        times = gain if is_advised else 1.0
        return Measured(100.0 * (1 / times if case.less_is_better else times) * draw.gauss(1, NOISE), {})

    return run


def claim(*cases, name="stand_in"):
    return Claim(name, "One way is better.", "nowhere", lambda _: cases)


def case(name="case", seconds=1.0, other="--num_batches=30", **more):
    return Case(name, Way("good", ("--num_batches=20",)), Way("bad", (other,)), seconds=seconds, **more)
