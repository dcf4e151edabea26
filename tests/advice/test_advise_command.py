"""python -m benchmarks.advise: what it knows of one device, what it refuses, and what it says."""

import itertools
import json
import re
import signal

import pytest

from benchmarks import advise
from benchmarks.advice import one_device, target
from benchmarks.advice.candidates import ON_GPUS, named
from benchmarks.errors import ExitCode, UserError
from benchmarks.telemetry import cuda_order, wiring
from benchmarks.topology import command as topology
from benchmarks.trials import SearchEnded, Trial, TrialFailed, Trials
from results.store import write
from tests.results.records import measurement, record
from tests.telemetry import machines
from tests.telemetry.stand_in import put_in_place

_, ON_GPUS_SPREAD, _, NCCL = ON_GPUS


def one_tower(**changes):
    settings = {"num_gpus": 1} | changes.pop("settings", {})
    return record(settings=settings, measurement=measurement(num_towers=1), **changes)


def test_one_device_is_the_mean_of_valid_plain_runs_of_one_tower_on_the_same_card(tmp_path):
    on_gpu = {"settings": {"device": "gpu"}, "hardware": {"gpus": [{"name": "Tesla P100-SXM2-16GB"}]}}
    for each in (
        one_tower(**on_gpu),
        one_tower(**on_gpu, problems=("the loss is NaN",)),
        one_tower(settings={"device": "gpu"}, hardware={"gpus": [{"name": "Tesla K80"}]}),
        one_tower(settings={"device": "gpu", "forward_only": True}, hardware=on_gpu["hardware"]),
        one_tower(settings={"model": "resnet32", "device": "gpu"}, hardware=on_gpu["hardware"]),
        record(**on_gpu),  # of two towers
    ):
        write(each, tmp_path)
    found = one_device.of_records(tmp_path, "resnet20", "P100-SXM2-16GB", 32, "fp32")
    assert found is not None
    assert found.images_per_second == pytest.approx(250)
    assert found.source == f"records in {tmp_path}"
    assert not found.variables_on_cpu
    assert one_device.of_records(tmp_path, "resnet20", "P100-SXM2-16GB", 64, "fp32") is None
    assert one_device.of_records(tmp_path, "resnet20", "", 32, "fp32") is None
    assert one_device.of_records(tmp_path / "none", "resnet20", "P100", 32, "fp32") is None


@pytest.mark.parametrize(
    ("card", "driver", "found"),
    [
        ("H200-SXM-141GB", "NVIDIA H200", True),
        ("H100-SXM5-80GB", "NVIDIA H100 80GB HBM3", True),
        ("H100-PCIE-80GB", "NVIDIA H100 PCIe", True),
        ("H100-PCIE-80GB", "NVIDIA H100 80GB HBM3", False),
        ("GTX-1080Ti", "NVIDIA GeForce GTX 1080 Ti", True),
        ("GTX-1080", "NVIDIA GeForce GTX 1080 Ti", False),
        ("A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB", True),
        ("A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", False),
        ("NVIDIA L4", "NVIDIA L4", True),
        ("NVIDIA L4", "NVIDIA L40", False),
    ],
)
def test_records_of_a_card_are_found_by_what_its_driver_calls_it(tmp_path, card, driver, found):
    write(one_tower(settings={"device": "gpu"}, hardware={"gpus": [{"name": driver}]}), tmp_path)
    assert (one_device.of_records(tmp_path, "resnet20", card, 32, "fp32") is not None) is found


