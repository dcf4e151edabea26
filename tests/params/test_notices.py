import pytest

from benchmarks.params import Notice, Params, notices


def test_nothing_given_nothing_noticed():
    assert notices(Params(staged_vars=True, use_tf_layers=False), given=()) == []


@pytest.mark.parametrize(
    ("params", "notice"),
    [
        (
            Params(fp16_vars=True),
            Notice("fp16_vars", True, "not yet acting", "variables stay float32"),
        ),
        (Params(use_tf_layers=False), Notice("use_tf_layers", False, "ignored", "TensorFlow 2 has no tf.layers")),
        (
            Params(momentum=0.5),
            Notice("momentum", 0.5, "no effect", "it acts only with --optimizer=momentum or lars"),
        ),
        (
            Params(device="cpu", winograd_nonfused=False),
            Notice("winograd_nonfused", False, "no effect", "it acts only on GPUs"),
        ),
        (
            Params(cross_replica_sync=False),
            Notice(
                "cross_replica_sync",
                False,
                "no effect",
                "it acts only with --variable_update=parameter_server over several processes; those of one process "
                "always make a step together",
            ),
        ),
        (Params(task_index=1), Notice("task_index", 1, "no effect", "it acts only with --job_name")),
        (
            Params(cluster_jobs="worker:2"),
            Notice("cluster_jobs", "worker:2", "no effect", "it acts only with --cluster_resolver=slurm or kubernetes"),
        ),
        (Params(kmp_blocktime=30), Notice("kmp_blocktime", 30, "no effect", "it acts only with --mkl")),
    ],
)
def test_notice(params, notice):
    assert notices(params, given={notice.flag}) == [notice]


def test_a_command_that_heeds_some_options_only():
    params = Params(optimizer="adam", num_gpus=2, staged_vars=False)
    [notice] = notices(params, given={"optimizer", "num_gpus", "staged_vars"}, heeded={"num_gpus"})
    assert str(notice) == "--optimizer=adam: no effect: this command does without it."


@pytest.mark.parametrize(
    ("params", "flag"),
    [
        (Params(staged_vars=False), "staged_vars"),
        (Params(train_dir=""), "train_dir"),
        (Params(num_gpus=2), "num_gpus"),
        (Params(cross_replica_sync=True), "cross_replica_sync"),
        (Params(cross_replica_sync=False, job_name="worker"), "cross_replica_sync"),
        (Params(cross_replica_sync=False, cluster_resolver="slurm"), "cross_replica_sync"),
        (Params(optimizer="momentum", momentum=0.5), "momentum"),
        (Params(mkl=True, kmp_blocktime=30), "kmp_blocktime"),
    ],
)
def test_no_notice(params, flag):
    assert notices(params, given={flag}) == []


def test_text():
    [notice] = notices(Params(fp16_vars=True), given={"fp16_vars"})
    assert str(notice) == "--fp16_vars=True: not yet acting: variables stay float32."
