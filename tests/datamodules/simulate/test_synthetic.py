import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.rule import GROUP_OF, LATENTS, NOISE, STATES, state_of
from datamodules.simulate import synthetic
from datamodules.simulate.diary import FOOD, simulate_diary
from datamodules.simulate.person import _facts
from datamodules.simulate.physiology import simulate_physiology
from datamodules.simulate.plate import SIZE, simulate_plate
from datamodules.simulate.profile import CONSTRAINTS, GOALS, Profile
from datamodules.simulate.sound import CLIP_S, RATE_HZ, simulate_sound
from datamodules.simulate.synthetic import SyntheticCohort

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return SyntheticCohort(root=tmp_path_factory.mktemp("cohort"), num_people=40)


@pytest.fixture(scope="module")
def people(cohort):
    return {split: cohort.records(split) for split in SPLITS}


def test_no_person_is_in_two_splits_and_shares_are_as_published(people):
    ids = {split: {record.person_id for record in people[split]} for split in SPLITS}
    assert [len(ids[split]) for split in SPLITS] == [24, 6, 10]
    assert len(ids["train"] | ids["val"] | ids["test"]) == 40


def test_records_carry_physical_units_rates_and_times(people):
    record = next(r for r in people["train"] if len(r.parts) == 7)
    shapes = {"ppg": (3840, 1), "eda": (240, 1), "acc": (1920, 3), "temperature": (240, 1)}
    for source, shape in shapes.items():
        signal = record.parts[source]
        assert signal.values.shape == shape and signal.values.dtype == np.float32
        assert len(signal.values) / signal.rate_hz == -signal.start_s == 60
        assert np.isfinite(signal.values).mean() > 0.8
    assert 25 < np.nanmean(record.parts["temperature"].values) < 40
    assert np.linalg.norm(np.nanmean(record.parts["acc"].values, axis=0)) == pytest.approx(1, abs=0.1)
    assert Image.open(record.parts["photo"][0].image).size == (SIZE, SIZE)
    sound, rate_hz = soundfile.read(record.parts["audio"].sound)
    assert rate_hz == RATE_HZ and len(sound) == CLIP_S * RATE_HZ
    assert record.parts["text"].time_s < 0 and record.parts["photo"][0].time_s < 0


def test_targets_follow_the_rule_and_findings_are_those_of_present_modalities(people):
    for record in (r for split in SPLITS for r in people[split]):
        cell = {latent: values[record.targets[latent]] for latent, values in LATENTS.items()}
        plan = record.targets["plan"]
        assert STATES[record.targets["health_state"]] == plan.state == state_of(cell)
        assert plan.goal in GOALS and set(plan.constraints) <= set(CONSTRAINTS)
        source_of = {"text": "text", "signals": "ppg", "photo": "photo", "audio": "audio"}
        assert [f.group for f in plan.findings] == [group for group in source_of if source_of[group] in record.parts]


def test_food_spans_are_where_they_say(people):
    spans = 0
    for record in (r for split in SPLITS for r in people[split] if "text" in r.parts):
        for start, end, label in record.targets["diet_tags"]:
            assert record.parts["text"].text[start:end] in FOOD[label]
            spans += 1
    assert spans > 10


def test_two_processes_give_people_in_the_same_order_as_one(monkeypatch):
    cases, one = list(range(60)), list(map(str, range(60)))
    assert list(synthetic._map(str, cases)) == one
    monkeypatch.setattr(synthetic, "PEOPLE_PER_PROCESS", 30)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert list(synthetic._map(str, cases)) == one


