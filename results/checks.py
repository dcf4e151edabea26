"""What the figures of a run say against it. Each function returns problems, one sentence each; none is good."""

import math
from collections.abc import Iterable
from statistics import median

# A network that knows nothing of 1000 classes has a loss near 7, weight decay included; one that diverges passes 5
# times its first losses within steps.
EXPLODED = 5.0
_COMPARED = 3  # losses at the beginning and at the end; a median of three forgives one of them


def loss_problems(losses: Iterable[tuple[int, float]]) -> list[str]:
    """Return what is wrong with the (step, loss) pairs of a training, in the order of the steps.

    A loss that is not finite is one. So is a loss that explodes: the median of the last three is more than EXPLODED
    times the median of the first three, with at least twice three losses to judge by.
    """
    pairs = list(losses)
    for step, loss in pairs:
        if not math.isfinite(loss):
            return [f"the loss is not finite from step {step} on"]
    if len(pairs) < 2 * _COMPARED:
        return []
    first = median(loss for _, loss in pairs[:_COMPARED])
    last = median(loss for _, loss in pairs[-_COMPARED:])
    if first > 0 and last > EXPLODED * first:
        return [f"the loss explodes: {last:.4g} at the end, {last / first:.1f} times the first losses"]
    return []
