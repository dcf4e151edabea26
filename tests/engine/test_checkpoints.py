"""What a checkpoint keeps of a training, under every strategy, and what becomes of the folder whatever happens."""

import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.checkpoints import CheckpointFacts, Checkpoints, SavingError
from benchmarks.errors import UserError
from benchmarks.learning_rate import ScheduledRate
from benchmarks.optimizers import Adam, Momentum
from benchmarks.precision import DynamicLossScale
from benchmarks.resuming import Resumption, restore
from benchmarks.training_state import TrainingState, shapes
from tests.engine.training import STRATEGIES, SmallNet, build_training

PROJECT = Path(__file__).parents[2]


def begun(step, folder, keep=5):
    """The checkpoints of `step` in `folder`, to be written."""
    checkpoints = Checkpoints(folder)
    checkpoints.lock()
    checkpoints.begin(TrainingState(step).groups(), keep)
    return checkpoints


def facts_of(step, steps):
    groups = {name: shapes(variables) for name, variables in TrainingState(step).groups().items()}
    state = step.loss_scale.state()
    return CheckpointFacts(run={}, steps=steps, steps_in_all=100, complete=False, images=0, loss_scale=state, **groups)


def save(step, folder, steps):
    checkpoints = begun(step, folder)
    written = checkpoints.write(facts_of(step, steps))
    checkpoints.unlock()
    return written


def resume(step, folder, updates=0):
    checkpoints = Checkpoints(folder)
    path = checkpoints.latest()
    restore(Resumption(path, checkpoints.facts(path)), checkpoints, step, updates)


def losses(step, count):
    return [step().loss for _ in range(count)]