def test_published_figures_of_one_device():
    found = one_device.published("NVIDIA DGX-1", "vgg16", 0, "fp32")
    assert found is not None
    assert (found.images_per_second, found.batch_size) == (pytest.approx(154), 64)
    smaller = one_device.published("NVIDIA DGX-1", "vgg16", 32, "fp32")
    assert smaller is not None
    assert (smaller.images_per_second, smaller.batch_size) == (pytest.approx(144), 32)
    assert one_device.published("NVIDIA DGX-1", "vgg16", 48, "fp32") is None
    assert one_device.published("NVIDIA DGX-1", "vgg16", 0, "fp16") is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model=vgg61"], "Unknown model 'vgg61'."),
        (["--model=vgg16", "--device=cpu"], "exchange is not known. Add --measure."),
        (["--model=vgg16", "--platform=a", "--links=b"], "--platform and --links each say which machine"),
        (
            ["--model=vgg16", "--platform=a", "--device=cpu"],
            "--platform with --device=cpu: it tells how GPUs are linked",
        ),
        (["--model=vgg16", "--wiring=/nowhere"], "--wiring=/nowhere: cannot be read: No such file"),
        (["--model=lenet", "--device=cpu", "--measure", "--num_gpus=1"], "one device exchanges nothing"),
        (["--model=lenet", "--device=cpu", "--measure", "--num_gpus=2,x"], "is no list of whole numbers from 1 on"),
        (["--model=lenet", "--device=cpu", "--measure", "--candidates=nccl"], "there is no 'nccl' here"),
        (["--model=lenet", "--device=cpu", "--measure", "--", "--nostaged_vars", "--numgpus=2"], "--numgpus=2"),
        (["--model=lenet", "--device=cpu", "--measure", "--", "--num_gpus=2"], "this command sets --num_gpus itself"),
        (["--model=lenet", "--device=cpu", "--", "--xla"], "--xla: flags after -- are for the runs of --measure"),
        (["--model=vgg16", "--rounds=2"], "--rounds=2: rounds are of --measure"),
        (["--model=vgg16", "--output=advice.txt"], "--output=advice.txt: it is written as JSON or CSV"),
        (["--model=vgg16", "--results_dir=/nowhere"], "--results_dir=/nowhere: there is no such folder"),
        (
            ["--model=vgg16", "--platform=NVIDIA DGX-1", "--num_gpus=16"],
            "for several machines, python -m benchmarks.studies.cost_model has --devices.",
        ),
        (["--model=vgg16", "--platform=DGX-2"], "Did you mean 'NVIDIA DGX-2'?"),
        (["--model=lenet", "--device=cpu", "--measure", "--output=/nowhere/x.csv"], "--output=/nowhere/x.csv: cannot"),
    ],
)
def test_what_cannot_be_used(capsys, arguments, said):
    assert advise.main(arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith("python -m benchmarks.advise: error: ")
    assert said in err
    assert not out


def test_candidates_by_name():
    assert named("replicated/nccl, parameter_server/gpu", "gpu") == [NCCL, ON_GPUS_SPREAD]
    assert NCCL.flags == ["--variable_update=replicated", "--all_reduce_spec=nccl"]
    with pytest.raises(UserError, match=r"Did you mean replicated/xring\?"):
        named("replicated/ring", "cpu")


def predicted(capsys, *arguments):
    """The candidates of each table that the command prints, the fastest first, and all of its words."""
    assert advise.main(arguments) == 0
    out = capsys.readouterr().out
    tables = out.split(" devices, predicted")[1:]
    return [re.findall(r"^[|] ((?:parameter|repl)\S+(?: [(]auto[)])?)", table, re.MULTILINE) for table in tables], out


def test_a_dgx_1_is_predicted_from_one_published_figure(capsys):
    (two, eight), out = predicted(capsys, "--model=vgg16", "--platform=NVIDIA DGX-1", "--num_gpus=1,2,8")
    assert out.startswith("vgg16, 64 images a device and step, on NVIDIA DGX-1 (8 x P100-SXM2-16GB)\n")
    assert "One device: 154.0 images/s (published: tensorflow_benchmarks_2017" in out
    assert two[0] == eight[0] == "replicated/nccl (auto)"
    assert set(eight[1:]) == {"replicated", "parameter_server/cpu", "parameter_server/gpu"}
    (row,) = [line.replace(",", "") for line in out.split("8 devices")[1].splitlines() if "(auto)" in line]
    figure, low, high = map(float, re.findall(r"[\d.]+", row)[:3])
    assert low < 1081 < high  # which was published of eight
    assert low < figure < high
    assert 'On 2, 8 devices auto takes --variable_update=replicated --all_reduce_spec=nccl. Rule "Titan X, M40' in out


def test_a_platform_is_the_same_however_it_is_written(capsys):
    _, out = predicted(capsys, "--model=resnet50", "--platform=nvidia dgx-1", "--num_gpus=4,8")
    assert "One device: 219.0 images/s (published: " in out
    assert re.search(r"contradicts the rule on 4, 8 devices: what auto takes is predicted to give \d+%", out)
    _, out = predicted(capsys, "--model=vgg16", "--platform=NVIDIA DGX-1", "--num_gpus=4,8")
    assert "contradicts" not in out


def test_a_dgx_1_is_the_same_by_name_and_by_its_wiring(tmp_path, monkeypatch, capsys):
    put_in_place(machines.dgx_1(), tmp_path, monkeypatch)
    file = tmp_path / "dgx.json"
    assert topology.main([f"--output={file}"]) == 0
    capsys.readouterr()
    flags = ["--model=vgg16", "--num_gpus=8", "--images_per_second=154"]
    _, by_name = predicted(capsys, *flags, "--platform=NVIDIA DGX-1")
    _, by_wiring = predicted(capsys, *flags, f"--wiring={file}")
    assert f"Links: {file}; rates from results/reference." in by_wiring
    assert "8 x P100-SXM2-16GB, not all peers, NVLink" in by_name
    rows = [[line for line in text.splitlines() if line.startswith("| p")] for text in (by_name, by_wiring)]
    assert rows[0] == rows[1]


def test_runs_are_not_begun_where_there_is_no_gpu_for_them(tmp_path, monkeypatch, capsys):
    flags = ["--model=vgg16", "--platform=NVIDIA DGX-1", "--measure"]
    put_in_place(machines.machine("L4", 2, ancestor=lambda *_: 0, peers=lambda *_: 0), tmp_path, monkeypatch)
    assert advise.main(flags) == 2
    assert "--measure with 8 devices: it makes its runs on this machine, which has 2." in capsys.readouterr().err
    put_in_place("init !9\n", tmp_path, monkeypatch)
    monkeypatch.setattr(cuda_order, "LIBRARY", "no such library")
    assert advise.main(flags) == 2
    assert "--measure makes its runs on this machine, which has no GPU: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (SearchEnded(ExitCode.INTERRUPTED, "interrupted in the trial of it"), "interrupted in the trial of it\n"),
        (SearchEnded(ExitCode.TERMINATED, "interrupted in the trial of it"), "interrupted in the trial of it\n"),
        (
            TrialFailed(ExitCode.FAILED, "it crashed"),
            "the run of replicated on 2 device(s) (--candidates leaves it out): it crashed\n",
        ),
        (
            TrialFailed(ExitCode.UNUSABLE, "no such flag"),
            "error: the run of replicated on 2 device(s) (--candidates leaves it out): no such flag\n",
        ),
        (
            Trial("fits", 1, images_per_second=12.0, code=3, words="INVALID: the loss is NaN"),
            "the run of replicated on 2 device(s) (--candidates leaves it out): it left no figure to go by (exit code "
            "3, fits):\nINVALID: the loss is NaN\n",
        ),
    ],
)
def test_what_was_measured_is_told_however_it_ends(tmp_path, monkeypatch, capsys, ended, words):
    speeds = iter([10.0, 20.0, 11.0])

    def run(*_):
        if speed := next(speeds, None):
            return Trial("fits", 1, images_per_second=speed)
        if isinstance(ended, Trial):
            return ended
        raise ended

    monkeypatch.setattr(Trials, "run", run)
    file = tmp_path / "advice.json"
    file.write_text("of before")
    before = signal.getsignal(signal.SIGTERM)
    flags = ["--model=lenet", "--device=cpu", "--measure", "--rounds=5", "--candidates=parameter_server/cpu,replicated"]
    code = advise.main([*flags, f"--results_dir={tmp_path}", f"--output={file}"])
    assert code == (ExitCode.FAILED if isinstance(ended, Trial) else ended.code)
    out, err = capsys.readouterr()
    assert re.search(r"NOTE: 9 more runs, in all about \d+ s\. Ctrl-C ends them", err)
    assert err.endswith(f"python -m benchmarks.advise: {words}")
    assert re.search(r"replicated +\| +20.0 \| +one run", out)
    assert file.read_text() == "of before"
    assert signal.getsignal(signal.SIGTERM) is before


