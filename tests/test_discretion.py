import pytest

from benchmarks.discreet_facts import DiscreetFacts
from benchmarks.discretion import (
    AllNames,
    Names,
    is_secret,
    machine_id,
    told,
    told_arguments,
    with_this_host,
    without_secrets,
)
from benchmarks.params import Params, options


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("s3://me:pass@bucket/x", "s3://(hidden)@bucket/x"),
        ("https://host/x?token=abc&size=3", "https://host/x?token=(hidden)&size=3"),
        ("https://host/x?X-Amz-Signature=abc", "https://host/x?X-Amz-Signature=(hidden)"),
        ("/home/me/data@2x", "/home/me/data@2x"),
        ("gs://bucket/imagenet", "gs://bucket/imagenet"),
    ],
)
def test_what_an_address_has_to_log_in_with(text, kept):
    assert without_secrets(text) == kept


def test_secrets_in_arguments():
    given = [
        "run.py",
        "--undefok=api_key",
        "--api_key=abc",
        "--model=resnet50",
        "--password",
        "abc",
        "--data_dir=x://a:b@c",
    ]
    assert told_arguments(given, Names((), own="")) == [
        "run.py", "--undefok=api_key", "--api_key=(hidden)", "--model=resnet50", "--password", "(hidden)",
        "--data_dir=x://(hidden)@c",
    ]  # fmt: skip


def test_no_option_of_ours_is_taken_for_a_secret():
    assert [name for name in options() if is_secret(name)] == []


def test_hosts_of_a_cluster_and_the_own_one():
    names = Names(["node-a:1", "node-b:1", "127.0.0.1:1", "[fd00::1]:2"], ["worker"], own="node-c.example.org")
    text = (
        "node-a:1 node-b:2 node-a.other node-c node-c.example.org /job:worker [fd00::1]:2 127.0.0.1:3 ipv4:10.1.2.3:4"
    )
    assert names(text) == (
        "host-1:1 host-2:2 node-a.other (host in short) (host) /job:worker [host-3]:2 127.0.0.1:3 ipv4:(host):4"
    )


def test_words_of_flags_are_left_even_where_hosts_have_their_names():
    names = Names(["worker:1", "ps:2"], ["worker", "gpu", "resnet50"], own="gpu")
    assert names("/job:worker/gpu:0 at worker:1, --device=gpu, ps") == "/job:worker/gpu:0 at host-1:1, --device=gpu, ps"
    assert names.address("ps") == "host-2"


def test_a_path_with_the_name_of_the_host_is_meant_on_any_host():
    recorded = Names((), own="node-c.example.org")("/scratch/node-c/of/node-c.example.org")
    assert recorded == "/scratch/(host in short)/of/(host)"
    assert with_this_host(recorded, "node-d.example.org") == "/scratch/node-d/of/node-d.example.org"
    assert with_this_host(Names((), own="ubuntu")("/home/ubuntu/data"), "ubuntu") == "/home/ubuntu/data"


def test_nothing_is_left_out_for_who_asks():
    assert AllNames()("node-a:1 10.1.2.3:4") == "node-a:1 10.1.2.3:4"
    assert told({"a": ["x://b:c@d"], "my_token": "e", "n": 3}, AllNames()) == {
        "a": ["x://(hidden)@d"],
        "my_token": "(hidden)",
        "n": 3,
    }


CLUSTER = {
    "driver": "/job:worker/task:0",
    "hosts": {"ps": ["node-a:1"], "worker": ["node-a:2", "node-b:2"]},
    "processes": {"/job:ps/task:0": {"hostname": "node-a", "tensorflow": "2.21.0"}},
}
FLAGS = {"ps_hosts": "node-a:1", "worker_hosts": "node-a:2,node-b:2", "data_dir": "/data"}


def test_a_cluster_as_a_record_tells_it():
    facts = DiscreetFacts(Params(**FLAGS), CLUSTER)
    assert facts.flags(FLAGS) == {"ps_hosts": "host-1:1", "worker_hosts": "host-1:2,host-2:2", "data_dir": "/data"}
    assert facts.arguments(["--worker_hosts=node-a:2,node-b:2"]) == ("--worker_hosts=host-1:2,host-2:2",)
    assert facts.told("/job:worker/task:1 at node-b:2 is gone") == "/job:worker/task:1 at host-2:2 is gone"
    assert facts.cluster()["cluster"]["hosts"] == {"ps": ["host-1:1"], "worker": ["host-1:2", "host-2:2"]}
    assert facts.cluster()["cluster"]["processes"] == {"/job:ps/task:0": {"tensorflow": "2.21.0"}}


def test_a_cluster_with_its_names():
    facts = DiscreetFacts(Params(**FLAGS, record_hostname=True), CLUSTER)
    assert facts.flags(FLAGS) == FLAGS
    assert facts.cluster() == {}


def test_a_machine_has_a_number_that_does_not_lead_to_its_id(tmp_path):
    assert machine_id(tmp_path) is None
    (tmp_path / "etc").mkdir()
    found = set()
    for text in ("0123456789abcdef" * 2, "f" * 32):
        (tmp_path / "etc/machine-id").write_text(f"{text}\n")
        found.add(machine_id(tmp_path))
    assert len(found) == 2
    assert not any(each in "0123456789abcdef" * 2 for each in found)
    (tmp_path / "etc/machine-id").write_text("uninitialized\n")
    assert machine_id(tmp_path) is None
