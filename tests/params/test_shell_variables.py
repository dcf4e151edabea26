"""What the shell has set is heeded or overruled, never without a word."""

import pytest

from benchmarks.params import Params
from benchmarks.params.shell_variables import surplus_threads, words_on


@pytest.mark.parametrize(
    ("environment", "params", "words"),
    [
        ({}, Params(), []),
        (
            {"TF_NUM_INTRAOP_THREADS": "4"},
            Params(),
            ["TF_NUM_INTRAOP_THREADS=4 in the environment counts, as --num_intra_threads leaves it to TensorFlow."],
        ),
        (
            {"TF_NUM_INTRAOP_THREADS": "4"},
            Params(num_intra_threads=2),
            ["TF_NUM_INTRAOP_THREADS=4 in the environment has no effect: --num_intra_threads is 2."],
        ),
        (
            {"TF_NUM_INTRAOP_THREADS": "abc"},
            Params(),
            ["TF_NUM_INTRAOP_THREADS=abc in the environment has no effect: it is no number."],
        ),
        ({"TF_NUM_INTRAOP_THREADS": "2"}, Params(num_intra_threads=2), []),
        (
            {"TF_NUM_INTRAOP_THREADS": "4"},
            Params(device="cpu", num_gpus=4096),  # a tower for each core has one thread
            ["TF_NUM_INTRAOP_THREADS=4 in the environment has no effect: --num_intra_threads is 1."],
        ),
        (
            {"TF_NUM_INTEROP_THREADS": "1"},
            Params(num_inter_threads=3),
            ["TF_NUM_INTEROP_THREADS=1 in the environment has no effect: --num_inter_threads is 3."],
        ),
        (
            {"TF_ENABLE_ONEDNN_OPTS": "0"},
            Params(),
            ["TF_ENABLE_ONEDNN_OPTS=0 in the environment counts, as neither --mkl nor --nomkl is given."],
        ),
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, Params(mkl=True), []),  # an override, which has a warning of its own
        ({"ONEDNN_VERBOSE": "0", "DNNL_VERBOSE": ""}, Params(), []),
        ({"ONEDNN_VERBOSE": "1"}, Params(onednn_verbose=True), []),
        (
            {"DNNL_VERBOSE": "2"},
            Params(),
            [
                "DNNL_VERBOSE=2 in the environment: oneDNN prints its lines on stdout, among those of the run. "
                "--onednn_verbose sums them up in their place."
            ],
        ),
    ],
)
def test_words(environment, params, words):
    assert words_on(environment, params) == words


def test_more_threads_than_processors_are_worth_a_word():
    (told,) = surplus_threads(Params(num_intra_threads=5000, num_inter_threads=2), 2)
    assert told.startswith("--num_intra_threads=5000: the run has 2 processor(s)")