MIXED = "gpu0.name Tesla V100-PCIE-16GB\n" + machines.machine(
    "Tesla K80", 3, ancestor=machines.always(machines.BRIDGE), peers=machines.always(machines.OK)
)


def test_a_machine_with_several_cards_is_not_taken_for_one_with_the_first(tmp_path, monkeypatch, capsys):
    put_in_place(MIXED, tmp_path, monkeypatch)
    flags = ["--model=vgg16", "--images_per_second=36"]
    assert advise.main(flags) == 2
    error = capsys.readouterr().err
    assert "Nothing can be predicted: this machine has Tesla V100-PCIE-16GB and Tesla K80, whose steps wait" in error
    assert error.endswith("Add --measure.\n")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")
    _, out = predicted(capsys, *flags)
    assert out.startswith("vgg16, 64 images a device and step, on this machine (2 x K80)\n")
    assert 'Rule "K80 with peer-to-peer"' in out
    assert "GPU's link of GPU 2, " in out
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert advise.main(flags) == 2
    assert "tells nothing of GPUs: CUDA_VISIBLE_DEVICES shows none." in capsys.readouterr().err


def test_a_lost_gpu_is_named_and_the_others_keep_their_numbers(tmp_path, monkeypatch, capsys):
    put_in_place("gpu1 !15\n" + MIXED.replace("Tesla V100-PCIE-16GB", "Tesla K80"), tmp_path, monkeypatch)
    file = tmp_path / "wiring.json"
    assert topology.main([f"--output={file}"]) == 0
    first = capsys.readouterr().out
    assert topology.main([f"--wiring={file}"]) == 0
    assert capsys.readouterr().out == first  # with its cores, and with what was not told of
    flags = ["--model=vgg16", "--images_per_second=36", "--candidates=parameter_server/gpu"]
    for source in ([], [f"--wiring={file}"]):
        _, out = predicted(capsys, *flags, *source)
        assert re.search(r"^Not told of, and left out: GPU 1: .*lost", out, re.MULTILINE)
        assert "link of GPU 2, " in out


