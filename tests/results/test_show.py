import io

import pytest

from results.__main__ import main
from results.store import write
from tests.results.records import measurement, record


def show(path):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main(["show", str(path)], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def words(path):
    code, out, err = show(path)
    assert (code, err) == (0, "")
    return " ".join(out.split())


FULL = {
    "given": ("model", "batch_size"),
    "params": {"model": "resnet20", "batch_size": 32},
    "exchange": {
        "exchanges": 4,
        "sent_bytes": {"/gpu:0": 2_000_000, "/gpu:1": 10},
        "exposed_share": 0.125,
        "topology": {"groups": [[0], [1]], "mains": [[0, 1], [1, 0]], "why": "each group is one machine"},
    },
    "placement": {"towers": ["/gpu:0", "/gpu:1"], "variables": {"/gpu:0": {"variables": 65, "bytes": 1_078_888}}},
    "checks": {"variable_update": {"largest_difference": 1e-6, "tolerance": 1e-4}},
    "not_acting": ({"flag": "trace_file", "value": "x", "kind": "not yet acting", "reason": "no trace is written"},),
    "cost": {
        "training_flops": 2e9,
        "flops_an_image": 2e9,
        "flops_per_second": 1e12,
        "flops_per_second_and_tower": 5e11,
        "activation_bytes": 85_110_688,
        "peaks": {"matrix_product": {"flops_per_second": 4e12}},
    },
    "hardware": {
        "cpu": {"model": "Testium 9000", "usable_cores": 8},
        "memory_bytes": 2**36,
        "gpus": [{"name": "Testla"}] * 2,
        "driver": "550.54",
    },
    "environment": {
        "packages": {"tensorflow": "2.21.0"},
        "git": {"commit": "abc" * 13, "dirty": True},
        "variables": {"KMP_SETTINGS": "1", "OMP_NUM_THREADS": "2"},
        "variables_of_run": ["KMP_SETTINGS"],
    },
}


def test_all_of_a_full_record_on_one_screen(tmp_path):
    path = write(record(**FULL), tmp_path)
    _, out, _ = show(path)
    said = " ".join(out.split())
    for fact in [
        "resnet20, cifar10 (sample), 2 towers, cpu, batch 32, replicated, NHWC, fp32",
        "500.00 images/s: 640 images (10 steps) in 1.28 s",
        "no other valid run of this configuration beside it",
        "median 125.00 ms (125.00 to 125.00), jitter 0.0%",
        "the very first took 5.00 s, and ended 9.5 s after the start",
        "achieved 1.00 TFLOP/s (500.00 GFLOP/s each tower), as an image takes 2.00 GFLOP",
        "that is 25.0% of a matrix product (4.00 TFLOP/s) alone on the same devices",
        "the backward pass needs 85.11 MB of each image",
        "valid yes",
        "checked the update against one device's: largest difference 1e-06 (at most 0.0001)",
        "variables OMP_NUM_THREADS=2 set by it KMP_SETTINGS=1",
        "Testium 9000, 8 usable cores, 64 GiB, 2 x Testla, driver 550.54",
        "commit abcabcabcabc with uncommitted changes",
        "/gpu:0: 65 variables, 1.08 MB",
        "4 a step; /gpu:0 sends 2.00 MB; /gpu:1 sends 10 B",
        "towers in groups [[0], [1]]: each group is one machine",
        "not hidden by computation: 12.5% of a step",
        "--trace_file=x: not yet acting: no trace is written",
        "--model=resnet20 --batch_size=32",
        f"python run_benchmark.py --rerun={path}",
    ]:
        assert fact in said
    lines = out.splitlines()
    assert len(lines) <= 40
    assert max(len(line) for line in lines if "--rerun" not in line) <= 100


def test_the_interval_is_over_the_valid_repeats_in_the_folder(tmp_path):
    for minute, speed in enumerate((490.0, 510.0)):
        write(record(minute=minute, measurement=measurement(window_seconds=640 / speed)), tmp_path)
    write(record(minute=3, problems=("NaN",), measurement=measurement(window_seconds=1.0)), tmp_path)
    write(record(minute=4, hardware={"cpu": {"model": "another"}}), tmp_path)
    write(record(minute=5, configuration={"model": "another"}), tmp_path)
    path = write(record(minute=6), tmp_path)
    said = words(path)
    assert "3 valid runs of this configuration in its folder: mean 499.93, 95 % interval 475." in said
    assert "this run's 500.00 is +0.0% off" in said


def test_what_is_wrong_is_said(tmp_path):
    path = write(record(problems=("the loss is NaN from step 3 on",)), tmp_path)
    assert "UNFIT the loss is NaN from step 3 on" in words(path)
    wrong = {"variable_update": {"largest_difference": 0.123456789, "tolerance": 1e-4, "problem": "it is wrong"}}
    assert "checked" not in words(write(record(problems=("it is wrong",), checks=wrong), tmp_path))
    path = write(record(status="failed", message="out of memory", measurement=None), tmp_path)
    assert "figure none FAILED out of memory" in words(path)


def test_what_was_given_as_auto_is_told_so(tmp_path):
    chosen = {"all_reduce_spec": {"value": None, "rule": "r", "reason": "why", "source": "s"}}
    path = write(record(given=("all_reduce_spec",), params={"all_reduce_spec": None}, advice=chosen), tmp_path)
    assert "given --all_reduce_spec=auto" in words(path)


def test_few_bytes_are_whole(tmp_path):
    few = {"cost": {"training_flops": 2e9, "flops_an_image": 2e9, "activation_bytes": 28_716}}
    assert "the backward pass needs 28,716 B of each image" in words(write(record(**few), tmp_path))


def test_an_imported_record_says_where_it_is_from(tmp_path):
    bare = {"measurement": None, "hardware": {}, "environment": {}, "model": {}, "configuration": {}, "params": {}}
    path = write(record(provenance={"tool": "Horovod", "source": "a.log"}, given=(), **bare), tmp_path)
    said = words(path)
    assert "from tool: Horovod, source: a.log" in said
    assert "not from here: this record was imported" in said


def test_a_folder_without_a_record_says_so(tmp_path):
    code, out, err = show(tmp_path)
    assert (code, out) == (2, "")
    assert err == f"No readable record in '{tmp_path}'. Is it the --results_dir of a run?\n"


def test_of_a_folder_of_one_configuration_the_last_is_explained(tmp_path):
    write(record(minute=5, message=""), tmp_path)
    last = write(record(minute=7), tmp_path)
    write(record(minute=6), tmp_path)
    code, out, err = show(tmp_path)
    assert (code, err) == (0, f"NOTE: {tmp_path} has 3 records; this is the last.\n")
    assert str(last) in out


def test_a_folder_of_several_configurations_says_what_to_give_for_each(tmp_path):
    for number, (cell, batch) in enumerate((("abcd", 32), ("abcd", 32), ("ef01", 64), (None, 8))):
        place = {"suite": "quick", "set": "0123", "cell": cell} if cell else {}
        paths = write(record(number, {"batch_size": batch}, suite=place), tmp_path)
    code, out, err = show(tmp_path)
    assert (code, out) == (2, "")
    first, *lines = err.splitlines()
    assert first == f"{tmp_path} has 4 records of 3 configurations, and one is explained. Give one:"
    assert [line.partition(": ")[0] for line in lines] == [f"{tmp_path}@abcd", f"{tmp_path}@ef01", str(paths)]
    assert lines[0].endswith("batch 32, replicated, NHWC, fp32 (2 records)")
    for line in lines:  # each is what it says
        assert show(line.partition(": ")[0])[0] == 0
    assert show(f"{tmp_path}@quick")[2].count("\n") == 3
    assert show(f"{tmp_path}@abc")[2].splitlines()[1:] == lines[:2]


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "null", ""])
def test_what_is_no_record_is_an_error(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    code, out, err = show(tmp_path / "a.json")
    assert (code, out) == (2, "")
    assert err.startswith(f"Not a readable record: {tmp_path}/a.json: ")
    assert len(err.splitlines()) == 1


def test_a_record_that_is_not_there_has_a_way_out(tmp_path):
    path = write(record(), tmp_path)
    assert show(tmp_path / path.name.replace("resnet", "resnt"))[2].endswith(f"Did you mean '{path}'?\n")
    assert "Give a record: one of the JSON files in the --results_dir" in show(tmp_path / "none" / "a")[2]
    assert "cannot be read: File name too long" in show("a" * 300)[2]


WAYS = {
    "real": {"step_seconds": [0.2, 0.19839, 0.1], "whole_batch": True},
    "synthetic": {"step_seconds": [0.15]},
    "one_image": {"step_seconds": [0.0118] * 5},
}


def test_a_diagnosis_has_its_times(tmp_path):
    gains = [{"bound": "compute", "seconds": 0.1, "images_per_second": 12.25}]
    gains.append({"bound": "input", "seconds": 0.1, "images_per_second": 9.5, "doubt": "not measurable"})
    found = {"verdict": "compute bounds the step", "ways": WAYS, "gains": gains, "remarks": ["a remark"]}
    assert (
        "diagnosis compute bounds the step ms a step: run 198.39, batch on device 150.00, one image a tower 11.80 "
        "images/s more if it cost nothing: compute +12.2, input not measurable a remark"
    ) in words(write(record(diagnosis=found), tmp_path))


@pytest.mark.parametrize(
    "ways",
    [
        None, 7, [], "real", {"real": None}, {"real": {}}, {"real": {"step_seconds": None}},
        {"real": {"step_seconds": []}}, {"real": {"step_seconds": ["a"]}}, {"real": {"step_seconds": [True]}},
        {"real": {"step_seconds": [10**400]}}, {"real": {"step_seconds": [float("nan")]}}, {"new": WAYS["real"]},
        {"real": {"step_seconds": [-1.0]}}, {"real": {"step_seconds": {"a": 1}}},
    ],
)  # fmt: skip
def test_times_that_are_none_are_passed_over(tmp_path, ways):
    path = write(record(diagnosis={"verdict": "compute bounds the step", "ways": ways}), tmp_path)
    assert "ms a step" not in words(path)
    path = write(record(minute=1, diagnosis={"verdict": "x", "ways": WAYS | {"real": ways}}), tmp_path)
    assert "ms a step: batch on device 150.00, one image a tower 11.80" in words(path)


EVALUATION = {
    "evaluations": [
        {"step": 10, "images": 400, "top_1": 0.25, "top_5": 0.75},
        {"step": 20, "images": 400, "top_1": 0.5, "top_5": 1.0},
    ],
    "target_top_1": 0.45,
    "time_to_accuracy": {"training_seconds": 2.5, "wall_seconds": 3.25},
}


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, "training"),
        ({"forward_only": True}, "forward only"),
        ({"eval_during_training_at_specified_steps": "5"}, "training + evaluation"),
    ],
)
def test_the_mode_is_told_once(tmp_path, settings, mode):
    assert f"fp32 {mode}, optimizer momentum" in words(write(record(settings=settings), tmp_path))