def test_the_seed_decides_everything(cohort, people, tmp_path):
    twin = SyntheticCohort(root=tmp_path, num_people=40)
    assert twin.fingerprint == cohort.fingerprint
    twin.records("val")
    files = sorted(p.name for p in cohort.folder.iterdir())
    assert files == sorted(p.name for p in twin.folder.iterdir()) and len(files) > 60
    assert all((cohort.folder / name).read_bytes() == (twin.folder / name).read_bytes() for name in files)


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"missing_rate": 0.2}, {"window_s": 30.0}, {"num_people": 41}, {"noise": NOISE["composed"]}]
)
def test_every_setting_that_changes_content_changes_the_fingerprint(change, cohort, tmp_path):
    assert SyntheticCohort(root=tmp_path, **{"num_people": 40, **change}).fingerprint != cohort.fingerprint


def test_a_kill_while_generating_leaves_no_half_cohort(tmp_path, monkeypatch):
    cohort = SyntheticCohort(root=tmp_path, num_people=10)
    simulate, calls = synthetic.simulate_person, []

    def killed_at_the_fifth(*args, **kwargs):
        calls.append(args)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return simulate(*args, **kwargs)

    monkeypatch.setattr(synthetic, "simulate_person", killed_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        cohort.records("train")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / f"{cohort.fingerprint}.building-killed").mkdir()  # a hard kill leaves this: it must not be read
    monkeypatch.setattr(synthetic, "simulate_person", simulate)
    assert sum(len(cohort.records(split)) for split in SPLITS) == 10


def test_a_second_builder_may_win_the_race(tmp_path, monkeypatch):
    cohort, rename = SyntheticCohort(root=tmp_path, num_people=10), os.rename

    def lose(building, folder):
        if not Path(folder).exists():
            rename(building, folder)
            Path(building).mkdir()
        raise OSError("Directory not empty")

    monkeypatch.setattr(os, "rename", lose)
    assert len(cohort.records("train")) == 6
    assert [p.name for p in tmp_path.iterdir()] == [cohort.fingerprint]


def test_noise_and_missing_modalities_are_as_configured():
    rng, noise, num = np.random.default_rng(0), {**NOISE["composed"], "sound": 0.3, "words": 0.1}, 1500
    cell = {"words": "calm", "body": "rested", "meal": "lean", "sound": "snoring"}
    drawn = [_facts(cell, rng, 0.2, noise) for _ in range(num)]
    flipped = {latent: np.mean([shown[latent] != cell[latent] for shown, *_ in drawn]) for latent in LATENTS}
    assert flipped == {
        "words": pytest.approx(0.1, abs=0.03),
        "sound": pytest.approx(0.3, abs=0.03),
        "body": 0,
        "meal": 0,
    }
    for group in GROUP_OF.values():
        assert np.mean([group not in present for _, present, *_ in drawn]) == pytest.approx(0.2, abs=0.03)
    assert all(present for _, present, *_ in drawn)


def test_the_records_of_a_cohort_miss_modalities(people):
    missing = np.mean(["photo" not in r.parts for split in SPLITS for r in people[split]])
    assert 0 < missing < 0.3


