import io

import numpy as np
import pytest
from matplotlib.image import imread

from results.frame import frame
from results.plots import bar_chart, save
from results.store import FolderError
from tests.results.records import measurement, record


def at(speed):
    """A measurement with this many images per second."""
    return measurement(window_seconds=640 / speed)


def pixels(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png")
    image.seek(0)
    return imread(image)


def lengths(figure):
    return [bar.get_width() for bar in figure.axes[0].patches]


def texts(figure):
    return "\n".join(text.get_text() for text in figure.texts)


def labels(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_repeats_are_one_bar_at_their_geometric_mean_with_a_point_each():
    runs = [record(n, {"optimizer": "sgd"}, measurement=at(speed)) for n, speed in enumerate([400, 500, 640])]
    other = record(minute=9, settings={"optimizer": "adam"}, measurement=at(1000))
    figure = bar_chart(frame([*runs, other]))
    assert lengths(figure) == pytest.approx([(400 * 500 * 640) ** (1 / 3), 1000.0])
    assert [list(line.get_xdata()) for line in figure.axes[0].lines] == [[400.0, 500.0, 640.0]]
    assert labels(figure) == ["sgd", "adam"]
    assert figure.axes[0].get_xlim()[0] == 0
    assert figure.axes[0].get_xlabel().startswith("images/s")


def test_records_that_are_not_valid_are_named_below_and_have_no_bar():
    bad = record(problems=("the loss is NaN",), measurement=at(9999))
    figure = bar_chart(frame([record(), bad, record(status="failed", message="no memory", measurement=None)]))
    assert lengths(figure) == pytest.approx([500.0])
    assert f"{bad.record_id[:8]} resnet20: UNFIT, the loss is NaN" in texts(figure)
    assert "FAILED, no memory" in texts(figure)


def test_the_same_flags_on_another_machine_are_no_repeat():
    gpu = {"device": "gpu"}
    made = [record(n, gpu, hardware={"gpus": [{"name": name}]}) for n, name in enumerate(["Tesla K80", "NVIDIA H100"])]
    assert labels(bar_chart(frame(made))) == ["Tesla K80", "H100"]


def test_a_gpu_that_a_cpu_run_did_not_use_tells_nothing_apart():
    made = [record(n, hardware={"gpus": [{"name": name}]}) for n, name in enumerate(["Tesla K80", "NVIDIA H100"])]
    figure = bar_chart(frame(made))
    assert len(lengths(figure)) == 1
    assert "K80" not in texts(figure)


def test_configurations_that_no_column_tells_apart_show_their_keys():
    made = [record(n, {"weight_decay": n}) for n in range(2)]
    assert labels(bar_chart(frame(made))) == [f"resnet20\n{one.configuration_key}" for one in made]


@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_the_image_has_the_size_it_says_and_something_on_it(count):
    made = [record(n, {"model": f"model_{n} $x_{n}$ " + "long " * n}, measurement=at(100 + n)) for n in range(count)]
    figure = bar_chart(frame(made))
    image = pixels(figure)
    width, height = figure.get_size_inches() * figure.dpi
    assert image.shape[1] == 1350 == int(width)
    assert abs(image.shape[0] - height) <= 1
    dark = image[..., :3].min(axis=2) < 0.9
    assert 0.002 < dark.mean() < 0.5
    margin = np.concatenate([dark[:, :8].ravel(), dark[:, -8:].ravel(), dark[:6].ravel(), dark[-6:].ravel()])
    assert not margin.any()  # nothing is cut off at an edge


def test_save_replaces_the_file_whole(tmp_path):
    path = tmp_path / "chart.png"
    path.write_text("old")
    save(bar_chart(frame([record()])), path)
    assert imread(path).shape[1] == 1350
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    figure = bar_chart(frame([record()]))
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=r"Cannot write plot '.*file/chart.png': Not a directory"):
        save(figure, tmp_path / "file" / "chart.png")
    with pytest.raises(FolderError, match=r"its name must end in one of .png, .svg, .pdf"):
        save(figure, tmp_path / "chart.bmp")


def test_a_gpu_s_host_is_told_below_short_names():
    hosts = [("Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz", cores) for cores in (8, 16)]
    hosts.append(("AMD EPYC 7742 64-Core Processor", 8))
    made = [
        record(
            n, {"device": "gpu"}, hardware={"gpus": [{"name": "V100"}], "cpu": {"model": cpu, "usable_cores": cores}}
        )
        for n, (cpu, cores) in enumerate(hosts)
    ]
    assert [" ".join(label.split()) for label in labels(bar_chart(frame(made)))] == [
        "V100 (Intel Xeon Platinum 8375C, 8 cores)",
        "V100 (Intel Xeon Platinum 8375C, 16 cores)",
        "V100 (AMD EPYC 7742, 8 cores)",
    ]


def test_names_that_are_alike_when_short_stay_long():
    made = [
        record(n, hardware={"cpu": {"model": f"Intel(R) Xeon(R) CPU @ {clock}GHz"}})
        for n, clock in enumerate(("2.20", "2.30"))
    ]
    told = [" ".join(label.split()) for label in labels(bar_chart(frame(made)))]
    assert told == ["Intel(R) Xeon(R) CPU @ 2.20GHz", "Intel(R) Xeon(R) CPU @ 2.30GHz"]


def test_a_machine_is_called_by_what_parts_it_below_the_short_name_of_its_processor():
    cpu = {"model": "AMD Testium 96-Core Processor"}
    made = [record(n, hardware={"cpu": cpu | {"usable_cores": cores}}) for n, cores in enumerate((2, 64))]
    assert labels(bar_chart(frame(made))) == ["AMD Testium (2 cores)", "AMD Testium (64 cores)"]
    assert "AMD Testium 96-Core Processor" in " ".join(texts(bar_chart(frame(made[:1]))).split())
