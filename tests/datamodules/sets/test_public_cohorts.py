"""Protects: every public set's yaml builds its cohort, which gives disjoint, labelled records of what is on disk."""

from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra.utils import instantiate
from labelled_sets import GROCERIES
from labelled_sets import WRITERS as LABELLED
from omegaconf import DictConfig, OmegaConf
from public_sets import WRITERS as COMPOSED

from datamodules.records import Signal
from datamodules.sets.shanghai_dm import state_of
from datamodules.sets.ts_file import read_ts
from fusion.targets import Target
from fusion.training.compose import compose_config

FOLDERS = {"lifesnaps": "lifesnaps_daily"}  # where a data name is not its folder's
SETS = sorted({*LABELLED, *COMPOSED} - {"lifesnaps_daily"} | {"lifesnaps"})
SMALL = {
    "ucr": ["data.cohort.root={root}/ucr"],
    "grocery_store": [
        f"data.targets.product.names=[{','.join(fine for fine, _ in GROCERIES)}]",
        "data.targets.product_group.names=[Apple,Lemon]",
    ],
    "stress_predict": ["data.cohort.is_against_rest=false"],  # the tiny sessions are shorter than the distance asked
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    for name, write in {**LABELLED, **COMPOSED}.items():
        write(folder / name, np.random.default_rng(0))
    return folder


@cache
def composed(name: str) -> DictConfig:
    """The configuration of ``python train.py data=<name>``; composing costs a second."""
    return compose_config([f"data={name}"])


def configured(name: str, root: Path, *overrides: str) -> DictConfig:
    cfg = deepcopy(composed(name))
    cfg.paths.data_dir = str(root)
    own = [text.format(root=root) for text in SMALL.get(name, [])]
    for key, _, value in (override.partition("=") for override in (*own, *overrides)):
        OmegaConf.update(cfg, key, yaml.safe_load(value))
    return cfg


def cohort_of(name: str, root: Path, *overrides: str):
    return instantiate(configured(name, root, *overrides).data.cohort, _convert_="all")


def all_records(cohort) -> dict:
    return {record.record_id: record for part in ("train", "val", "test") for record in cohort.records(part)}


@pytest.mark.parametrize("name", SETS)
def test_parts_share_no_source_and_every_label_of_the_yaml_is_of_the_cohort(name, root):
    cfg = configured(name, root)
    cohort = instantiate(cfg.data.cohort, _convert_="all")
    assert {name: Target.declare(name, **node) for name, node in cfg.data.targets.items()} == cohort.targets
    assert set(cfg.model.heads) == set(cohort.targets) and cohort.ceiling() == {}
    people = {part: {r.person_id for r in cohort.records(part)} for part in ("train", "val", "test")}
    assert people["train"] and people["test"] and not people["test"] & (people["train"] | people["val"])
    assert not people["val"] & people["train"]
    records = all_records(cohort)
    assert len(records) == sum(len(cohort.records(part)) for part in people), "a record id occurs twice"
    sources = {modality.source for modality in cfg.data.modalities.values()}
    for record in records.values():
        assert set(record.parts) <= sources | {"ppg", "eda", "temperature", "acc"} and record.parts


@pytest.mark.parametrize("name", SETS)
def test_a_missing_set_is_named_with_its_path_and_the_setting(name, tmp_path):
    cohort = cohort_of(name, tmp_path)
    with pytest.raises(ValueError, match=rf"{FOLDERS.get(name, name)}: no .*{tmp_path.name}.*; set .*(data_dir|root)"):
        cohort.records("train")


@pytest.mark.parametrize("name", SETS)
def test_a_set_without_its_index_is_named(name, tmp_path):
    (tmp_path / FOLDERS.get(name, name) / "GunPoint").mkdir(parents=True)
    with pytest.raises(ValueError, match=rf"({FOLDERS.get(name, name)}|time series): no .*"):
        cohort_of(name, tmp_path).records("train")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("esc10", "audio/2-02-A-0.ogg"),
        ("ecustfd", "images/apple002S(1).jpg"),
        ("grocery_store", "train/Fruit/Lemon/Lemon_003.jpg"),
        ("depresjon", "control_2.npz"),
        ("pmdata", "p02/pmsys/wellness.csv"),
    ],
)
def test_a_file_that_the_index_names_but_is_not_there_is_an_error(name, path, tmp_path):
    LABELLED[name](tmp_path / name, np.random.default_rng(0))
    (tmp_path / name / path).unlink()
    with pytest.raises(ValueError, match=rf"{name}: .*no .*{Path(path).stem.split('(')[0]}.*"):
        cohort_of(name, tmp_path).records("train")