CASES = {
    **{strategy: (strategy, {}) for strategy in STRATEGIES},
    "staged": ("parameter_server", {"how": {"staged": True}}),
    "relaxed": ("replicated", {"how": {"relaxed": True}}),
    "dropout": ("replicated", {"network": SmallNet(drops=True)}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_resumed_training_has_the_losses_of_one_that_never_stopped(batch, case, tmp_path):
    strategy, options = CASES[case]
    options = {"network": SmallNet(normalised=True), "optimizer": Adam()} | options

    def new():
        return build_training(strategy, 2, *batch, **options).step

    step = new()
    losses(step, 3)
    save(step, tmp_path, steps=3)
    expected = losses(step, 3)
    resumed = new()
    resume(resumed, tmp_path)
    assert losses(resumed, 3) == expected


def test_the_schedule_and_the_loss_scale_go_on(batch, tmp_path):
    def new():
        rate = ScheduledRate(np.geomspace(0.1, 1e-4, 8))
        return build_training("replicated", 2, *batch, rate=rate, loss_scale=DynamicLossScale(8.0, 2)).step

    step = new()
    losses(step, 3)
    save(step, tmp_path, steps=3)
    expected = losses(step, 3)
    resumed = new()
    resume(resumed, tmp_path, updates=3)
    assert losses(resumed, 3) == expected
    assert resumed.loss_scale.state() == step.loss_scale.state() == {"scale": 64.0, "finite_steps": 0}


def test_a_checkpoint_goes_from_strategy_to_strategy_and_from_towers_to_towers(batch, tmp_path):
    """Variables and slots are those of the network; the moving statistics are the first tower's."""
    ways = [
        ("parameter_server", 1, {}),
        ("replicated", 2, {}),
        ("distributed_replicated", 3, {}),
        ("sharded", 4, {}),
        ("independent", 2, {}),
        ("mirrored", 2, {}),
        ("parameter_server", 2, {"how": {"staged": True}}),
        ("replicated", 2, {"how": {"relaxed": True}}),
        ("parameter_server", 3, {}),
    ]
    network, before = SmallNet(normalised=True), None
    for steps, (strategy, towers, options) in enumerate(ways):
        training = build_training(strategy, towers, *batch, network=network, optimizer=Momentum(), **options)
        if before is not None:
            resume(training.step, tmp_path)
            for number, store in enumerate([*training.strategy.stores, *training.strategy.masters]):
                for name, variable in store.variables.items():
                    np.testing.assert_array_equal(variable, before[0][name], f"{strategy}, store {number}: {name}")
            for updates in training.step.updates:
                for name, slots in updates.slots.items():
                    np.testing.assert_array_equal(slots["momentum"], before[1][f"{name}/momentum"])
        training.step()
        training.step()
        save(training.step, tmp_path, steps=2 * steps + 2)
        state = TrainingState(training.step)
        before = [{name: each.numpy() for name, each in group.items()} for group in (state.network, state.slots)]


def test_only_what_differs_from_tower_to_tower_is_kept_more_than_once(batch):
    def own(strategy):
        training = build_training(strategy, 3, *batch, network=SmallNet(normalised=True), optimizer=Momentum())
        return Counter(name.split("/", 1)[0] for name in TrainingState(training.step).own)

    assert own("parameter_server") == {}
    assert own("replicated") == own("sharded") == {"store1": 2, "store2": 2}  # moving mean and variance
    assert own("independent") == {"store1": 2 + 9 + 9, "store2": 2 + 9 + 9}  # what is trained, and its momentum too


def test_the_oldest_go_and_the_file_says_which_count(batch, tmp_path):
    step = build_training("replicated", 2, *batch).step
    checkpoints = begun(step, tmp_path, keep=2)
    for steps in (1, 2, 3):
        checkpoints.write(facts_of(step, steps))
    assert [Path(path).name for path in checkpoints.paths()] == ["model.ckpt-2", "model.ckpt-3"]
    assert tf.train.latest_checkpoint(str(tmp_path)) == checkpoints.latest()
    assert {file.name.split(".data")[0] for file in tmp_path.iterdir()} == {
        "checkpoint", "model.ckpt-2", "model.ckpt-2.index", "model.ckpt-3", "model.ckpt-3.index",
    }  # fmt: skip


@pytest.fixture
def folder(batch, tmp_path):
    """Two checkpoints."""
    step = build_training("parameter_server", 1, *batch).step
    for steps in (1, 2):
        save(step, tmp_path, steps)
    return tmp_path


def damage_data(folder):
    file = folder / "model.ckpt-2.data-00000-of-00001"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def truncate_data(folder):
    file = folder / "model.ckpt-2.data-00000-of-00001"
    file.write_bytes(file.read_bytes()[:1000])


def truncate_index(folder):
    (folder / "model.ckpt-2.index").write_bytes(b"abc")


@pytest.mark.parametrize("damage", [damage_data, truncate_data, truncate_index])
def test_a_damaged_checkpoint_is_an_error_that_names_the_one_before_it(batch, folder, damage):
    damage(folder)
    step = build_training("parameter_server", 1, *batch).step
    with pytest.raises(UserError, match=r"model.ckpt-2 is damaged .*Delete model.ckpt-2\.\* to take model.ckpt-1, the"):
        resume(step, folder)
    for file in folder.glob("model.ckpt-2.*"):
        file.unlink()
    resume(step, folder)


def test_what_no_file_says_to_count_is_neither_gone_on_with_nor_written_over(folder):
    (folder / "checkpoint").rename(folder / "kept")
    with pytest.raises(UserError, match=r"has model.ckpt-2.index, but no readable file 'checkpoint' that says"):
        Checkpoints(folder).latest()
    (folder / "kept").rename(folder / "checkpoint")
    for file in folder.glob("*.index"):
        file.unlink()
    with pytest.raises(UserError, match=r"its file 'checkpoint' names model.ckpt-2, and no checkpoint that it names"):
        Checkpoints(folder).latest()


def test_a_checkpoint_of_another_program_is_said_to_be_one(tmp_path):
    checkpoint = tf.train.Checkpoint(weights=tf.Variable(1.0))
    tf.train.CheckpointManager(checkpoint, str(tmp_path), 1).save()
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(UserError, match="ckpt-1 is a checkpoint of another program"):
        checkpoints.facts(checkpoints.latest())


def test_an_empty_folder_and_none_are_trained_in_anew(tmp_path):
    assert Checkpoints(tmp_path).latest() is None
    assert Checkpoints(tmp_path / "new").latest() is None


def test_two_trainings_do_not_share_a_folder(tmp_path):
    first = Checkpoints(tmp_path)
    first.lock()
    with pytest.raises(UserError, match="another process trains in it"):
        Checkpoints(tmp_path).lock()
    first.unlock()
    Checkpoints(tmp_path).lock()


def test_a_disk_that_is_full_leaves_the_checkpoints_before_as_they_were(batch, folder):
    """Files may not grow beyond 2 kB here, which is told as a full disk is: by an error of the write."""
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    step = build_training("parameter_server", 1, *batch).step
    checkpoints = begun(step, folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(SavingError, match=r"model.ckpt-3 could not be written .*before it are as they were"):
            checkpoints.write(facts_of(step, 3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    checkpoints.write(facts_of(step, 3))
    assert checkpoints.latest().endswith("model.ckpt-3")


# Saves one checkpoint after the other, whose variables all have the number of the step, and says when it begins.
SAVES_ON = """
import sys
import tensorflow as tf
from benchmarks.checkpoints import CheckpointFacts, Checkpoints

checkpoints = Checkpoints(sys.argv[1])
checkpoints.lock()
latest = checkpoints.latest()
steps = checkpoints.facts(latest).steps if latest else 0
variables = {str(number): tf.Variable(tf.zeros([20_000])) for number in range(20)}
checkpoints.begin({"network": variables}, keep=2)
print("saving", flush=True)
while True:
    steps += 1
    for variable in variables.values():
        variable.assign(tf.fill([20_000], float(steps)))
    checkpoints.write(CheckpointFacts(run={}, steps=steps, steps_in_all=9, complete=False, images=0))
"""


def test_whenever_the_process_is_killed_the_last_checkpoint_is_whole(tmp_path):
    reached = 0
    command = [sys.executable, "-c", SAVES_ON, str(tmp_path)]
    for seconds in (0.17, 0.28, 0.41):
        with subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == "saving\n"
            time.sleep(seconds)
            reached = max(reached, whole(tmp_path))  # while others are written
            process.kill()
        assert whole(tmp_path) >= reached
        reached = whole(tmp_path)
    assert reached >= 3


def whole(folder):
    """The step of the latest checkpoint, whose variables are all there and of that step; 0 where there is none yet."""
    checkpoints = Checkpoints(folder)
    if not (folder / "checkpoint").exists():
        return 0
    for _ in range(10):
        path = checkpoints.latest()
        try:
            steps = checkpoints.facts(path).steps
            variables = {str(number): tf.Variable(tf.zeros([20_000])) for number in range(20)}
            checkpoints.read(path, {"network": variables})
        except UserError:
            if Path(f"{path}.index").exists():
                raise
            continue  # two newer ones have come meanwhile
        assert {float(value) for each in variables.values() for value in np.unique(each)} == {float(steps)}
        return steps
    raise AssertionError("checkpoints come faster than they can be read")
