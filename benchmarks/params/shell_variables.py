"""Variables of the shell that change a run without a flag: what is worth a word before TensorFlow starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.params.params import Params
from benchmarks.params.resolve import intra_threads

_VERBOSE = ("ONEDNN_VERBOSE", "DNNL_VERBOSE")  # the second is the older name
_OFF = ("", "0", "none", "error")  # the last is the default of newer versions


def words_on(environment: Mapping[str, str], params: Params) -> list[str]:
    """A sentence for each variable of `environment` that takes the place of a flag, or is overruled by one."""
    return [*_threads(environment, params), *_onednn(environment, params)]


def surplus_threads(params: Params, cores: int) -> Iterator[str]:
    """A sentence for each flag that asks for more threads than there are processors."""
    for flag in ("num_intra_threads", "num_inter_threads"):
        if (number := getattr(params, flag) or 0) > cores:
            yield f"--{flag}={number}: the run has {cores} processor(s): more threads than that wait for one another."


def _threads(environment: Mapping[str, str], params: Params) -> Iterator[str]:
    threads = {
        "TF_NUM_INTRAOP_THREADS": ("num_intra_threads", intra_threads(params)),
        "TF_NUM_INTEROP_THREADS": ("num_inter_threads", params.num_inter_threads),
    }
    for variable, (flag, number) in threads.items():
        if not (found := environment.get(variable)) or found == str(number):
            continue
        if not found.strip().removeprefix("-").isdecimal():
            yield f"{variable}={found} in the environment has no effect: it is no number."
        elif number:
            yield f"{variable}={found} in the environment has no effect: --{flag} is {number}."
        else:
            yield f"{variable}={found} in the environment counts, as --{flag} leaves it to TensorFlow."


def _onednn(environment: Mapping[str, str], params: Params) -> Iterator[str]:
    found = environment.get("TF_ENABLE_ONEDNN_OPTS")
    if found and params.mkl is None:
        yield f"TF_ENABLE_ONEDNN_OPTS={found} in the environment counts, as neither --mkl nor --nomkl is given."
    for variable in _VERBOSE:
        if not params.onednn_verbose and (told := environment.get(variable, "")) not in _OFF:
            yield (
                f"{variable}={told} in the environment: oneDNN prints its lines on stdout, among those of the run. "
                "--onednn_verbose sums them up in their place."
            )
