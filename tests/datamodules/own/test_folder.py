"""A user's own folder becomes records: any part missing, times real, people in one split."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from datamodules.own.folder import FolderCohort
from fusion.targets import Target
from tests.datamodules.own_records import CLASSES, UNITS, write_json, write_records

STATES = {name: {"kind": "classes", "names": names} for name, names in CLASSES.items()}
AMOUNTS = {"kind": "numbers", "names": ["age", "weight"]}


def cohort(root, **settings):
    defaults = {
        "targets": STATES,
        "units": UNITS,
        "split": 0,
        "seed": 0,
        "test": 0.2,
        "val": 0.1,
    }
    return FolderCohort(root=root, **{**defaults, **settings})


def only(root, **settings):
    """The one record under ``root``."""
    source = cohort(root, test=0.3, val=0.3, **settings)
    (record,) = [record for split in ("train", "val", "test") for record in source.records(split)]
    return record


@pytest.fixture
def own(tmp_path):
    """Write one record with these files (name -> text) and this record.json; gives the root."""

    def write(files: dict[str, str], **said):
        path = write_json(tmp_path / "own" / "r1", **{"person": "anna", **said})
        for name, text in files.items():
            (path.parent / name).write_text(text)
        return tmp_path / "own"

    return write


def test_a_folder_of_records_is_read_with_whatever_is_there(tmp_path):
    source = cohort(write_records(tmp_path))
    records = {r.record_id: r for split in ("train", "val", "test") for r in source.records(split)}
    assert len(records) == 20
    first, second = records["p00_0"], records["p00_1"]
    assert set(first.parts) == {"eda", "photo", "audio", "text"} and set(second.parts) == {"eda", "photo"}
    assert (first.targets, second.targets) == ({"health_state": 0}, {"health_state": 1})
    eda = first.parts["eda"]
    assert (eda.values.shape, eda.rate_hz, eda.unit, eda.start_s) == ((240, 1), 4.0, "uS", -60.0)
    assert first.parts["audio"].start_s == -1.0 and first.parts["text"].text == "Day 0 was fine."


@pytest.mark.parametrize("split", [0, 1, 2])
def test_people_are_in_one_split_each_and_all_are_in_one(tmp_path, split):
    source = cohort(write_records(tmp_path), split=split)
    people = [{r.person_id for r in source.records(part)} for part in ("train", "val", "test")]
    assert [len(p) for p in people] == [7, 1, 2]
    assert len(set.union(*people)) == 10


def test_a_split_that_the_records_say_is_kept(tmp_path):
    for person, split in (("a", "test"), ("b", "train"), ("c", "val")):
        write_json(tmp_path / person, person=person, split=split, note="hello")
    assert [r.person_id for r in cohort(tmp_path).records("test")] == ["a"]


def test_times_are_relative_to_the_moment_of_prediction(own):
    lines = "time,x\n2024-05-01T12:00:00Z,1\n2024-05-01T12:00:01Z,2\n2024-05-01T12:00:02Z,3\n"
    record = only(
        own({"eda.csv": lines, "lunch.jpg": "", "d.txt": "ate"}, predicted_at="2024-05-01T14:00:10+02:00",
            signals={"eda": {"unit": "nS"}}, photos=[{"file": "lunch.jpg", "at": "2024-05-01T11:59:40"}])
    )  # fmt: skip
    assert (record.parts["eda"].start_s, record.parts["photo"][0].time_s, record.parts["text"].time_s) == (-10, -30, 0)
    np.testing.assert_allclose(record.parts["eda"].values[:, 0], [0.001, 0.002, 0.003])


def test_without_a_moment_of_prediction_it_is_the_end_of_the_latest_recording(own):
    eda = "time_s,x\n100,1\n101,2\n102,3\n"
    record = only(own({"eda.csv": eda, "temperature.csv": eda.replace("10", "11")},
                      signals={"eda": {"unit": "uS"}, "temperature": {"unit": "degF"}}))  # fmt: skip
    assert record.parts["temperature"].start_s == -3 and record.parts["eda"].start_s == -13
    assert record.parts["temperature"].unit == "degC"


def test_clipped_and_flat_runs_are_not_measured_where_declared(own):
    cells = [1, 2, 5, 5, 5, 3, 1, 1, 1, 1, 1, 1, 2]
    spec = {"unit": "uS", "rate_hz": 1, "limits": [0, 5], "flat_s": 6}
    record = only(own({"eda.csv": "\n".join(map(str, cells))}, signals={"eda": spec}))
    missing = np.flatnonzero(np.isnan(record.parts["eda"].values[:, 0]))
    assert missing.tolist() == [2, 3, 4, 6, 7, 8, 9, 10, 11]


def test_parquet_columns_and_rest_windows_are_read(own):
    root = own({"rest.csv": "x\n7\n8\n"},
               signals={"acc": {"unit": "m/s2", "rate_hz": 2, "columns": ["y", "x"]},
                        "eda": {"unit": "uS", "rate_hz": 1, "file": "eda.parquet", "rest": ["rest.csv"]}})  # fmt: skip
    pd.DataFrame({"x": [9.80665, 0.0], "y": [0.0, 9.80665], "z": [0, 0]}).to_parquet(root / "r1" / "acc.parquet")
    pd.DataFrame({"x": [1.0, None, 3.0]}).to_parquet(root / "r1" / "eda.parquet")
    record = only(root)
    np.testing.assert_allclose(record.parts["acc"].values, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(record.parts["eda"].values, np.array([[1], [np.nan], [3]], np.float32))
    np.testing.assert_array_equal(record.parts["eda"].reference[0], [[7], [8]])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_index_of_paths_gives_the_same_records(tmp_path, suffix):
    root = write_records(tmp_path / "dirs", num_people=6)
    rows = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        said = json.loads((folder / "record.json").read_text())
        row = {"record": folder.name, "person": said["person"], "label:health_state": said["labels"]["health_state"]}
        row |= {"signal:eda": f"{folder.name}/eda.csv", "photo": f"{folder.name}/lunch.jpg"}
        if (folder / "diary.txt").exists():
            row |= {"audio": f"{folder.name}/voice.flac", "text": f"{folder.name}/diary.txt"}
        rows.append(row)
    index = root / f"index{suffix}"
    if suffix == ".csv":
        with index.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], restval="")
            writer.writeheader()
            writer.writerows(rows)
    else:
        pd.DataFrame(rows).to_parquet(index)
    for split in ("train", "val", "test"):
        pairs = zip(cohort(root).records(split), cohort(index).records(split), strict=True)
        for one, other in pairs:
            assert (one.record_id, one.person_id, one.targets) == (other.record_id, other.person_id, other.targets)
            assert set(one.parts) == set(other.parts)
            np.testing.assert_array_equal(one.parts["eda"].values, other.parts["eda"].values)


def test_numbers_are_labels_too(tmp_path):
    lines = ["person,note,label:amounts.weight,label:amounts.age", "a,x,70,", "b,y,60,30", "c,z,1,2"]
    (tmp_path / "index.csv").write_text("\n".join(lines))
    source = cohort(tmp_path / "index.csv", targets={"amounts": AMOUNTS}, test=0.3, val=0.3)
    records = {r.person_id: r for split in ("train", "val", "test") for r in source.records(split)}
    np.testing.assert_array_equal(records["a"].targets["amounts"], np.array([np.nan, 70], np.float32))
    assert source.targets == {"amounts": Target("numbers", ("age", "weight"))}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"amounts": 3}, r"label 3 of 'amounts': expected \{\"name\": number\}"),
        ({"amounts": {"height": 3}}, r"label 'height' of 'amounts' is unknown, expected one of \['age', 'weight'\]"),
        ({"health_state": {"age": 3}}, r"expected a class, as data.targets.health_state.kind is classes"),
        ({"amounts": {"age": "old"}}, r"labels.amounts"),
    ],
)
def test_numbers_and_classes_are_not_mixed_up(own, labels, message):
    with pytest.raises(ValueError, match=message):
        only(own({"d.txt": "x"}, labels=labels), targets={**STATES, "amounts": AMOUNTS})


def test_the_fingerprint_follows_the_files(tmp_path):
    root = write_records(tmp_path, num_people=2)
    before = cohort(root).fingerprint
    assert cohort(root).fingerprint == before
    path = root / "p00_0" / "eda.csv"
    path.write_text(path.read_text().replace("2.", "9.", 1))  # of the same size
    assert cohort(root).fingerprint != before


def test_a_root_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nothing at '.*nowhere'; set data.cohort.root"):
        cohort(tmp_path / "nowhere").records("train")


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"split is 'dev', expected one of"):
        cohort(tmp_path).records("dev")


def test_errors_stop_training_and_name_the_command_that_lists_all(own):
    root = own({"eda.csv": "1\n2\n"}, signals={"eda": {"unit": "uS"}})
    with pytest.raises(ValueError, match=r"(?s)1 problems in .*python -m datamodules.check .*eda.csv: has no rate"):
        cohort(root).records("train")


def test_labels_of_several_and_ranks_are_read(own):
    symptoms = {"kind": "multilabel", "names": ["cough", "fever", "rash"]}
    pain = {"kind": "ordinal", "names": ["none", "mild", "strong"]}
    record = only(
        own({"d.txt": "x"}, labels={"symptoms": ["rash", "cough"], "pain": "strong"}),
        targets={"symptoms": symptoms, "pain": pain},
    )
    assert record.targets["symptoms"].tolist() == [1, 0, 1] and record.targets["pain"] == 2