def test_glucose_ends_now_and_its_targets_are_what_follows(root):
    records = all_records(cohort_of("shanghai_dm", root, "data.cohort.stride=1"))
    record = records["shanghai_dm/2001_0_20210504/30"]  # a rise of 1 mg/dL a reading; reading 30 is 90 mg/dL
    glucose = record.parts["glucose"]
    assert glucose.values.shape == (96, 1) and glucose.values[-1, 0] == 90 and np.isnan(glucose.values[:65]).all()
    assert glucose.start_s + (len(glucose.values) - 1) / glucose.rate_hz == pytest.approx(0)
    np.testing.assert_allclose(record.targets["glucose_change"], [2, 4])
    assert record.targets["glucose_event"] == 1
    assert records["shanghai_dm/2001_0_20210504/115"].targets["glucose_event"] == 2  # 175 + 8 > 180
    assert np.isnan(records["shanghai_dm/2001_0_20210504/98"].targets["glucose_change"][0])  # reading 100 is missing


def test_meals_and_insulin_are_said_once_they_have_happened_and_for_six_hours(root):
    records = all_records(cohort_of("shanghai_dm", root, "data.cohort.stride=1"))

    def said(now):
        part = records[f"shanghai_dm/2001_0_20210504/{now}"].parts.get("text")
        return part and part.text

    assert said(39) is None and said(64) is None
    assert said(42) == "0.5 h ago ate Rice 75 g, Egg 50 g. 0.5 h ago took Novolin R, 5 IU."
    assert "not available" not in said(51)


def test_two_hours_are_hypo_before_hyper_and_gaps_do_not_count():
    assert state_of(np.array([100.0, np.nan, 69.0, 200.0])) == "hypo"
    assert state_of(np.array([100.0, 181.0])) == "hyper"
    assert state_of(np.array([70.0, 180.0])) == "in_range"


def test_glucose_out_of_order_is_an_error(tmp_path):
    LABELLED["shanghai_dm"](tmp_path / "shanghai_dm", np.random.default_rng(0))
    path = tmp_path / "shanghai_dm" / "Shanghai_T1DM" / "1000_0_20210504.csv.gz"
    pd.read_csv(path).iloc[::-1].reset_index(drop=True).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"1000_0_20210504\.csv\.gz has readings out of order"):
        cohort_of("shanghai_dm", tmp_path).records("train")


def test_tomorrows_report_is_in_no_part_of_today(root):
    records = all_records(cohort_of("pmdata", root))
    today = records["pmdata/p01/2019-11-09"]
    table = pd.read_csv(root / "pmdata/p01/pmsys/wellness.csv")
    columns = ["stress", "fatigue", "readiness", "sleep_quality", "mood"]
    np.testing.assert_allclose(today.targets["wellness"], table.loc[9, columns].astype(float))
    np.testing.assert_allclose(
        today.parts["wellness"].values[-1], table.loc[8, columns].astype(float)
    )  # today's own is the last
    assert all(p.start_s == -14 * 86400 for p in today.parts.values() if isinstance(p, Signal))
    assert records["pmdata/p01/2019-11-10"].parts["text"].text == (
        "Run for 50 min, average heart rate 135. Meals: Breakfast, Dinner. Fluids: 7 glasses. Alcohol: No."
    )
    texts = {r.parts["text"].text for r in records.values() if "text" in r.parts}
    assert len(texts) <= 4, "the text must not depend on any score"
    assert "text" not in records["pmdata/p03/2019-11-09"].parts


def test_scores_and_heart_rates_of_zero_are_not_measured(root):
    records = all_records(cohort_of("pmdata", root))
    assert np.isnan(records["pmdata/p01/2019-11-04"].targets["wellness"][0])
    assert np.isnan(records["pmdata/p01/2019-11-04"].parts["resting_heart_rate"].values[-1, 0])
    assert "resting_heart_rate" not in records["pmdata/p05/2019-11-09"].parts


def test_persistence_says_the_last_report_and_no_change(root):
    cohort = cohort_of("pmdata", root)
    record = all_records(cohort)["pmdata/p01/2019-11-09"]
    np.testing.assert_allclose(cohort.persistence(record)["wellness"], record.parts["wellness"].values[-1])
    glucose = cohort_of("shanghai_dm", root, "data.cohort.stride=1")
    record = all_records(glucose)["shanghai_dm/2001_0_20210504/130"]  # 190 mg/dL
    answer = glucose.persistence(record)
    assert not answer["glucose_change"].any() and answer["glucose_event"] == 2


