"""Wiring in the file that python -m benchmarks.topology writes: read back, and refused where it is another."""

import json

import pytest

from benchmarks.advice import wiring_file
from benchmarks.errors import UserError
from benchmarks.topology import command as topology
from tests.telemetry import machines
from tests.telemetry.stand_in import put_in_place


def test_links_to_switches_come_back_from_files_old_and_new(tmp_path, monkeypatch):
    put_in_place(machines.nvswitch(), tmp_path, monkeypatch)
    file = tmp_path / "hgx.json"
    assert topology.main([f"--output={file}"]) == 0
    facts = json.loads(file.read_text())
    assert {link.switched for link in wiring_file.read(file).links.values()} == {True}
    for link in facts["links"]:
        del link["switched"]
    file.write_text(json.dumps(facts))
    assert {link.switched for link in wiring_file.read(file).links.values()} == {True}
    for link in facts["links"]:
        link["switched"], link["nvlinks"] = False, 2  # of their own, in a mesh
    file.write_text(json.dumps(facts))
    assert {link.switched for link in wiring_file.read(file).links.values()} == {False}


def test_wiring_comes_back_from_the_file_that_topology_writes(tmp_path, monkeypatch):
    put_in_place(machines.dgx_1(), tmp_path, monkeypatch)
    file = tmp_path / "dgx.json"
    assert topology.main([f"--output={file}"]) == 0
    found = wiring_file.read(file)
    assert {link.word for link in found.links.values()} == {"NV1", "SYS"}
    assert found.link(0, 5).peers is False
    assert found.islands == [tuple(range(8))]


def two_gpus(index=1, nvlinks=0, level="PIX"):
    return (
        f'{{"gpus": [{{"index": 0, "name": "A"}}, {{"index": {index}, "name": "A"}}], '
        f'"links": [{{"gpus": [0, 1], "level": "{level}", "nvlinks": {nvlinks}, "peers": true}}]}}'
    )


def test_a_way_of_another_name_is_not_known(tmp_path):
    file = tmp_path / "wiring.json"
    file.write_text(two_gpus(level="LONG"))
    assert wiring_file.read(file).link(0, 1).word == "?"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("[1]", "list indices must be integers"),
        ('{"gpus": [{"index": 0, "name": "A"}]}', "it lacks 'links'"),
        ('{"gpus": [], "links": []}', "it has no GPU"),
        (
            '{"gpus": [{"index": 0, "name": "A"}, {"index": 1, "name": "A"}], "links": []}',
            "what is between GPUs (0, 1)",
        ),
        (
            '{"gpus": [{"index": 0, "name": "A"}], "links": [{"gpus": [0, 1], "level": "PIX", "nvlinks": 0, '
            '"peers": "yes"}]}',
            "'yes' is neither true nor false",
        ),
        (two_gpus(nvlinks=-3), "nvlinks of GPUs [0, 1] must be from 0 to 64, is -3"),
        (two_gpus(nvlinks=10**400), "must be from 0 to 64, is 1000"),
        (two_gpus(index="1e999"), "cannot convert float infinity"),
        (two_gpus(index=0), "several GPUs of one index: [0, 0]"),
        (100_000 * "[", "recursion"),
    ],
)
def test_another_file_is_refused(tmp_path, text, why):
    file = tmp_path / "wiring.json"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        wiring_file.read(file)
    assert str(caught.value).startswith(f"--wiring={file} is not what python -m benchmarks.topology --output=FILE")
    assert why in str(caught.value)
