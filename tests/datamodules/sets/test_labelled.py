"""Protects: labelled items become records of three disjoint parts, and what is wrong with a set is said."""

import os
from typing import ClassVar

import numpy as np
import pytest

from datamodules.records import Note
from datamodules.sets.labelled import Item, LabelledCohort
from fusion.targets import Target

NUM = 60


class Toy(LabelledCohort):
    """Twenty sources of three items each, in two strata."""

    name = "toy"
    unit = "person"
    targets: ClassVar = {"health_state": Target("classes", ("a", "b")), "regression": Target("numbers", ("x", "y"))}
    numbers = ("regression",)

    def read(self):
        for i in range(NUM):
            source = f"p{i // 3}"
            parts = {"text": Note(key=f"toy/{i}", text=f"words {i}")}
            targets = {"health_state": "ab"[i % 2], "regression": {"y": float(i)}}
            yield Item(f"toy/{i}", source, parts, targets if i else {}, stratum="ab"[i // 3 % 2])


@pytest.fixture
def data_dir(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "file").write_text("content")
    return tmp_path


def people(cohort, part):
    return {record.person_id for record in cohort.records(part)}


def test_parts_are_disjoint_whole_and_always_the_same(data_dir):
    cohort, again = (Toy(data_dir=data_dir, split=0) for _ in range(2))
    ids = [record.record_id for part in ("train", "val", "test") for record in cohort.records(part)]
    assert sorted(ids) == sorted(f"toy/{i}" for i in range(NUM))
    assert not people(cohort, "train") & (people(cohort, "val") | people(cohort, "test"))
    assert people(cohort, "test") == people(again, "test") and len(people(cohort, "test")) == 4


def test_splits_test_other_people_and_strata_are_dealt_evenly(data_dir):
    tests = [people(Toy(data_dir=data_dir, split=split), "test") for split in range(3)]
    assert not tests[0] & tests[1] and not tests[1] & tests[2] and not tests[0] & tests[2]
    assert sorted(int(p[1:]) % 2 for p in tests[0]) == [0, 0, 1, 1]


def test_targets_are_indices_and_vectors_with_nan_where_unlabelled(data_dir):
    records = {
        r.record_id: r for part in ("train", "val", "test") for r in Toy(data_dir=data_dir, split=0).records(part)
    }
    assert records["toy/5"].targets["health_state"] == 1
    np.testing.assert_array_equal(records["toy/5"].targets["regression"], [np.nan, 5.0])
    assert "health_state" not in records["toy/0"].targets and np.isnan(records["toy/0"].targets["regression"]).all()
    assert records["toy/5"].sources == {"person": "p1"}


def test_the_fingerprint_follows_files_and_settings_but_not_their_place(data_dir, tmp_path_factory):
    first = Toy(data_dir=data_dir, split=0).fingerprint
    assert first != Toy(data_dir=data_dir, split=1).fingerprint
    other = tmp_path_factory.mktemp("other")
    (other / "toy").mkdir()
    (other / "toy" / "file").write_text("content")
    assert first == Toy(data_dir=other, split=0).fingerprint
    (other / "toy" / "file").write_text("more content")
    assert first != Toy(data_dir=other, split=0).fingerprint


def test_the_fingerprint_follows_the_content_but_not_the_time(data_dir):
    file = data_dir / "toy" / "file"
    first = Toy(data_dir=data_dir, split=0).fingerprint
    os.utime(file, (0, 0))
    (data_dir / "toy" / "FETCHED.json").write_text("accepted today")
    assert Toy(data_dir=data_dir, split=0).fingerprint == first
    file.write_text("contend")  # as long as before
    assert Toy(data_dir=data_dir, split=0).fingerprint != first


@pytest.mark.parametrize("wrong", [None, "elsewhere"])
def test_a_missing_folder_names_set_place_and_setting(wrong, tmp_path):
    cohort = Toy(data_dir=wrong and tmp_path / wrong, split=0)  # nothing is read yet
    with pytest.raises(ValueError, match=r"toy: no folder 'toy' in '.*(None|elsewhere)'; set paths.data_dir"):
        cohort.records("train")


def test_an_unknown_label_names_the_item(data_dir, monkeypatch):
    monkeypatch.setattr(Toy, "targets", {"health_state": Target("classes", ("a",))})
    with pytest.raises(ValueError, match=r"toy: toy/1 has health_state 'b', expected one of \['a'\]"):
        Toy(data_dir=data_dir, split=0).records("train")


def test_a_set_without_items_and_an_unknown_part_are_errors(data_dir, monkeypatch):
    with pytest.raises(ValueError, match="split is 'dev', expected one of"):
        Toy(data_dir=data_dir, split=0).records("dev")
    monkeypatch.setattr(Toy, "read", lambda self: iter(()))
    with pytest.raises(ValueError, match="toy: no item in"):
        Toy(data_dir=data_dir, split=0).records("train")
