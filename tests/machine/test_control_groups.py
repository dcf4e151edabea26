import pytest

from benchmarks.machine.control_groups import control_groups, cpu_quota, memory_limit


def groups(tmp_path, membership, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_max", ".max").replace("cpu_cfs", "cpu.cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "membership").write_text(membership)
    return cpu_quota(tmp_path / "membership", tmp_path)


def test_the_tightest_of_nested_groups_limits_the_cores(tmp_path):
    found = groups(tmp_path, "0::/a/b\n", a__cpu_max="150000 100000\n", a__b__cpu_max="max 100000\n")
    assert found == 1.5


def test_version_one_groups_are_read(tmp_path):
    files = {"cpu__job__cpu_cfs_quota_us": "50000\n", "cpu__job__cpu_cfs_period_us": "100000\n"}
    assert groups(tmp_path, "5:memory:/x\n4:cpu,cpuacct:/job\n", **files) == 0.5


@pytest.mark.parametrize("text", ["max 100000\n", "", "nonsense"])
def test_no_limit_is_none(tmp_path, text):
    assert groups(tmp_path, "0::/\n", cpu_max=text) is None


def test_no_groups_at_all_is_none(tmp_path):
    assert cpu_quota(tmp_path / "none", tmp_path) is None


def test_the_tightest_limit_of_memory_holds(tmp_path):
    for name, limit in {"a": "8000", "b": "max", "c": str(2**63 - 4096), "d": "many"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ("memory.limit_in_bytes" if name == "c" else "memory.max")).write_text(limit)
    assert memory_limit([tmp_path / name for name in "abcd"]) == 8000
    assert memory_limit([tmp_path / name for name in "bcd"]) is None


@pytest.mark.parametrize("text", ["", "nonsense", "1:cpu"])
def test_an_odd_membership_is_of_no_group(tmp_path, text):
    (tmp_path / "membership").write_text(text)
    assert cpu_quota(tmp_path / "membership", tmp_path) is None
    assert isinstance(control_groups("cpu", tmp_path / "membership", tmp_path), list)