def test_lifesnaps_reads_no_mood_no_score_and_no_day_off_the_wrist(root):
    records = all_records(cohort_of("lifesnaps", root))
    record = records["lifesnaps_daily/person0/2021-05-31"]  # day 7: the watch lay on a table
    assert np.isnan(record.parts["activity"].values[-1]).all() and np.isfinite(record.parts["sleep"].values[-1]).all()
    assert record.targets["stress_score"] == [70.0] and "tension" not in record.targets
    assert {name: part.values.shape[1] for name, part in record.parts.items()} == {
        "sleep": 2, "activity": 3, "heart": 2, "variability": 1, "temperature": 1
    }  # fmt: skip


def test_depresjon_days_run_from_midnight_and_controls_have_no_score(root):
    records = all_records(cohort_of("depresjon", root))
    assert {r.record_id.rpartition("/")[2] for r in records.values()} == {"1", "2"}, "half days are left out"
    control = records["depresjon/control_1/1"]
    assert np.isnan(control.targets["madrs"]).all() and control.parts["actigraphy"].values.shape == (1440, 1)
    with np.load(root / "depresjon/control_1.npz") as file:
        np.testing.assert_allclose(control.parts["actigraphy"].values[0, 0], np.log1p(file["activity"][720]), rtol=1e-6)


def test_an_utterance_is_read_with_the_one_before_and_labelled_by_who_speaks(root):
    records = all_records(cohort_of("annomi", root))
    client, therapist = records["annomi/0/1"], records["annomi/0/0"]
    assert client.parts["text"].text == "client: I want to stop. [before] therapist: How are you?"
    assert set(client.targets) == {"client_talk"} and set(therapist.targets) == {"therapist_behaviour"}


def test_ecustfd_keeps_an_object_in_one_part_and_its_weight(root):
    records = all_records(cohort_of("ecustfd", root))
    assert len(records) == 56 and not any("mix" in name for name in records)
    assert records["ecustfd/banana003T(2)"].targets["weight"] == [103.0]
    assert records["ecustfd/banana003T(2)"].person_id == "banana003"


def test_official_folds_and_lists_are_kept(root):
    esc = cohort_of("esc10", root, "data.cohort.split=4")
    assert {r.record_id.split("/")[1][0] for r in esc.records("test")} == {"5"}
    assert {r.record_id.split("/")[1][0] for r in esc.records("val")} == {"1"}
    with pytest.raises(ValueError, match="split is 5, expected 0 to 4"):
        cohort_of("esc10", root, "data.cohort.split=5").records("train")
    grocery = cohort_of("grocery_store", root)
    assert all("/val/" in r.record_id for r in grocery.records("test")) and len(grocery.records("val")) == 6
    with pytest.raises(ValueError, match=r"no test\.txt in .*; set data\.cohort\.test_list"):
        cohort_of("grocery_store", root, "data.cohort.test_list=test").records("train")
    with pytest.raises(Exception, match="test_list is 'dev', expected val or test"):
        cohort_of("grocery_store", root, "data.cohort.test_list=dev")


def test_ucr_says_what_does_not_fit(root, monkeypatch):
    with pytest.raises(Exception, match="problem is 'Nothing', expected one of"):
        instantiate({"_target_": "datamodules.sets.ucr.UcrCohort", "data_dir": None, "split": 0, "problem": "Nothing",
                     "problems": {}})  # fmt: skip
    wide = cohort_of("ucr", root, "data.cohort.problems.GunPoint.channels=[x,y]")
    with pytest.raises(ValueError, match=r"GunPoint has 1 channels, config says \['x', 'y'\]"):
        wide.records("train")
    monkeypatch.setattr("datamodules.sets.ucr.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="the aeon package is not installed"):
        cohort_of("ucr", root, "data.cohort.root=null").records("train")


def test_a_ts_file_is_read_with_its_missing_values_and_a_bad_line_is_named(tmp_path):
    path = tmp_path / "x.ts"
    path.write_text("@timeStamps false\n@data\n1,?,3:4,5,6:walk\n")
    ((values, label),) = read_ts(path)
    np.testing.assert_array_equal(values, [[1, 4], [np.nan, 5], [3, 6]])
    assert label == "walk"
    path.write_text("@data\n1,x,3:walk\n")
    with pytest.raises(ValueError, match=r"x\.ts, line 2: not a series of numbers"):
        list(read_ts(path))
    path.write_text("@timeStamps true\n@data\n")
    with pytest.raises(ValueError, match=r"x\.ts, line 1: series with time stamps"):
        list(read_ts(path))