def test_a_file_in_which_no_gpu_was_told_of(tmp_path, monkeypatch, capsys):
    put_in_place("gpu0 !15\n" + machines.machine("L4", 1, ancestor=machines.always(0), peers=machines.always(0)),
                 tmp_path, monkeypatch)  # fmt: skip
    file = tmp_path / "wiring.json"
    assert topology.main([f"--output={file}"]) == 0
    assert topology.main([f"--wiring={file}"]) == 0
    assert "Not told of: GPU 0" in capsys.readouterr().out
    assert advise.main(["--model=vgg16", f"--wiring={file}"]) == 2
    assert "no GPU was told of there: GPU 0: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            '{"gpus": [{"index": 0, "name": "A", "cores": [0, -1]}], "links": []}',
            "nodes and cores of a GPU must be whole numbers from 0 on, one is -1",
        ),
        ('{"gpus": [], "links": [], "broken": [1]}', "1 is no text"),
    ],
)
def test_cores_and_lost_gpus_that_are_none(tmp_path, capsys, text, why):
    file = tmp_path / "wiring.json"
    file.write_text(text)
    assert advise.main(["--model=vgg16", f"--wiring={file}"]) == 2
    assert f"is not what python -m benchmarks.topology --output=FILE writes: {why}" in capsys.readouterr().err


