from benchmarks.studies.record_scale import WAYS, Read, make_folder, read, table
from results.selection import select
from tests.studies.runs import rows


def test_every_way_reads_every_record(tmp_path):
    make_folder(tmp_path / "runs", 520)  # enough for a cache
    assert all(record.valid for record in select([tmp_path / "runs"]).records)
    for way in WAYS:
        result = read(way, tmp_path, 520)
        assert result.records == 520
        assert 0 < result.cpu_seconds < 60
    assert list((tmp_path / "cnn-benchmark-records").glob("*.json"))


def test_the_target_is_for_ten_thousand_records():
    results = [Read("records", 10_000, 6.0, 3.5, 0.5), Read("records", 1000, 9.0, 9.0, 0.1)]
    assert rows(table(results)) == [
        ["records", "10,000", "6.00", "3.50", "0.50", "<= 5", "met"],
        ["records", "1,000", "9.00", "9.00", "0.10", "none", "for information"],
    ]
