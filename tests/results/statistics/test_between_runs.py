import numpy as np
import pytest

from results.statistics.between_runs import interval


def test_one_run_has_no_interval():
    assert interval([100.0]) is None


def test_three_runs_by_hand():
    # logs 0, 1, 2: mean 1, standard error 1/sqrt(3); Student's t of 2 degrees of freedom at 97.5 % is 4.3027
    found = interval(np.exp([0.0, 1.0, 2.0]).tolist())
    assert found.value == pytest.approx(np.e)
    assert found.high == pytest.approx(np.exp(1 + 4.302652729911275 / np.sqrt(3)))
    assert found.low == pytest.approx(np.exp(1 - 4.302652729911275 / np.sqrt(3)))