def test_of_one_gpu_nothing_is_said_to_be_predicted(tmp_path, monkeypatch, capsys):
    put_in_place(
        machines.machine("L4", 1, ancestor=machines.always(0), peers=machines.always(0)), tmp_path, monkeypatch
    )
    _, out = predicted(capsys, "--model=vgg16", "--images_per_second=36")
    assert "One device: 36.0 images/s (--images_per_second)." in out
    assert "redicted" not in out


def test_what_is_not_known_of_one_device_is_told_with_its_precision(tmp_path, capsys):
    flags = ["--model=vgg16", "--platform=NVIDIA DGX-1", "--precision=fp16", f"--results_dir={tmp_path}"]
    assert advise.main(flags) == 2
    told = capsys.readouterr().err
    assert f"no valid run with one tower in fp16 is in {tmp_path}, and of NVIDIA DGX-1 no figure of one in fp16" in told


def test_variables_on_the_cpu_cost_one_device_too(capsys, tmp_path):
    """Who measures a device with its variables on it does not see what bringing them over takes."""
    file = tmp_path / "advice.json"
    flags = ["--model=vgg16", "--platform=NVIDIA DGX-1", "--num_gpus=2", "--images_per_second=154"]
    predicted(capsys, *flags, f"--output={file}")
    found = {each["local_parameter_device"]: each for each in json.loads(file.read_text())["candidates"]}
    assert found["cpu"]["predicted_images_per_second"] < 0.95 * found["gpu"]["predicted_images_per_second"]


def test_measured_links_with_the_wiring_beside_them(tmp_path, monkeypatch, capsys):
    pair = machines.machine("Tesla K80", 2, ancestor=machines.always(0), peers=machines.always(machines.OK))
    put_in_place(pair, tmp_path, monkeypatch)
    found = wiring.read()
    assert not isinstance(found, str)
    ends = [("CPU:0", "GPU:0"), ("CPU:0", "GPU:1"), ("GPU:0", "GPU:1")]
    links = [
        {"from": one, "to": other, "bytes_per_second": 6e9, "latency_seconds": 1e-5}
        for pair in ends
        for one, other in (pair, pair[::-1])
    ]
    document = {"devices": ["CPU:0", "GPU:0", "GPU:1"], "links": links}
    file = tmp_path / "links.json"
    file.write_text(json.dumps(document | {"wiring": found.facts()}))
    flags = ["--model=vgg16", f"--links={file}", "--images_per_second=36"]
    _, out = predicted(capsys, *flags)
    assert f"Links: {file}." in out
    assert 'Rule "K80 with peer-to-peer"' in out
    file.write_text(json.dumps(document))  # then the card is not known
    _, out = predicted(capsys, *flags)
    assert 'Rule "GPUs with peer-to-peer"' in out
    assert "on measured machine (2 GPUs)\n" in out


def test_measured_links_to_switches_are_a_gpu_s_own(tmp_path, monkeypatch):
    put_in_place(machines.nvswitch(), tmp_path, monkeypatch)
    names = ["/cpu:0", *(f"/gpu:{gpu}" for gpu in range(4))]  # of eight
    links = [
        {"from": one, "to": other, "bytes_per_second": 5e10 if "/cpu:0" in (one, other) else 4e11}
        for one, other in itertools.permutations(names, 2)
    ]
    file = tmp_path / "links.json"
    file.write_text(json.dumps({"devices": names, "links": links, "wiring": wiring.read().facts()}))
    found = target.find(device="auto", platform=None, links=file, wires=None).machine
    assert (found.switched, found.nvlinks) == (4e11, {})


@pytest.mark.parametrize("machine", [machines.no_peers, machines.nvswitch])
def test_rules_that_are_counted_are_those_of_the_cost_model(tmp_path, monkeypatch, capsys, machine):
    put_in_place(machine(), tmp_path, monkeypatch)
    (order,), out = predicted(capsys, "--model=vgg16", "--num_gpus=8", "--images_per_second=300")
    assert order[0] == "replicated/nccl (auto)"
    assert "Source: this project: counted" in out