def test_the_accuracy_and_the_time_to_it(tmp_path):
    told = words(write(record(evaluation=EVALUATION), tmp_path))
    assert "accuracy top-1 0.5, top-5 1 of 400 images after step 20 (2 evaluations)" in told
    assert "top-1 0.45 was reached after 2.5 s of training, 3.25 s with evaluations" in told


def test_settings_in_effect_and_primitives(tmp_path):
    found = {
        "onednn": False,
        "intra_threads": {"threads": 2, "by": "TensorFlow"},
        "ignored_variables": {"KMP_BLOCKTIME": "this TensorFlow has no OpenMP"},
        "openmp": False,
        "malloc": "the C library's",
        "numa": {"processors": {"0": [0, 1], "1": [2, 3]}, "memory": "preferred 1"},
        "instruction_sets": {"unused": ["AVX2", "FMA"]},
    }
    kinds = [("convolution", "jit:avx512_core", 3.0), ("gemm_api", "", 1.0)]
    told = [{"primitive": name, "implementation": by, "number": 1, "milliseconds": ms} for name, by, ms in kinds]
    text = words(write(record(environment={"in_effect": found}, onednn={"primitives": told}), tmp_path))
    assert "in effect oneDNN off; 2 thread(s) within operations (by TensorFlow); without effect: KMP_BLOCKTIME;" in text
    assert "not built for AVX2, FMA" in text
    assert "malloc is the C library's; no OpenMP; NUMA nodes 0, 1, memory by preferred 1" in text
    assert "oneDNN convolution jit:avx512_core 75%, gemm_api 25%" in text


