import csv
import io
import json
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.store import write
from tests.results.records import measurement, record
from tests.results.test_command import output, run


def at(speed, folder, **changes):
    return write(record(measurement=measurement(window_seconds=640 / speed), **changes), folder)


FORMS = ("text", "markdown", "json")


@pytest.fixture
def sides(tmp_path):
    for speed in (500, 501, 502):
        at(speed, tmp_path / "a")
        at(speed * 1.1, tmp_path / "b")
    return tmp_path / "a", tmp_path / "b"


def test_text_in_a_process_without_tensorflow(sides):
    ended = run("compare", *sides)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "A 501.0 images/s (3 runs), B 551.1 images/s (3 runs)" in ended.stdout
    assert "B: 1.10x faster, 95 % interval 1.095 to 1.105, p = " in ended.stdout


def test_markdown_csv_and_json(sides):
    rows = list(csv.DictReader(io.StringIO(output("compare", *sides, "--format=csv")[1])))
    whole = json.loads(output("compare", *sides, "--format=json")[1])
    table = output("compare", *sides, "--format=markdown")[1].splitlines()
    assert [row["verdict"] for row in rows] == ["faster"]
    assert rows[0].keys() == whole["rows"][0].keys()
    assert whole["geometric_mean"]["ratio"] == pytest.approx(1.1)
    assert table[0].count("|") == table[2].count("|") == 8


def test_records_by_name(sides):
    a, b = (",".join(map(str, sorted(side.iterdir()))) for side in sides)
    assert output("compare", a, b)[0] == 0


def test_a_list_of_files_may_be_longer_than_a_name(sides, monkeypatch):
    monkeypatch.chdir(sides[0])
    for minute in range(10):
        at(500 + minute / 10, sides[0], minute=minute)
    names = ",".join(sorted(path.name for path in sides[0].iterdir()))
    assert len(names) > 255
    code, text, _ = output("compare", names, sides[1])
    assert code == 0
    assert "(13 runs)" in text


def test_invalid_records_are_counted_and_what_is_unreadable_is_named(sides):
    at(1, sides[0], problems=("the loss is NaN",))
    (sides[1] / "cut.json").write_text("{")
    code, text, error = output("compare", *sides)
    assert code == 1
    assert "Left out of A: 1 not valid (--include_invalid admits them)." in error
    assert "Not a readable record" in error
    assert "faster" in text


def test_what_was_admitted_though_it_is_not_valid_is_counted_beside_its_figure(sides):
    at(400, sides[0], problems=("foreign load",))
    at(400, sides[0], problems=("the loss is NaN",), wrong=("the loss is NaN",), minute=1)
    admitted = {form: output("compare", *sides, "--include_invalid", f"--format={form}")[1] for form in FORMS}
    assert "images/s (5 runs, 1 NOT VALID, 1 WRONG), B 551.1 images/s (3 runs)" in admitted["text"]
    assert "| 5, 1 NOT VALID, 1 WRONG + 3 |" in admitted["markdown"]
    [row] = json.loads(admitted["json"])["rows"]
    assert [row[name] for name in ("not_valid_a", "not_valid_b", "wrong_a", "wrong_b")] == [1, 0, 1, 0]
    assert "NOT VALID" not in output("compare", *sides)[1]


def test_unlike_records_are_refused(tmp_path):
    a, b = at(500, tmp_path), at(600, tmp_path, settings={"precision": "bf16"})
    code, text, error = output("compare", a, b)
    assert (code, text) == (2, "")
    assert error.splitlines() == [
        "Cannot compare: precision differs (fp32 vs bf16). Pass --allow_different=precision to compare anyway.",
        "Nothing was compared.",
    ]
    code, text, _ = output("compare", a, b, "--allow_different=precision")
    assert code == 0
    assert "ratio 1.20, one run each: no interval" in text
    assert "Allowed: precision differs (fp32 vs bf16)." in text


@pytest.mark.parametrize("wrong", ["--threshold=2", "--threshold=x", "--threshold=-1%"])
def test_a_threshold_that_is_no_share(sides, wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        output("compare", *sides, wrong)
    assert "2% or 0.02" in capsys.readouterr().err


def test_nothing_to_compare(sides, tmp_path):
    assert output("compare", sides[0], tmp_path / "none")[0] == 2
    code, _, error = output("compare", sides[0], sides[0])
    assert code == 2
    assert "are in A and in B" in error
    assert "told apart" not in error, "all are of one configuration"


def test_the_same_folder_twice_says_how_to_tell_its_configurations_apart(tmp_path):
    for number, cell in enumerate(("abcd", "ef01")):
        at(
            500,
            tmp_path,
            minute=number,
            settings={"batch_size": 8 + number},
            suite={"suite": "s", "set": "1", "cell": cell},
        )
    code, _, error = output("compare", tmp_path, tmp_path)
    assert code == 2
    assert f"These can be told apart:\n{tmp_path}@abcd: " in error
    assert f"\n{tmp_path}@ef01: " in error
    sides = [line.partition(": ")[0] for line in error.splitlines()[1:]]
    assert output("compare", *sides, "--allow_different=batch_size")[0] == 0
    assert output("compare", *sides, "--allow_different=nonsense")[0] == 2


def test_what_records_say_does_not_format_the_markdown(tmp_path):
    evil = "<script>alert(1)</script>|**[x](http://y)\n`"
    a, b = at(500, tmp_path, settings={"model": evil}), at(600, tmp_path, settings={"model": evil})
    table = output("compare", a, b, "--format=markdown")[1]
    assert "<script>" not in table
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\*\\*\\[x\\](http&#8203;://y) \\`, 2 towers" in table


def test_sides_of_one_folder_by_tag_or_set(tmp_path):
    for name, speeds in (("before", (500, 501)), ("after", (600, 601))):
        for speed in speeds:
            at(speed, tmp_path, params={"tag": name, "repeat_set": f"set-{name}"})
    for words in (("before", "after"), ("set-before", "set-after")):
        code, text, _ = output("compare", *(f"{tmp_path}@{word}" for word in words))
        assert code == 0
        assert "1.20x faster" in text
    code, _, error = output("compare", f"{tmp_path}@befor", f"{tmp_path}@after")
    assert code == 2
    assert "There is: after, before, set-after, set-before." in error


@given(st.lists(st.tuples(st.floats(1e-6, 1e11), st.text(max_size=5), st.booleans()), min_size=2, max_size=8))
@settings(max_examples=25)
def test_whatever_records_say_the_commands_answer(found):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for speed, model, first in found:
            measured = measurement(window_seconds=640 / speed)
            write(record(settings={"model": model}, measurement=measured), folder / ("a" if first else "b"))
        sides = [folder / "a", folder / "b"]
        for form in ("text", "markdown", "csv", "json"):
            assert output("compare", *sides, f"--format={form}", "--allow_different=hardware")[0] in (0, 1, 2)
        assert output("gate", f"--baseline={sides[0]}", f"--candidate={sides[1]}", f"--junit={folder}/x.xml")[0] in (
            0,
            1,
            2,
        )
        assert ET.parse(folder / "x.xml").getroot().tag == "testsuite"  # our own file
