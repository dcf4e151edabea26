"""The expressions with which scripts parse tf_cnn_benchmarks, over the real output of a run."""

import contextlib
import os
import pty
import re
import subprocess

from tests.main.conftest import SHORT, run, start

HEADER = r"""TensorFlow:  2\.\d+
Model:       resnet20
Dataset:     cifar10 \(sample\)
Mode:        training
SingleSess:  False
Batch size:  16 global
             8 per device
Num batches: 12
Num epochs:  \d+\.\d\d
Devices:     \['/cpu:0', '/cpu:1'\]
NUMA bind:   False
Data format: NHWC
Optimizer:   sgd
Variables:   replicated
AllReduce:   None
==========
Generating training model
Initializing graph
Running warm up
Done warm up
Step\tImg/sec\ttotal_loss
"""
TAIL = r"""-{64}
total images/sec: \d+\.\d\d
-{64}
"""
ROW = r"\d+\timages/sec: \d+\.\d \+/- \d+\.\d \(jitter = \d+\.\d\)\t\d+\.\d{3}\n"


def test_help_whose_reader_has_seen_enough_ends_well(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    process = start("--help", results_dir=tmp_path, stdout=writer)
    os.close(writer)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("", 0)


def test_the_whole_of_stdout(main_job):
    assert main_job.code == 0, main_job.err
    assert re.fullmatch(HEADER + f"(?:{ROW}){{3}}" + TAIL, main_job.out), main_job.out


def test_the_total_is_the_record_s_headline(main_job):
    measurement = main_job.records[0]["measurement"]
    headline = 16 * len(measurement["step_seconds"]) / measurement["window_seconds"]
    assert f"total images/sec: {headline:.2f}\n" in main_job.out


def test_rows_are_printed_at_step_1_and_every_display_every(main_job):
    assert re.findall(r"^(\d+)\timages/sec", main_job.out, re.MULTILINE) == ["1", "5", "10"]


def test_perfkit_benchmarker(main_job):
    assert len(re.findall(r"total images/sec: (\S+)", main_job.out)) == 1


def test_reframe_counts_one_total_per_task(main_job):
    values = re.findall(r"total images/sec:\s+(?P<v>\S+)", main_job.out)
    assert len(values) == 1
    assert float(values[0]) > 0


def test_kubebench_reads_the_header_by_colon(main_job):
    keys = {}
    for line in main_job.out.splitlines():
        parts = line.split("|")[-1].split(": ")
        if len(parts) == 2:
            keys[parts[0].strip().replace(" ", "_")] = parts[1].strip()
    for key in ("total_images/sec", "TensorFlow", "Model", "Dataset", "Mode", "SingleSess", "Batch_size"):
        assert key in keys
    for key in ("Num_batches", "Num_epochs", "Data_format", "Optimizer", "Variables"):
        assert key in keys


def test_hpe_dlbs_slices_the_total_line(main_job):
    (line,) = [line for line in main_job.out.splitlines() if line.startswith("total images/sec:")]
    assert float(line[17:]) > 0
    assert re.search(r"(?<=total images/sec: )[0-9]+([.][0-9]*)?", main_job.out)


def test_lambda_reads_the_second_last_line_of_both_streams_together(sample_data, tmp_path):
    flags = ["--model=trivial", f"--data_dir={sample_data}", "--data_name=cifar10", "--eval_dir=somewhere"]
    process = start(*SHORT, *flags, results_dir=tmp_path / "runs", stderr=subprocess.STDOUT)
    log, _ = process.communicate(timeout=300)
    lines = log.splitlines()
    assert lines[-1] == "-" * 64
    assert float(lines[-2].split(" ")[-1]) > 0


def test_lambda_and_others_split_a_row_into_tokens(main_job):
    rows = [line for line in main_job.out.splitlines() if "images/sec" in line and "total" not in line]
    assert rows
    for row in rows:
        assert len(row.split()) == 9
        assert re.match(r"[0-9]*\timages/sec", row)
        assert float(row.split()[2]) > 0
        expression = r"(?P<iter>\d+)\simages/sec:\s(\d+\.\d+)\s\+/-\s(\d+\.\d+)\s\(jitter\s=\s(\d+\.\d+)\)\s(\d+\.\d+)"
        assert re.fullmatch(expression, row)


def test_rows_with_accuracies_have_11_tokens_and_the_third_column_is_the_loss_that_is_reported(tmp_path):
    flags = ["--print_training_accuracy", "--loss_type_to_report=base_loss"]
    ran = run(*SHORT, "--model=trivial", *flags, results_dir=tmp_path)
    assert "Step\tImg/sec\tbase_loss\ttop_1_accuracy\ttop_5_accuracy\n" in ran.out
    rows = [line for line in ran.out.splitlines() if re.match(r"\d+\timages/sec", line)]
    assert [len(row.split()) for row in rows] == [11] * len(rows)
    assert len(rows) == 2


def test_others_cut_and_eval_the_header(main_job):
    lines = main_job.out.splitlines()
    assert [line.split(":")[1] for line in lines if "total images/sec" in line]  # cut -d: -f2
    (devices,) = [line for line in lines if line.startswith("Devices:")]
    assert eval(devices[devices.index(":") + 1 :].strip()) == ["/cpu:0", "/cpu:1"]
    (batch,) = [line for line in lines if "Batch size: " in line]
    assert int(batch.split(":")[1].strip().split(" ")[0]) == 16
    assert re.search(r"\s*Data format:\s*(.*)", main_job.out)[1] == "NHWC"


def test_no_other_line_speaks_of_images_per_second(main_job):
    assert "images/sec" not in main_job.err
    spoken = [line for line in main_job.out.splitlines() if "images/sec" in line]
    assert all(re.match(r"\d+\timages/sec: |total images/sec: ", line) for line in spoken)


def test_of_tensorflow_s_own_lines_only_errors_are_seen(main_job):
    assert not re.search(r"^[IW]\d{4} |All log messages before|Unable to register cu", main_job.err, re.MULTILINE)


def test_a_person_at_a_terminal_sees_progress_and_scripts_see_the_same_stdout(tmp_path):
    reader, terminal = pty.openpty()
    process = start(*SHORT, "--model=trivial", results_dir=tmp_path, stderr=terminal)
    out, _ = process.communicate(timeout=300)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # the terminal is gone: all is read
        while chunk := os.read(reader, 4096):
            seen += chunk
    text = seen.decode()
    assert "\r\x1b[Kwarm-up 2/2" in text
    assert re.search(r"step 7/12, \d+\.\d images a second, \d+ s left", text)
    assert "images/sec" not in text
    assert re.search(f"(?:{ROW}){{2}}" + TAIL + r"\Z", out)
