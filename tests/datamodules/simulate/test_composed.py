"""Protects: no source in two parts, the same records every time, rest references far away, and no clock anywhere."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from public_sets import write_public_sets

from datamodules.rule import LATENTS, STATES, state_of
from datamodules.simulate.composed import ComposedCohort
from datamodules.simulate.composed_sources import SOUND_BAND_HZ, choose_references, read_items
from datamodules.transforms.signal import PrepareSignal

PARTS = ("train", "val", "test")
WINDOW_S = 60.0


def cohort(root, split=0, **changes):
    settings = {"num_train": 120, "num_val": 40, "num_test": 60, "window_s": WINDOW_S}
    return ComposedCohort(data_dir=root, split=split, **settings | changes)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_public_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def composed(root):
    return cohort(root)


@pytest.fixture(scope="module")
def items(root):
    return [item for own in read_items(root, split=0, seed=0, window_s=WINDOW_S).values() for item in own]


def sources_of(records):
    return {(kind, source) for record in records for kind, source in record.sources.items()}


def test_no_source_is_in_two_parts(composed):
    train, val, test = (sources_of(composed.records(part)) for part in PARTS)
    assert train and val and test
    assert not (train & val or train & test or val & test)


def test_the_tests_of_three_splits_share_no_source(root, composed):
    tested = [sources_of(composed.records("test")), *(sources_of(cohort(root, s).records("test")) for s in (1, 2))]
    assert not (tested[0] & tested[1] or tested[1] & tested[2] or tested[0] & tested[2])


def test_equal_recordings_under_two_names_are_one_source(tmp_path):
    root = write_public_sets(tmp_path)
    before = {part: len(own) for part, own in _sources(root).items()}
    _say_twice(root / "dreaddit" / "dreaddit-train.csv.gz")
    for number in range(1000, 1012):
        shutil.copy(
            root / f"food101_10/images/bibimbap/{number}.jpg", root / f"food101_10/images/bibimbap/{number}9.jpg"
        )
    names = [f"bibimbap/{number}9" for number in range(1000, 1012)]
    with (root / "food101_10" / "train.txt").open("a") as file:
        file.write("\n" + "\n".join(names))
    assert {part: len(own) for part, own in _sources(root).items()} == before


def _sources(root):
    items = read_items(root, split=0, seed=0, window_s=WINDOW_S)
    return {part: {(item.latent, item.source) for item in own} for part, own in items.items()}


def _say_twice(path):
    posts = pd.read_csv(path)
    again = posts.assign(id=posts["id"] + 1000, post_id=posts["post_id"] + "again")
    pd.concat([posts, again]).to_csv(path, index=False)


def test_the_same_list_comes_twice_and_another_seed_gives_another(root, composed):
    def content(records):
        return [(r.record_id, r.sources, r.targets, r.parts["ppg"].key, r.parts["text"].text) for r in records]

    again = cohort(root)
    assert again.fingerprint == composed.fingerprint
    for part in PARTS:
        assert content(again.records(part)) == content(composed.records(part))
    other = cohort(root, seed=1)
    assert other.fingerprint != composed.fingerprint
    assert content(other.records("test")) != content(composed.records("test"))


def test_the_fingerprint_follows_the_files(tmp_path):
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "meta.csv").write_text("one")
    before = cohort(tmp_path).fingerprint
    (tmp_path / "emodb" / "meta.csv").write_text("two")  # as long as before
    assert cohort(tmp_path).fingerprint != before


def test_targets_follow_the_rule(composed):
    for record in composed.records("train"):
        cell = {latent: values[record.targets[latent]] for latent, values in LATENTS.items()}
        assert STATES[record.targets["health_state"]] == state_of(cell) == record.targets["plan"].state
        assert {finding.group for finding in record.targets["plan"].findings} == set(record.sources)
        assert record.person_id == record.sources["signals"]


def test_the_finding_is_the_heart_rate_of_the_window(composed):
    for record in composed.records("test"):
        person = int(record.person_id[1:])
        (bpm,) = (f.value for f in record.targets["plan"].findings if f.group == "signals")
        assert bpm == pytest.approx(60 * (1 + person / 20), abs=3)


def test_all_people_are_used_alike(composed):
    stressed = LATENTS["body"].index("stressed")
    people = [r.person_id for r in composed.records("train") if r.targets["body"] == stressed]
    counts = np.unique(people, return_counts=True)[1]
    assert counts.max() - counts.min() <= 1


def test_references_are_five_minutes_away_for_both_classes(root, items):
    values = {item.value for item in items if item.latent == "body"}
    assert values == {"rested", "stressed"}
    session = np.load(root / "stress_predict" / "raw" / "S02.npz")["TEMP"]
    for item in items:
        if item.source != "S02":
            continue
        signal = item.parts["temperature"]
        start_s = int(signal.key.split("/")[2])
        assert 1 <= len(signal.reference) <= 4
        for window in signal.reference:  # found again in the session by its content
            (place,) = np.flatnonzero([np.array_equal(session[i : i + 240], window[:, 0]) for i in range(0, 5761, 60)])
            reference_s = 15 * place
            assert max(reference_s - (start_s + WINDOW_S), start_s - (reference_s + WINDOW_S)) >= 300
            assert reference_s + WINDOW_S <= 600 or reference_s >= 900


def test_references_overlap_nothing_and_are_chosen_alike():
    rest_s = list(range(0, 3000, 15))
    chosen = choose_references(rest_s, 1500, 180.0, "a")
    assert chosen == choose_references(rest_s, 1500, 180.0, "a") != choose_references(rest_s, 1500, 180.0, "b")
    assert len(chosen) == 4
    assert all(abs(a - b) >= 180 for a in chosen for b in chosen if a != b)
    assert choose_references(rest_s[:20], 300, 180.0, "a") == ()


def test_no_clock_is_readable_from_signals(composed):
    prepare = PrepareSignal(
        rate_hz=4.0, channels=["temperature"], unit="degC", derive="temperature", baseline="rest_reference",
        is_scaled=False,
    )  # fmt: skip
    times = {prepare(r.parts["temperature"]).time_s.tobytes() for r in composed.records("test")}
    assert len(times) == 1
    assert np.frombuffer(times.pop())[0] == -WINDOW_S


def test_length_loudness_and_band_of_every_sound_are_equal(composed):
    for record in composed.records("test"):
        clip = record.parts["audio"]
        assert (len(clip.sound), clip.rate_hz, clip.start_s) == (16000, 16000, -1.0)
        assert np.sqrt(np.mean(clip.sound**2)) == pytest.approx(0.05, rel=1e-3)
        power, hz = np.abs(np.fft.rfft(clip.sound)) ** 2, np.fft.rfftfreq(16000, 1 / 16000)
        outside = (hz < SOUND_BAND_HZ[0] / 1.5) | (hz > SOUND_BAND_HZ[1] * 1.5)
        assert power[outside].sum() < 0.01 * power.sum()


def test_silent_clips_and_doubtful_posts_are_dropped(items):
    keys = {part.key for item in items for part in item.parts.values() if not isinstance(part, tuple)}
    assert "snoring_khan/0_0" in keys and "snoring_khan/0_1" not in keys
    assert "dreaddit/1" in keys and "dreaddit/0" not in keys


def test_a_part_key_names_the_source_and_text_also_the_record(composed):
    records = [record for part in PARTS for record in composed.records(part)]
    content = {}
    for record in records:
        for name in ("ppg", "audio"):
            part = record.parts[name]
            array = part.values if name == "ppg" else part.sound
            assert np.array_equal(content.setdefault((name, part.key), array), array)
    assert len({record.parts["text"].key for record in records}) == len(records)


def test_nothing_is_read_before_it_is_needed_and_a_missing_folder_is_named(tmp_path):
    for absent in (None, tmp_path / "nowhere"):
        unread = ComposedCohort(data_dir=absent, split=0)
        with pytest.raises(ValueError, match=r"set paths\.data_dir"):
            unread.records("train")
    with pytest.raises(ValueError, match="splits 0, 1 and 2, got 3"):
        ComposedCohort(data_dir=tmp_path, split=3)
    with pytest.raises(ValueError, match="split is 'dev'"):
        ComposedCohort(data_dir=tmp_path, split=0).records("dev")


@pytest.mark.skipif("HEALTH_DATA_DIR" not in os.environ, reason="HEALTH_DATA_DIR, the real data, is not set")
def test_real_recordings_fill_every_part():
    real = ComposedCohort(data_dir=Path(os.environ["HEALTH_DATA_DIR"]), split=0)
    counts = {part: len(real.records(part)) for part in PARTS}
    assert counts == {"train": 3000, "val": 750, "test": 1500}
    train, val, test = (sources_of(real.records(part)) for part in PARTS)
    assert not (train & val or train & test or val & test)
    assert [len({r.person_id for r in real.records(part)}) for part in PARTS] == [16, 4, 7]
    states = np.bincount([r.targets["health_state"] for r in real.records("test")])
    assert states.min() > 0.12 * 1500
