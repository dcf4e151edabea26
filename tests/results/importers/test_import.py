import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from results.__main__ import main
from results.store import load

ROOT = Path(__file__).resolve().parents[3]
LOGS = ROOT / "tests" / "results" / "legacy_logs"


def run(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["import", *map(str, arguments)], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def test_a_folder_is_imported_with_a_summary_of_what_became_of_it(runs):
    code, out, err = run(LOGS, f"--results_dir={runs}")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == f"13 files: 12 new records in {runs} (7 valid, 5 flagged), 0 already there, 1 file refused"
    assert lines[2] == f"      2  the loss is not finite from step 1 on (as in {LOGS}/alexnet_nan.log)"
    assert (
        lines[-1] == f"      1  a document, which may quote the output of a run but is no log of one ({LOGS}/README.md)"
    )
    records, unreadable = load(runs)
    assert (len(records), unreadable) == (12, [])
    assert sum(record.valid for record in records) == 7


def test_importing_twice_adds_nothing(runs, tmp_path):
    log = LOGS / "vgg16_nan.log"
    assert run(log, f"--results_dir={runs}")[0] == 0
    before = sorted(runs.iterdir())
    shutil.copy(log, tmp_path / "copy")
    code, out, _ = run(log, tmp_path / "copy", f"--results_dir={runs}")
    assert code == 0
    assert out == f"2 files: 0 new records in {runs} (0 valid, 0 flagged), 2 already there, 0 files refused\n"
    assert sorted(runs.iterdir()) == before


def test_two_copies_in_one_import_are_one_record(runs, tmp_path):
    for name in "ab":
        shutil.copy(LOGS / "vgg16_nan.log", tmp_path / name)
    assert run(tmp_path / "a", tmp_path / "b", f"--results_dir={runs}")[1].startswith("2 files: 1 new record ")
    assert len(list(runs.iterdir())) == 1


def test_it_needs_no_tensorflow(runs):
    code = (
        "import sys; sys.modules['tensorflow'] = None; from results.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "import", LOGS / "forward_only.log", f"--results_dir={runs}"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_what_only_the_path_tells_is_taken_if_asked_for(runs, tmp_path):
    log = tmp_path / "syn-replicated-fp16-1gpus" / "log"
    log.parent.mkdir()
    shutil.copy(LOGS / "rtx3090_vgg16_1gpu.log", log)
    option = r"--fields_from_path=-(?P<precision>fp16|fp32)-(?P<num_gpus>\d+)gpus"
    assert run(log, f"--results_dir={runs}", option)[0] == 0
    (record,), _ = load(runs)
    assert (record.configuration["precision"], record.configuration["num_gpus"]) == ("fp16", 1)
    assert record.provenance["fields_from_path"] == ["num_gpus", "precision"]


def test_a_path_that_contradicts_its_log_is_refused(runs, tmp_path):
    log = tmp_path / "4gpus.log"
    shutil.copy(LOGS / "rtx3090_vgg16_1gpu.log", log)
    code, out, _ = run(log, f"--results_dir={runs}", r"--fields_from_path=(?P<num_gpus>\d+)gpus\.log")
    assert code == 2
    assert "--fields_from_path gives num_gpus=4, but the log says 1" in out


@pytest.mark.parametrize(("pattern", "reason"), [("(", "no regular expression"), ("fp16", "it has no named group")])
def test_a_pattern_that_cannot_work_is_refused_at_once(pattern, reason, capsys):
    with pytest.raises(SystemExit):
        run(LOGS, f"--fields_from_path={pattern}")
    assert reason in capsys.readouterr().err


def test_only_regular_files_within_the_folder_are_read(runs, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    os.mkfifo(tree / "pipe")  # to open it for reading would wait for ever
    (tree / "leads_outside").symlink_to(LOGS / "forward_only.log")
    (tree / "folder_outside").symlink_to(LOGS)
    (tree / ".hidden").write_text("TensorFlow:  1.15\n")
    code, out, _ = run(tree, f"--results_dir={runs}")
    assert code == 2
    assert "3 files refused" in out
    assert "2  a symbolic link, which is not followed" in out
    assert "1  not a regular file" in out
    assert list(runs.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_is_closed_is_named(runs, tmp_path):
    closed = tmp_path / "tree" / "closed"
    closed.mkdir(parents=True, mode=0)
    code, out, _ = run(closed.parent, f"--results_dir={runs}")
    assert code == 2
    assert f"1  Permission denied ({closed})" in out


def test_a_link_that_the_user_names_is_followed(runs, tmp_path):
    (tmp_path / "link").symlink_to(LOGS / "forward_only.log")
    assert run(tmp_path / "link", f"--results_dir={runs}")[0] == 0


def test_a_path_that_is_not_there_and_a_folder_that_cannot_be(tmp_path):
    code, _, err = run(tmp_path / "absent")
    assert (code, err) == (2, f"Cannot import '{tmp_path}/absent': no such file or folder.\n")
    (tmp_path / "file").touch()
    code, _, err = run(LOGS, f"--results_dir={tmp_path}/file")
    assert code == 2
    assert "Cannot write into results folder" in err


def test_control_characters_in_names_and_logs_do_not_reach_the_terminal(runs, tmp_path):
    (tmp_path / "a\x1b[31mb").write_text("TensorFlow:  1.15\nValueError: \x07bell \x1b]0;title\n")
    _, out, _ = run(tmp_path / "a\x1b[31mb", f"--results_dir={runs}", "--verbose")
    assert not set(out) & {"\x1b", "\x07"}
    assert "failed: ValueError: ?bell" in out


def test_a_file_name_that_is_no_unicode(runs, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.log")
    shutil.copy(LOGS / "forward_only.log", path)
    assert run(path, f"--results_dir={runs}")[0] == 0
    (record,), unreadable = load(runs)
    assert unreadable == []
    assert record.provenance["path"].endswith("\\udcff.log")


def test_without_anything_to_import_it_is_not_a_success(runs, tmp_path):
    (tmp_path / "empty").mkdir()
    code, out, _ = run(tmp_path / "empty", f"--results_dir={runs}")
    assert (code, out.startswith("0 files: 0 new records")) == (2, True)


def test_a_document_that_quotes_a_log_is_none(runs, tmp_path):
    document = tmp_path / "notes.md"
    document.write_bytes((LOGS / "rtx3090_vgg16_1gpu.log").read_bytes())
    code, out, _ = run(document, f"--results_dir={runs}")
    assert code == 2
    assert f"a document, which may quote the output of a run but is no log of one ({document})" in out
