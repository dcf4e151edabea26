"""Which records are repeats of one another: those of one configuration on one machine. All commands group by this.

A command may hold them further apart (a report tells versions of TensorFlow apart, `compare` every condition that is
known) or, where it is asked to, less. One value a run: `steady_images_per_second`; of several runs the geometric mean.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from results.machines import HARDWARE

# Columns of a frame. The key stands for all flags that say what is measured; of records that were imported, or ended
# early, the settings that people know a configuration by tell more than it.
SETTINGS = ("model", "dataset", "num_gpus", "device", "batch_size", "variable_update", "data_format", "precision")
CONFIGURATION = ("configuration_key", *SETTINGS)
SAME = (*CONFIGURATION, *HARDWARE)
# Images/s that a mean can be made of: no device is outside, and ratios of what is inside cannot overflow.
SLOWEST, FASTEST = 1e-6, 1e12

Item = TypeVar("Item")


def repeats(
    items: Iterable[Item], facts: Callable[[Item], Mapping[str, Any]], names: Iterable[str] = SAME
) -> list[list[Item]]:
    """Return `items` in groups that are the same in all facts `names`, in the order of their first ones.

    `facts` gives those of an item, as results.frame.facts does of a record; None and "" both say "not known".
    """
    chosen = tuple(names)
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault(identity(facts(item), chosen), []).append(item)
    return list(groups.values())


def identity(facts: Mapping[str, Any], names: Iterable[str] = SAME) -> tuple[str, ...]:
    """Return what repeats have in common, as text."""
    return tuple("" if (value := facts.get(name)) is None else str(value) for name in names)


def has_mean(images_per_second: float | None) -> bool:
    """Whether there is a figure, and one that enters means and ratios."""
    return images_per_second is not None and SLOWEST <= images_per_second <= FASTEST