@pytest.mark.parametrize("found", [3, {"instruction_sets": None, "ignored_variables": 1, "intra_threads": []}, {}])
def test_settings_of_another_shape_are_passed_over(tmp_path, found):
    assert "in effect" not in words(write(record(environment={"in_effect": found}, onednn={"primitives": 7}), tmp_path))


def test_steps_that_were_traced(tmp_path):
    assert "traced step -2 of the warm-up" in words(write(record(trace={"steps": [-2], "in_pause": False}), tmp_path))
    apart = record(minute=1, trace={"steps": [5, 6, 7], "in_pause": True, "losses": [1.0, 0.5, 0.25]})
    assert "traced steps 5 to 7 made in a pause, apart from the figure" in words(write(apart, tmp_path))
    assert "traced step" not in words(write(record(minute=2, trace={"steps": "all"}), tmp_path))


@pytest.mark.parametrize(
    "evaluation",
    [{"evaluations": "many"}, {"evaluations": [{"top_1": "high"}], "time_to_accuracy": 3}, {"time_to_accuracy": {}}],
)
def test_evaluations_of_another_shape_are_passed_over(tmp_path, evaluation):
    assert "was reached" not in words(write(record(evaluation=evaluation), tmp_path))


def test_what_was_found_before_is_told_in_short(tmp_path):
    findings = [
        {"severity": "warns", "what": "The governor is powersave", "why": "a", "remedy": "b"},
        {"severity": "tells", "what": "Turbo is on", "why": "a", "remedy": "b"},
    ]
    told = words(write(record(preflight={"findings": findings}), tmp_path))
    assert "preflight The governor is powersave" in told
    assert "Turbo is on" not in told
    assert "preflight" not in words(write(record(minute=1, preflight={"findings": [7, {"severity": []}]}), tmp_path))


