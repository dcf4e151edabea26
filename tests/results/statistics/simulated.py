"""Step times made up for tests: noise of several kinds around a level of one second."""

import numpy as np
from scipy import signal

KINDS = ("normal", "heavy-tailed", "spiky", "skewed", "bimodal")


def noise(kind, runs, steps, correlation, seed):
    """Noise of variance about 1, shape (runs, steps), whose neighbours correlate."""
    generator = np.random.default_rng(seed)
    shape = (runs, steps + 100)
    fresh = {
        "normal": lambda: generator.standard_normal(shape),
        "heavy-tailed": lambda: generator.standard_t(3, shape) / 3**0.5,
        "spiky": lambda: (
            generator.standard_normal(shape) / 2 + (generator.random(shape) < 0.05) * generator.pareto(2.5, shape) * 5
        ),
        "skewed": lambda: (np.exp(generator.standard_normal(shape)) - np.e**0.5) / 2.16,
        "bimodal": lambda: (generator.random(shape) < 0.3) * 2.0 + generator.standard_normal(shape) / 5,
    }[kind]()
    kept = signal.lfilter([1], [1, -correlation], fresh, axis=1)[:, 100:]
    return kept * (1 - correlation**2) ** 0.5


def step_times(kind="normal", runs=200, steps=200, correlation=0.0, spread=0.05, seed=1):
    """Step times of level 1, shape (runs, steps)."""
    return np.maximum(1 + spread * noise(kind, runs, steps, correlation, seed), 0.05)


def share(outcomes):
    """The share of true outcomes."""
    found = list(outcomes)
    return sum(found) / len(found)
