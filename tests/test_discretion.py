import platform
import random
import string

import pytest

from benchmarks.discreet_facts import DiscreetFacts, told_environment
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
        ("https://host/x?auth=abc&user=me&pw=b", "https://host/x?auth=(hidden)&user=me&pw=(hidden)"),
        ("https://host/x?design=4&sig=abc&SigV=1", "https://host/x?design=4&sig=(hidden)&SigV=1"),
        ("/home/me/data@2x", "/home/me/data@2x"),
        ("gs://bucket/imagenet", "gs://bucket/imagenet"),
    ],
)
def test_what_an_address_has_to_log_in_with(text, kept):
    assert without_secrets(text) == kept


@pytest.mark.parametrize(
    "name",
    ["TF_AUTHORIZATION", "HOROVOD_PASS", "NCCL_PW", "GIT_PAT", "--http_auth", "--db-pwd", "TF_PASSPHRASE", "XLA_JWT"],
)
def test_names_of_secrets(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["LD_LIBRARY_PATH", "TF_AUTHOR", "--bypass", "CUDA_PATTERN", "XLA_PWM", "TF_COMPASS"])
def test_names_of_no_secrets(name):
    assert not is_secret(name)


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
        "host-1:1 host-2:2 host-1.other (host in short) (host) /job:worker [host-3]:2 127.0.0.1:3 ipv4:(host):4"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/tmp/node17.log", "/tmp/(host in short).log"),
        ("node17-ib0", "(host in short)-ib0"),
        ("nccl_node17_rank0", "nccl_(host in short)_rank0"),
        ("NODE17", "(host in short)"),
        ("node17.local:2222", "(host in short).local:2222"),
        ("Node17.Cluster.org:1", "(host):1"),
        ("node170 anode17 17", "node170 anode17 17"),
        ("worker7:2222 at WORKER7.example.com:1", "host-1:2222 at host-1:1"),
        ("/job:worker/task:7 of worker70", "/job:worker/task:7 of worker70"),
    ],
)
def test_a_name_is_found_in_short_in_paths_and_with_suffixes(text, told):
    assert Names(["worker7.example.com:2222"], ["worker"], own="node17.cluster.org")(text) == told


@pytest.mark.parametrize(
    ("own", "text", "told"),
    [
        ("vm", "/tmp/vm.log", "/tmp/(host).log"),
        ("vm", "vm.log", "(host).log"),
        ("vm", "--log_file=vm_7.log,VM-ib0", "--log_file=(host)_7.log,(host)-ib0"),
        ("vm", "https://vm:80/vm s3://me@vm", "https://(host):80/(host) s3://me@(host)"),
        ("vm", "a vm of vm:2222 is no kvm, images/vm", "a vm of (host):2222 is no kvm, images/vm"),
        ("vm", "/boot/vmlinuz --vmax=2 /usr/lib/kvm", "/boot/vmlinuz --vmax=2 /usr/lib/kvm"),
        ("vm", "--tag=vm", "--tag=vm"),
        ("gpu", "--num_gpus=2 --gpu_indices=0 /gpu:0 /job:gpu/device:GPU:0", None),
        ("a", "a run of /a/b", None),
        ("1", "/tmp/1/x --num_gpus=1", None),
        ("host", "/tmp/host.log", "/tmp/(host).log"),
    ],
)
def test_short_names_and_words_are_left_where_they_are_no_name(own, text, told):
    assert Names((), ["gpu", "device"], own=own)(text) == (text if told is None else told)


def test_names_in_paths_go_and_words_with_such_letters_stay():
    """Whatever a machine is called, of two letters or more."""
    letters = random.Random(17)

    def word(least, most):
        return "".join(letters.choices(string.ascii_lowercase, k=letters.randint(least, most)))

    for _ in range(300):
        own = word(2, 9)
        names, inside = (
            Names((), own=f"{own}.{word(3, 5)}.org"),
            [f"{word(1, 3)}{own}", f"{own}{word(1, 3)}", f"{own}1"],
        )
        longer = " ".join([*inside, *(f"/x/{each}.log --{each}_of=/{each}-{each}/" for each in inside)])
        assert names(longer) == longer
        for form in ("/x/{}.log", "/x/{}/y", "/x/of-{}_0", "{}-ib0", "{}.log", "ipv4:{}:2222", "rpc://{}"):
            for name in (own, own.upper()):
                told = names(form.format(name))
                assert told == form.format("(host in short)")
                assert with_this_host(told, f"{own}.org") == form.format(own)


def test_hosts_whose_names_are_those_of_records():
    assert Names(["host-2:1", "host-1:1"], own="host-3")("host-1 host-2 host-3") == "host-2 host-1 (host)"


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


def test_variables_are_told_without_names(monkeypatch):
    facts = {"python": "3.11", "variables": {"NCCL_DEBUG_FILE": "/tmp/node-b.log", "OMP_NUM_THREADS": "2"}}
    told = DiscreetFacts(Params(**FLAGS), CLUSTER).environment(facts)
    assert told == facts | {"variables": {"NCCL_DEBUG_FILE": "/tmp/host-2.log", "OMP_NUM_THREADS": "2"}}
    assert DiscreetFacts(Params(**FLAGS, record_hostname=True), CLUSTER).environment(facts) == facts
    monkeypatch.setattr(platform, "node", lambda: "node-b")
    assert told_environment(facts)["variables"]["NCCL_DEBUG_FILE"] == "/tmp/(host).log"


def test_sections_with_paths_are_told_without_names():
    sections = {"checkpoints": {"folder": "/scratch/node-b/x", "saved": [3]}, "model": {"name": "node-b"}}
    told = DiscreetFacts(Params(**FLAGS), CLUSTER).sections(sections)
    assert told == sections | {"checkpoints": {"folder": "/scratch/host-2/x", "saved": [3]}}


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