def _probe(features, labels):
    """Cross-validated accuracy of a linear probe."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return cross_val_score(probe, np.array(features), labels, cv=4).mean()


def _physiology(value, rng):
    signals = simulate_physiology(value, rng, window_s=30.0).signals
    spectrum = np.abs(np.fft.rfft(np.nan_to_num(signals["ppg"][:, 0] - np.nanmean(signals["ppg"]))))[15:80]
    moves = [np.log(np.nanstd(np.diff(signals[s], axis=0))) for s in ("eda", "acc")]
    return [*np.log(spectrum.reshape(13, 5).mean(1)), *moves, np.nanmean(signals["temperature"])]


def _plate(value, rng):
    image = Image.open(io.BytesIO(simulate_plate(value, rng))).convert("HSV").crop((40, 40, 120, 120))
    pixels = np.asarray(image).reshape(-1, 3)
    return np.histogramdd(pixels, bins=(8, 3, 3), range=[(0, 256)] * 3)[0].ravel() ** 0.5


def _sound(value, rng):
    frames = simulate_sound(value, rng).reshape(-1, 400)
    bands = np.log(np.abs(np.fft.rfft(frames))[:, 1:].reshape(len(frames), 20, 10).mean(2) + 1e-4)
    bands -= bands.mean()
    return [*bands.mean(0), *bands.std(0)]


def _diary(value, rng):
    text, _ = simulate_diary(value, Profile("maintain"), rng, split="train")
    low = text.lower()
    bad = "stress awful overwhelm crush tense anxious worr cr fight panick terrible hectic control pressure fail scream"
    good = "calm relax peace happy good enjoy lovely easy pleasant content grateful chill nothing time smooth laugh"
    return [sum(low.count(word) for word in bad.split()), sum(low.count(word) for word in good.split())]


@pytest.mark.parametrize(
    ("latent", "features", "at_least"),
    [("body", _physiology, 0.85), ("meal", _plate, 0.6), ("sound", _sound, 0.8), ("words", _diary, 0.8)],
)
def test_each_modality_shows_its_latent_to_a_simple_probe(latent, features, at_least):
    values = [LATENTS[latent][i % len(LATENTS[latent])] for i in range(120)]
    shown = [features(value, np.random.default_rng([7, i])) for i, value in enumerate(values)]
    assert _probe(shown, values) > at_least


def test_a_modality_depends_on_nothing_but_its_own_latent(tmp_path):
    """Bit for bit: change the other latents of a person, and what this modality gives stays the same."""
    case = synthetic.Case(3, dict.fromkeys(LATENTS), "train")
    settings = {"seed": 0, "missing_rate": 0.0, "window_s": 30.0, "noise": NOISE["composed"]}
    given = {}
    for name, pick in (("first", 0), ("last", -1)):
        for own in LATENTS:
            cell = {latent: values[0 if latent == own else pick] for latent, values in LATENTS.items()}
            folder = tmp_path / name / own
            folder.mkdir(parents=True)
            person, signals = synthetic.simulate_person(case._replace(cell=cell), folder=folder, **settings)
            recordings = {
                "words": person["text"],
                "body": b"".join(signal.tobytes() for signal in signals.values()),
                "meal": (folder / "person00003.jpg").read_bytes(),
                "sound": (folder / "person00003.flac").read_bytes(),
            }
            given[name, own] = recordings
    for own in LATENTS:
        assert given["first", own][own] == given["last", own][own]
        others = set(LATENTS) - {own}
        assert all(given["first", own][latent] != given["last", own][latent] for latent in others)


def test_ceiling_counts_the_missing_modalities(cohort):
    ceiling = cohort.ceiling()["health_state"]
    complete = ceiling["text+signals+photo+audio"]
    assert len(ceiling) == 15 + 1
    assert ceiling["as_recorded"]["accuracy"] < complete["accuracy"]
    nobody_lacks = SyntheticCohort(root=cohort.folder.parent, num_people=40, missing_rate=0.0).ceiling()["health_state"]
    assert nobody_lacks["as_recorded"] == pytest.approx(complete)


def test_labels_are_the_classes_of_the_targets(cohort, people):
    classes = {name: target.names for name, target in cohort.targets.items() if target.kind == "classes"}
    assert classes == {"health_state": STATES, **LATENTS, "goal": tuple(GOALS)}
    assert set(people["val"][0].targets) == set(cohort.targets)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"num_people": 3}, "num_people is 3, expected at least 10"),
        ({"missing_rate": 1.0}, "missing_rate is 1.0, expected 0 <= rate < 1"),
        ({"window_s": 5.0}, "window_s is 5.0, expected 20 to 600"),
        ({"noise": {**NOISE["composed"], "body": 2}}, "noise of 'body' is 2, expected a flip probability"),
    ],
)
def test_bad_arguments_are_named(argument, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        SyntheticCohort(root=tmp_path, **argument)
    cohort = SyntheticCohort(root=tmp_path, num_people=10)
    with pytest.raises(ValueError, match="split is 'dev', expected one of train, val, test"):
        cohort.records("dev")
