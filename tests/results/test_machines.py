import pytest

from results.machines import labels

SMALL = {"accelerator": "A", "cpu": "A", "usable_cores": 2, "memory_gib": 24, "virtualisation": "kvm"}


@pytest.mark.parametrize(
    ("changes", "called"),
    [
        ([{}], ["A"]),
        ([{}, {}], ["A", "A"]),
        ([{}, {"accelerator": "B", "usable_cores": 64}], ["A", "B"]),
        ([{}, {"usable_cores": 1, "memory_gib": 188}], ["A (2 cores)", "A (1 core)"]),
        ([{}, {"memory_gib": 188}], ["A (24 GiB)", "A (188 GiB)"]),
        ([{}, {"virtualisation": "none"}], ["A (a guest of kvm)", "A (no guest)"]),
        (
            [{}, {"usable_cores": 4}, {"usable_cores": 4, "memory_gib": 8}],
            ["A (2 cores, 24 GiB)", "A (4 cores, 24 GiB)", "A (4 cores, 8 GiB)"],
        ),
        ([{}, {"usable_cores": None}], ["A (2 cores)", "A"]),
    ],
)
def test_a_machine_is_called_by_the_fewest_words_that_part_it(changes, called):
    assert labels([SMALL | each for each in changes]) == called


def test_what_does_not_part_machines_is_not_told():
    machines = [SMALL, SMALL | {"usable_cores": 64}]
    assert labels(machines, ["accelerator"]) == ["A", "A"]
    assert labels(machines, []) == ["", ""]
