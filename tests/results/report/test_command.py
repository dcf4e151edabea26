import io

import pytest

from results.__main__ import main
from results.store import write
from tests.results.records import record
from tests.results.report.made import runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("runs")
    for run in runs():
        write(run, made)
    return made


def output(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    return main(["report", *map(str, arguments)], stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_both_forms_are_written(folder, tmp_path):
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    code, told, error = output(folder, f"--out={page}", f"--out={text}", "--title=Ours & theirs")
    assert (code, told, error) == (0, f"Report: {page}\nReport: {text}\n", "")
    assert "<title>Ours &amp; theirs</title>" in page.read_text()
    assert "| resnet50 | NVIDIA H100 80GB HBM3 | 2 | 4,020 |" in text.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_k80_against_p100_takes_one_command(tmp_path):
    page = tmp_path / "k80_p100.md"
    code, _, error = output("--reference=tf2017", "--only=accelerator=K80,P100", f"--out={page}")
    assert (code, error) == (0, "")
    assert page.read_text().startswith("# CNN training: K80 against P100-SXM2-16GB\n")


def test_the_first_accelerator_named_is_what_others_are_held_against(tmp_path):
    page = tmp_path / "p100_k80.md"
    output("--reference=tf2017", "--only=accelerator=P100,K80", f"--out={page}")
    assert "On 1 device, K80 has 0.23 times the throughput of P100-SXM2-16GB" in page.read_text()


def test_a_corrupt_file_is_named_and_the_rest_reported(folder, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    code, _, error = output(folder, bad, f"--out={tmp_path}/report.md")
    assert code == 1
    assert error.startswith(f"Not a readable record: {bad}: not JSON, or cut short")
    assert (tmp_path / "report.md").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Nowhere to write to: give --out=report.html."),
        (["--out=report.pdf"], "Cannot write report 'report.pdf': its name must end in one of .html, .md."),
        (["--out=report.md"], "Nothing to report on: name folders of records, or --reference=tf2017."),
        (["--out=none/r.md", "--reference=tf2017"], "Cannot write report 'none/r.md': there is no folder 'none'."),
        (["--out=r.md", "--reference=tf17"], "Unknown reference 'tf17'. Did you mean 'tf2017'?"),
        (["--out=r.md", "--reference=tf2017", "--price=K80"], "--price: cannot read 'K80'"),
        (["--out=r.md", "--reference=tf2017", "--only=gpus=K80"], "--only=gpus=K80: no column 'gpus'."),
        (["--out=r.md", "--reference=tf2017", "--only=model"], "write it as COLUMN=VALUE,VALUE"),
        (
            ["--out=r.md", "--reference=tf2017", "--only=model=vgg"],
            "--only=model=vgg: no record has it. In the records: a",
        ),
        (
            ["--out=r.md", "--reference=tf2017", "--only=platform=NVIDIA DGX-1", "--only=accelerator=K80"],
            "No record fits all of --only=platform=NVIDIA DGX-1 --only=accelerator=K80.",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_writes_nothing(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, told, error = output(*arguments)
    assert (code, told) == (2, "")
    assert message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("price", "message", "priced"),
    [
        ("K80:0.45USD,V100:2USD", "no record of this report ran on 'V100'.", True),
        ("K80:0.45USD,P100:1.46EUR", "mixes currencies: K80 in USD, P100 in EUR.", False),
    ],
)
def test_prices_that_cannot_be_used_are_named_and_the_report_is_written(price, message, priced, tmp_path):
    page = tmp_path / "r.md"
    code, _, error = output("--reference=tf2017", f"--price={price}", f"--out={page}")
    assert code == 1
    assert message in error
    assert ("USD per epoch" in page.read_text()) is priced


def test_the_bound_of_the_efficiency_is_a_share(tmp_path):
    page = tmp_path / "r.md"
    output("--reference=tf2017", "--efficiency_bound=95%", f"--out={page}")
    assert "the efficiency falls under 95%" in page.read_text()


def test_records_of_which_none_is_valid_are_no_report(tmp_path):
    write(record(problems=("the loss is NaN",)), tmp_path / "runs")
    code, _, error = output(tmp_path / "runs", f"--out={tmp_path}/r.md")
    assert code == 2
    assert error == (
        "None of the 1 records is valid and has a figure: there is nothing to report. "
        "--include_invalid takes in those that are not valid.\n"
    )
    code, _, error = output(tmp_path / "runs", f"--out={tmp_path}/r.md", "--include_invalid")
    assert (code, error) == (0, "")
    assert "NOT VALID" in (tmp_path / "r.md").read_text()


def test_a_bound_that_is_no_share_is_refused(capsys):
    with pytest.raises(SystemExit):
        output("--efficiency_bound=70")
    assert "'70' is not at least 0 and below 1" in capsys.readouterr().err
