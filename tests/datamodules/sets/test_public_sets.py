"""Protects: every reader gives what is on disk, with labels, and says what is missing and where."""

import numpy as np
import pytest
from public_sets import DISHES, EMOTIONS, SPEAKERS, WRITERS, write_public_sets

from datamodules.sets.dreaddit import read_dreaddit
from datamodules.sets.emodb import read_emodb
from datamodules.sets.food101_10 import read_food101_10
from datamodules.sets.snoring_khan import read_snoring_khan
from datamodules.sets.stress_predict import REST, STRESS, Session, read_stress_predict

READERS = {
    "stress_predict": read_stress_predict,
    "emodb": read_emodb,
    "snoring_khan": read_snoring_khan,
    "food101_10": read_food101_10,
    "dreaddit": read_dreaddit,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_public_sets(tmp_path_factory.mktemp("sets"))


@pytest.mark.parametrize("name", READERS)
def test_a_missing_set_is_named_with_its_path_and_the_setting(name, tmp_path):
    with pytest.raises(ValueError, match=rf"{name}: no .*{tmp_path.name}.*set paths.data_dir"):
        READERS[name](tmp_path)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("stress_predict", "raw/S05.npz"),
        ("emodb", "wav/08a01anger.ogg"),
        ("snoring_khan", "snoring/1_20.ogg"),
        ("food101_10", "images/baklava/1003.jpg"),
    ],
)
def test_a_file_that_the_index_names_but_is_not_there_is_an_error(name, path, tmp_path):
    WRITERS[name](tmp_path / name, np.random.default_rng(0))
    (tmp_path / name / path).unlink()
    with pytest.raises(ValueError, match=rf"{name}: .*there is no .*{path}"):
        READERS[name](tmp_path)


def test_stress_predict_windows_carry_units_rates_and_one_label(root):
    session = read_stress_predict(root)[0]
    assert session.person_id == "S02"
    starts = {label: session.starts(label, 60.0, 15) for label in (REST, STRESS)}
    assert min(starts[STRESS]) == 600 and max(starts[STRESS]) == 840
    assert all(start + 60 <= 600 or start >= 900 for start in starts[REST])
    window = session.window(630, 60.0, reference_s=(0, 60))
    shapes = {name: (part.values.shape, part.rate_hz, part.unit) for name, part in window.items()}
    assert shapes == {
        "ppg": ((3840, 1), 64.0, "a.u."),
        "eda": ((240, 1), 4.0, "uS"),
        "temperature": ((240, 1), 4.0, "degC"),
        "acc": ((1920, 3), 32.0, "g"),
    }
    assert all(len(part.reference) == 2 and part.start_s == -60.0 for part in window.values())


def test_stressors_are_named_by_the_order_of_the_runs_of_stress():
    labels = np.repeat([0, 1, 0, 1, 0, 1], 100)
    session = Session(person_id="S99", tracks={}, labels=labels)
    assert [session.stressor(s) for s in (100, 150, 300, 399, 550)] == [
        "stroop", "stroop", "interview", "interview", "hyperventilation"
    ]  # fmt: skip
    fourth = Session(person_id="S99", tracks={}, labels=np.concatenate([labels, [0, 1]]))
    with pytest.raises(ValueError, match="S99 is in stress number 4 at 601 s, the protocol has 3"):
        fourth.stressor(601)


def test_a_window_beyond_the_recording_is_nan_there(root):
    track = read_stress_predict(root)[0].tracks["eda"]
    cut = track.cut(1490.0, 20.0)
    assert len(cut) == 80 and np.isfinite(cut[:40]).all() and np.isnan(cut[40:]).all()
    assert np.isnan(track.cut(5000.0, 20.0)).all()


def test_the_other_sets_are_read_whole(root):
    utterances = read_emodb(root)
    assert {(u.speaker, u.emotion) for u in utterances} == {(s, e) for s in SPEAKERS for e in EMOTIONS}
    assert {u.speaker for u in utterances if u.gender == "man"} == {"10", "11", "12", "15"}
    sounds = read_snoring_khan(root)
    assert sum(sound.is_snoring for sound in sounds) == 20 and len({sound.source for sound in sounds}) == 20
    assert {dish.name for dish in read_food101_10(root)} == set(DISHES)
    posts = read_dreaddit(root)
    assert len(posts) == 200 and posts[2].is_stressed and posts[2].source == posts[3].source == "post1"