def test_what_is_around_the_processors_is_told(tmp_path):
    cpu = {"model": "Testium 9000", "governor": "performance", "turbo": False}
    hardware = {"cpu": cpu, "gpus": [], "virtualisation": {"kind": "kvm"}}
    told = words(write(record(hardware=hardware, environment={"container": "docker"}), tmp_path))
    assert "Testium 9000 governor performance, turbo off, a guest (kvm), in docker" in told
    bare = {"cpu": {"model": "Testium 9000"}, "gpus": [], "virtualisation": {"kind": "none"}}
    told = words(write(record(minute=1, hardware=bare, environment={"container": None}), tmp_path))
    assert "guest" not in told
    assert "in none" not in told


def test_telemetry_is_told_in_means_and_units(tmp_path):
    gpu = {
        "summary": {"utilisation": {"mean": 0.97}, "power_watts": {"mean": 640.0}, "memory_used_bytes": {"mean": 34e9}},
        "slowed_shares": {"its temperature (hardware limit)": 0.25, "its power limit": 0.75},
        "counted": {"corrected_ecc_errors": 3, "uncorrected_ecc_errors": 1},
        "every_seconds": 1.93,
        "failure": "NVML told nothing more, from power_watts on: GPU is lost",
    }
    host = {"summary": {"cpu_utilisation": {"mean": 0.5}, "resident_bytes": {"mean": 2e9}}}
    told = {"interval_seconds": 1.0, "gpus": {"GPU 0": gpu}, "host": host, "joules_per_image": 0.5}
    text = words(write(record(telemetry=told), tmp_path))
    assert (
        "GPU 0: slowed by temperature (hardware limit) in 25% of the time, 3 corrected ECC errors, 1 uncorrected ECC "
        "error, NVML told nothing more, from power_watts on: GPU is lost"
    ) in text
    assert (
        "GPU 0: computing 97% of the time, 640 W, 34.0 GB used, held by power limit in 75% of the time, looked at "
        "every 1.9 s where 1 s were asked for"
    ) in text
    assert "0.5 J an image, of the GPUs alone" in text
    assert "host: processors busy 50% of the time, 2.0 GB resident" in text


@pytest.mark.parametrize(
    "damaged",
    [
        {"gpus": []},
        {"gpus": {"GPU 0": 7}},
        {"gpus": {"GPU 0": {"every_seconds": "x", "counted": {"corrected_ecc_errors": [1]}}}, "interval_seconds": {}},
        {"host": {"summary": {"cpu_utilisation": 1}}},
        {"host": {"summary": {"cpu_utilisation": {"mean": 10**400}, "resident_bytes": {"mean": True}}}},
    ],
)
def test_telemetry_of_another_shape_is_passed_over(tmp_path, damaged):
    assert "record" in words(write(record(telemetry=damaged), tmp_path))


def test_gpus_of_several_kinds_are_told_with_those_of_the_run(tmp_path):
    gpus = [{"index": gpu, "name": "K80" if gpu else "V100"} for gpu in range(3)]
    path = write(record(settings={"device": "gpu"}, hardware={"gpus": gpus, "gpus_of_run": [1, 2]}), tmp_path)
    assert "1 x V100 + 2 x K80, of which the run used K80" in " ".join(show(path)[1].split())
    path = write(record(hardware={"gpus": gpus, "cpu": {"model": "Testium 9000"}}), tmp_path)
    told = " ".join(show(path)[1].split())
    assert "Testium 9000, 1 x V100 + 2 x K80 " in told
    assert "of which the run used" not in told, "it ran on the processor"


def test_a_gpu_that_is_lost_has_no_name(tmp_path):
    gpus = [{"index": gpu, "name": "K80" if gpu else None} for gpu in range(3)]
    path = write(record(settings={"device": "gpu"}, hardware={"gpus": gpus}), tmp_path)
    assert "1 x GPU not told + 2 x K80, of which the run used K80" in " ".join(show(path)[1].split())


def test_a_study_that_a_suite_ran_says_how_it_runs_again(tmp_path):
    command = ("-m", "benchmarks.studies", "xla", "--cases=*inference")
    told = words(write(record(params={}, given=(), command_line=command), tmp_path))
    assert "no run of run_benchmark.py: python -m benchmarks.studies xla '--cases=*inference'" in told
    assert "--rerun=" not in told
