"""What auto stands for in flags; wiring is read through the real nvidia-ml-py from a stand-in for the driver."""

import pytest

from benchmarks.params import CommandLineError, notices, parse
from benchmarks.params.advised import advised
from benchmarks.params.params import Params
from tests.telemetry import machines
from tests.telemetry.stand_in import put_in_place


@pytest.fixture
def put(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return lambda text: put_in_place(text, tmp_path, monkeypatch)


def chosen(*arguments):
    command = parse(arguments)
    assert not notices(command.params, command.given)
    params = command.params
    return params.variable_update, params.local_parameter_device, params.all_reduce_spec


def test_all_three_from_wiring_and_model(put):
    put(machines.p2_16xlarge())
    assert chosen("--variable_update=auto", "--num_gpus=8", "--model=vgg16") == ("parameter_server", "gpu", None)
    put(machines.dgx_1())
    assert chosen("--variable_update=auto", "--num_gpus=8", "--model=vgg16") == ("replicated", None, "nccl")
    assert chosen("--variable_update=auto", "--num_gpus=8", "--model=resnet50") == ("parameter_server", "cpu", None)


def test_one_line_tells_rule_reason_and_source(put):
    put(machines.p2_16xlarge())
    told = str(parse(["--variable_update=auto", "--num_gpus=8", "--model=vgg16"]).advice)
    assert told == (
        'auto: --variable_update=parameter_server --local_parameter_device=gpu. Rule "K80 with peer-to-peer": the GPUs '
        "reach each other's memory under one PCIe root, so the variables are spread evenly over them (8 x Tesla K80, "
        "all peers; vgg16: 5.97 bytes of variables per 1,000 FLOP). Source: TensorFlow's performance guide, 2017: "
        "https://www.tensorflow.org/performance/performance_guide."
    )


def test_what_a_strategy_has_no_use_for_chooses_nothing():
    flags = ["--variable_update=parameter_server", "--all_reduce_spec=auto", "--device=cpu", "--num_gpus=2"]
    assert str(parse(flags).advice) == (
        "auto: --all_reduce_spec=auto chooses nothing, as --variable_update=parameter_server has no use for it."
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--variable_update=parameter_server", "--local_parameter_device=auto"], ("parameter_server", "gpu", None)),
        (["--variable_update=replicated", "--all_reduce_spec=auto"], ("replicated", None, "nccl")),
        (["--variable_update=auto", "--local_parameter_device=cpu"], ("parameter_server", "cpu", None)),
        (["--variable_update=independent", "--local_parameter_device=auto"], ("independent", None, None)),
        (["--variable_update=replicated", "--all_reduce_spec=auto", "--precision=bf16"], ("replicated", None, "xring")),
    ],
)
def test_what_was_given_stays(put, flags, expected):
    put(machines.p2_16xlarge())
    assert chosen(*flags, "--num_gpus=4", "--model=resnet50") == expected


def test_gpus_are_those_that_the_process_is_shown(put, monkeypatch):
    put(machines.dgx_1())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,0,5")
    parse_two = ["--variable_update=parameter_server", "--local_parameter_device=auto", "--num_gpus=2"]
    assert chosen(*parse_two, "--model=vgg16") == ("parameter_server", "gpu", None)  # 4 and 0, which are linked
    assert chosen(*parse_two, "--model=vgg16", "--gpu_indices=1,2")[1] == "cpu"  # 0 and 5, which are not


def test_gpus_are_shown_by_their_uuids_too(put, monkeypatch):
    put(machines.dgx_1() + "".join(f"gpu{gpu}.uuid GPU-{gpu}abc\n" for gpu in range(8)))
    flags = ["--variable_update=parameter_server", "--local_parameter_device=auto", "--num_gpus=2", "--model=vgg16"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-4a,GPU-0")
    assert chosen(*flags)[1] == "gpu"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-0,GPU-5")
    assert chosen(*flags)[1] == "cpu"


@pytest.mark.parametrize(
    ("shown", "changed"),
    [("GPU-4ab1", ""), ("", ""), ("0,1,x", "gpu0 !15"), ("0,1", "gpu7.name Tesla K80"), ("MIG-1,MIG-2", "")],
)
def test_gpus_of_which_it_is_not_known_which_they_are(put, shown, changed):
    put(f"{changed}\n{machines.with_v100(machines.DGX_1V)}")
    params = Params(variable_update="auto", num_gpus=2, model="vgg16")
    _, advice = advised(params, {"CUDA_VISIBLE_DEVICES": shown})
    assert advice is not None
    assert advice.choice.rule == "GPUs of unknown wiring"


def test_the_cpu_asks_no_driver():
    def read():
        raise AssertionError("nothing is to be read")

    params, advice = advised(Params(variable_update="auto", device="cpu", num_gpus=2), {}, read)
    assert (params.variable_update, params.local_parameter_device) == ("parameter_server", "cpu")
    assert advice is not None
    assert advice.facts()["variable_update"]["rule"] == "CPU towers"


def test_a_cluster_is_known_by_its_processes(monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG",
        '{"cluster": {"worker": ["127.0.0.1:3001", "127.0.0.1:3002"]}, "task": {"type": "worker", "index": 0}}',
    )
    assert chosen("--variable_update=auto", "--device=cpu")[0] == "collective_all_reduce"


def test_rules_hold_for_what_auto_stands_for(put):
    put(machines.dgx_1())
    with pytest.raises(CommandLineError) as caught:
        parse(["--variable_update=auto", "--num_gpus=8", "--model=vgg16", "--cross_replica_sync=false"])
    problem, why = caught.value.problems
    assert problem.startswith("--cross_replica_sync=false with --variable_update=replicated: only parameter_server")
    assert why.startswith("--variable_update=replicated --all_reduce_spec=nccl is what auto stands for here: vgg16 has")
    assert why.endswith("Give another value.")


def test_a_problem_of_other_flags_is_the_only_one():
    with pytest.raises(CommandLineError) as caught:
        parse(["--variable_update=auto", "--all_reduce_spec=auto", "--model=vgg61", "--num_gpus=2"])
    assert [problem[:14] for problem in caught.value.problems] == ["--model=vgg61:"]
