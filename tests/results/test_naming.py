import pytest

from results.naming import counted, name, names

FACTS = {"model": "resnet50", "data_name": "imagenet", "num_gpus": "8", "batch_size": "64", "precision": "null"}


def test_a_configuration_is_called_alike_everywhere():
    of_a_frame = {"model": "resnet50", "dataset": "imagenet", "num_gpus": 8, "batch_size": 64, "precision": ""}
    assert name(of_a_frame) == names([FACTS])[0] == "resnet50, imagenet, 8 towers, batch 64"


def test_what_tells_configurations_apart_is_in_their_names():
    one, other = names([FACTS | {"xla": "true"}, FACTS | {"xla": "false"}])
    assert one.endswith("batch 64, xla=true")
    assert other.endswith("batch 64, xla=false")
    assert names([FACTS, FACTS])[0].endswith("batch 64")


def test_a_name_goes_on_with_further_facts():
    assert name({"model": "vgg16", "accelerator": "K80"}, "accelerator") == "vgg16, K80"
    assert name({}) == "unknown configuration"


@pytest.mark.parametrize(("number", "words"), [(0, "0 runs"), (1, "1 run"), (2000, "2,000 runs")])
def test_counted(number, words):
    assert counted(number, "run") == words
