"""Planted leaks of every kind are found, and a set without any passes."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageFilter, ImageOps

from datamodules.base import HealthDataModule
from datamodules.inspect.audit import compare_statistics, find_leaks, main, probe
from datamodules.inspect.public import TABLES
from datamodules.modality import Modality
from datamodules.records import Clip, HealthRecord, Note, Photo, Signal
from datamodules.splits import SPLITS
from datamodules.transforms.signal import PrepareSignal
from fusion.targets import Target
from tests.datamodules.public_sets import write_public_sets

WORDS = [f"word{i}" for i in range(400)]
LABELS = {"health_state": ("calm", "stressed")}


class Planted:
    """A cohort of made-up people, three to a split; ``leak`` changes the records before they are audited."""

    name, targets, fingerprint = "planted", {n: Target("classes", c) for n, c in LABELS.items()}, "0"

    def __init__(self, num_people: int = 12, per_person: int = 2):
        self.rng = np.random.default_rng(0)
        people = {"train": range(num_people // 2), "val": range(100, 103), "test": range(200, 200 + num_people // 3)}
        self.by_split = {
            split: [self.record(p, i) for p in people[split] for i in range(per_person)] for split in SPLITS
        }

    def record(self, person: int, number: int) -> HealthRecord:
        name, rng = f"{person}-{number}", self.rng
        blocks = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize(
            (96, 96), Image.Resampling.BICUBIC
        )
        tones = np.sin(2 * np.pi * np.cumsum(np.repeat(rng.uniform(200, 3000, 40), 400)) / 16000) * 0.3
        parts = {
            "eda": Signal(key=f"{name}/eda", values=rng.normal(size=(400, 1)), rate_hz=4.0, unit="uS", start_s=-100.0),
            "photo": (Photo(key=f"{name}/photo", image=png(blocks)),),
            "audio": Clip(key=f"{name}/audio", sound=tones.astype(np.float32), rate_hz=16000, start_s=-1.0),
            "text": Note(key=f"{name}/text", text=" ".join(rng.choice(WORDS, 30))),
        }
        return HealthRecord(
            record_id=name, person_id=f"p{person}", parts=parts, targets={"health_state": int(rng.integers(2))}
        )

    def records(self, split: str) -> list[HealthRecord]:
        return self.by_split[split]

    def ceiling(self) -> dict:
        return {}

    def plant(self, **parts: object) -> None:
        """Give the first test record these parts of its own key."""
        first = self.by_split["test"][0]
        self.by_split["test"][0] = replace(first, parts={**first.parts, **parts})


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def found(cohort) -> dict[str, int]:
    """By check, how much was found; nothing is left out."""
    findings = find_leaks({split: cohort.records(split) for split in SPLITS}, max_items=1000)
    return {finding.check: finding.found for finding in findings if finding.found}


def test_a_clean_set_passes():
    assert found(Planted()) == {}


def test_a_person_in_two_splits_is_found():
    cohort = Planted()
    cohort.by_split["test"][0] = replace(cohort.by_split["test"][0], person_id="p0")
    assert found(cohort) == {"person or source in two splits": 1}


def test_a_source_in_two_splits_is_found():
    cohort = Planted()
    for split in ("train", "test"):
        cohort.by_split[split][0] = replace(cohort.by_split[split][0], sources={"speaker": "anna"})
    assert found(cohort) == {"person or source in two splits": 1}


@pytest.mark.parametrize("source", ["eda", "photo", "audio", "text"])
def test_equal_recordings_under_other_names_are_found(source):
    cohort = Planted()
    part = cohort.by_split["train"][0].parts[source]
    renamed = (replace(part[0], key="new"),) if source == "photo" else replace(part, key="new")
    cohort.plant(**{source: renamed})
    assert found(cohort) == {"byte duplicates across splits": 1}


@pytest.mark.parametrize("change", ["jpg", "smaller", "brighter", "mirrored", "blurred"])
def test_a_photo_saved_again_is_found(change):
    cohort = Planted()
    image = Image.open(io.BytesIO(cohort.by_split["train"][0].parts["photo"][0].image))
    buffer = io.BytesIO()
    changed = {
        "smaller": lambda: image.resize((60, 60)), "brighter": lambda: image.point(lambda v: min(255, v + 20)),
        "mirrored": lambda: ImageOps.mirror(image), "blurred": lambda: image.filter(ImageFilter.GaussianBlur(1)),
        "jpg": lambda: image,
    }[change]()  # fmt: skip
    changed.save(buffer, "JPEG", quality=60)
    cohort.plant(photo=(Photo(key="new", image=buffer.getvalue()),))
    assert found(cohort) == {"photo: near-duplicate photos across splits": 1}


@pytest.mark.parametrize("change", ["ogg", "quieter", "noisy", "cut"])
def test_a_sound_saved_again_or_cut_elsewhere_is_found(change, tmp_path):
    cohort = Planted()
    sound = cohort.by_split["train"][0].parts["audio"].sound
    changed = {
        "quieter": lambda: 0.3 * sound,
        "noisy": lambda: sound + 0.01 * np.random.default_rng(1).normal(size=len(sound)).astype(np.float32),
        "cut": lambda: sound[3000:],
        "ogg": lambda: through_ogg(sound, tmp_path / "new.ogg"),
    }[change]()
    cohort.plant(audio=Clip(key="new", sound=changed, rate_hz=16000, start_s=-1.0))
    assert found(cohort) == {"audio: sounds with the same peaks across splits": 1}


def through_ogg(sound, path):
    soundfile.write(path, sound, 16000, format="OGG", subtype="VORBIS")
    return soundfile.read(path, dtype="float32")[0]


def test_a_text_with_few_words_changed_is_found():
    cohort = Planted()
    words = cohort.by_split["train"][0].parts["text"].text.split()
    cohort.plant(text=Note(key="new", text=" ".join(["Well", *words[:-3]])))
    assert found(cohort) == {"text: texts in the same words across splits": 1}


def test_short_texts_that_coincide_are_shown_and_are_no_leak():
    cohort = Planted()
    for split in ("train", "test"):
        first = cohort.by_split[split][0]
        note = Note(key=f"{split}/short", text="Meals: Breakfast, Lunch, Dinner. Fluids: 7 glasses.")
        cohort.by_split[split][0] = replace(first, parts={**first.parts, "text": note})
    findings = find_leaks({split: cohort.records(split) for split in SPLITS}, max_items=1000)
    (found,) = [finding for finding in findings if finding.found]
    assert found.check == "text: of them under 20 words" and not found.is_leak and found.found == 1


def test_windows_that_overlap_are_found_at_any_shift():
    cohort = Planted()
    one = cohort.by_split["train"][0].parts["eda"]
    shifted = np.concatenate([one.values[137:], np.random.default_rng(1).normal(size=(137, 1))])
    cohort.plant(eda=replace(one, key="new", values=shifted))
    assert found(cohort) == {"eda: windows that share samples across splits": 1}


def test_a_window_scaled_with_a_little_noise_is_found():
    cohort = Planted()
    one = cohort.by_split["train"][0].parts["eda"]
    values = 3 * one.values + 1 + 0.01 * np.random.default_rng(1).normal(size=(400, 1))
    cohort.plant(eda=replace(one, key="new", values=values))
    assert found(cohort) == {"eda: windows of the same shape across splits": 1}


def test_flat_and_mostly_missing_windows_are_like_nothing():
    cohort = Planted()
    one = cohort.by_split["train"][0]
    flat, missing = np.zeros((400, 1)), np.full((400, 1), np.nan)
    for split in ("train", "test"):
        for at, values in ((0, flat + (split == "test")), (1, missing)):
            record = cohort.by_split[split][at]
            part = replace(record.parts["eda"], values=values.copy(), start_s=float(at))
            cohort.by_split[split][at] = replace(record, parts={"eda": part})
    assert set(found(cohort)) == {"byte duplicates across splits"}  # the two that were never measured are equal
    assert one.parts["eda"].values.shape == (400, 1)


def probed(change) -> dict:
    """The probes on 30 people with ``change`` applied to every record."""
    cohort = Planted(num_people=24, per_person=4)
    records = {split: [change(record) for record in cohort.by_split[split]] for split in SPLITS}
    return probe(records, LABELS, max_records=1000)


def only(record, *sources):
    return {source: record.parts[source] for source in sources}


def test_a_label_in_a_name_is_read():
    told = probed(
        lambda r: replace(
            r, record_id=f"{('calm', 'bad')[r.targets['health_state']]}{r.record_id}", parts=only(r, "eda")
        )
    )
    assert told["from_names"] > 0.8 > 0.7 > told["from_metadata"]


@pytest.mark.parametrize("what", ["rate", "length", "missing part"])
def test_a_label_in_metadata_is_read(what):
    def change(record):
        is_ill = record.targets["health_state"] == 1
        eda = record.parts["eda"]
        if what == "rate":
            eda = replace(eda, rate_hz=8.0 if is_ill else 4.0)
        elif what == "length":
            eda = replace(eda, values=eda.values[: 350 + 50 * is_ill])
        parts = {"eda": eda} | ({"text": record.parts["text"]} if what == "missing part" and is_ill else {})
        return replace(record, parts=parts)

    assert probed(change)["from_metadata"] > 0.95


def test_inflation_is_what_knowing_the_person_is_worth():
    """Every person has a level and a label of their own: who knows the person knows the label, who does not guesses."""
    rng = np.random.default_rng(3)
    person_of: dict[str, tuple[float, int]] = {}

    def change(record):
        level, label = person_of.setdefault(record.person_id, (rng.normal(scale=100), int(rng.integers(2))))
        eda = replace(record.parts["eda"], values=record.parts["eda"].values + level)
        return replace(record, parts={"eda": eda}, targets={"health_state": label})

    told = probed(change)
    assert told["random_split"][0] > 0.7 and abs(told["person_split"][0] - 0.5) < 0.2 and told["inflation"] > 0.15


def test_honest_records_are_not_inflated_and_not_readable():
    told = probed(lambda record: replace(record, parts=only(record, "eda", "photo")))
    assert abs(told["inflation"]) < 0.15 and told["from_metadata"] < 0.65 and told["from_names"] < 0.7


def test_a_few_texts_are_too_few_to_tell_anything():
    few = Planted(num_people=6)
    records = {split: [replace(r, parts=only(r, "text")) for r in few.by_split[split]] for split in SPLITS}
    told = probe(records, LABELS, max_records=1000)
    assert told["random_split"][0] == told["chance"] == 0.5


def test_numbers_are_told_above_or_below_their_median_and_no_label_is_said_so():
    numbered = probed(lambda r: replace(r, targets={"kg": np.array([r.parts["eda"].values.mean()], np.float32)}))
    assert numbered["head"] == "kg above its median"
    assert probed(lambda r: replace(r, targets={})) == {}


def test_statistics_fitted_on_more_than_train_are_found(tmp_path):
    prepare = PrepareSignal(
        rate_hz=4.0, channels=["level"], unit="uS", derive="none", baseline="none", is_scaled=True
    )  # fmt: skip
    data = HealthDataModule(
        cohort=Planted(), answered=["health_state"],
        targets={"health_state": {"kind": "classes", "names": list(LABELS["health_state"])}},
        modalities={"eda": Modality(source="eda", group="signals", prepare=prepare, augment=None)}, batch_size=4,
        eval_batch_size=4, num_workers=0, modality_dropout=0.0, is_testing_streams=False, cache_dir=str(tmp_path),
        seed=0,
    )  # fmt: skip
    data.setup()
    assert compare_statistics(data).found == 0
    prepare.fit(data.stores["eda"][key] for key in data.stores["eda"].keys)
    assert compare_statistics(data)[:2] == ("statistics fitted outside train", 1)


def test_the_command_audits_a_set_and_writes_json(tmp_path, capsys):
    root = write_public_sets(tmp_path / "data")
    assert main(["data=emodb", f"paths.data_dir={root}", "--json", str(tmp_path / "audit.json")]) == 0
    told = json.loads((tmp_path / "audit.json").read_text())
    assert told["data"] == "emodb" and not told["is_leaking"] and sum(told["records"].values()) == 56
    assert "inflation" in capsys.readouterr().out
    clips = sorted((root / "emodb" / "wav").iterdir())
    for clip in clips[1:]:
        clip.write_bytes(clips[0].read_bytes())
    assert main(["data=emodb", f"paths.data_dir={root}", "--json", str(tmp_path / "audit.json")]) == 1
    assert json.loads((tmp_path / "audit.json").read_text())["is_leaking"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_splits_is_sent_to_the_check(name, capsys):
    with pytest.raises(SystemExit):
        main([f"data={name}", "paths.data_dir=x"])
    said = " ".join(capsys.readouterr().err.split())
    assert f"data={name} is a table that no training run reads" in said and f"check data={name}" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data=dreadit"], "Could not find 'data/dreadit'"),
        (["data=dreaddit", "data.cohort.sed=1"], "Could not override 'data.cohort.sed'"),
    ],
)
def test_a_wrong_word_is_said_with_the_usage(words, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert said in capsys.readouterr().err
