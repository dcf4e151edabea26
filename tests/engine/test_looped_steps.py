"""Many steps in one call."""

import pytest

from tests.engine.training import SmallNet, build_training


@pytest.mark.parametrize("strategy", ["parameter_server", "replicated"])
def test_steps_in_a_loop_train_as_steps_by_themselves(batch, strategy):
    def training():
        return build_training(strategy, 2, *batch, network=SmallNet(normalised=True), weight_decay=0.01)

    looped, single = training(), training()
    losses = looped.step.losses(4)
    assert losses() + losses() == pytest.approx([single.step().loss for _ in range(8)], rel=1e-5)
    for name, value in single.values().items():
        assert looped.values()[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name
