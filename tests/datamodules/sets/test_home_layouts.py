"""Protects: a set fetched from its home gives the records that the copies of development give."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.inspect.public import build_cohort, read_config, read_table
from datamodules.records import Clip, Note, Signal
from datamodules.sets.pickled import read_pickled_arrays
from datamodules.splits import SPLITS
from tests.datamodules.home_layouts import HOMES, write_wicked_pickle
from tests.datamodules.labelled_sets import WRITERS as LABELLED
from tests.datamodules.public_sets import WRITERS as COMPOSED
from tests.datamodules.tagged_sets import WRITERS as TAGGED

WRITERS = {**LABELLED, **COMPOSED, **TAGGED}
NAMES = {"lifesnaps_daily": "lifesnaps"}  # where data=NAME is not the folder
RENAMED = {"emodb", "esc10", "tasteset"}  # whose published files or rows have other names
SAME_HOME = {"basicmotions", "ucr", "grocery_store", "recipedb_ner"}  # copied as they are published
SMALL = {"stress_predict": ["data.cohort.is_against_rest=false"]}


def seen(root: Path, folder: str) -> list[tuple]:
    """What every record holds, in an order of its own."""
    name = NAMES.get(folder, folder)
    cfg = read_config(name, SMALL.get(name, []))
    records = [r for part in SPLITS for r in build_cohort(cfg, root).records(part)]
    rows = []
    for record in records:
        parts = {source: summary(part) for source, part in sorted(record.parts.items())}
        targets = {head: np.round(np.nan_to_num(t, nan=-1), 3).tolist() if isinstance(t, np.ndarray) else t
                   for head, t in record.targets.items()}  # fmt: skip
        rows.append(("" if folder in RENAMED else record.record_id, str(targets), str(parts)))
    return sorted(rows)


def summary(part: object) -> object:
    """Enough of a recording to tell it from any other."""
    if isinstance(part, Signal):
        values = np.nan_to_num(part.values.astype(float), nan=-1)
        return part.unit, part.rate_hz, part.values.shape, f"{values.sum():.4g}", f"{np.abs(values).max():.4g}"
    if isinstance(part, Note):
        return part.text
    if isinstance(part, Clip):
        samples, rate_hz = soundfile.read(part.sound)
        return rate_hz, len(samples), round(float(np.abs(samples).max()), 2)
    return tuple(photo.image.stat().st_size for photo in part)


@pytest.mark.parametrize("folder", sorted(HOMES))
def test_the_published_layout_gives_the_same_records(folder, tmp_path):
    WRITERS[folder](tmp_path / "ours" / folder, np.random.default_rng(0))
    HOMES[folder](tmp_path / "ours" / folder, tmp_path / "home" / folder)
    ours = seen(tmp_path / "ours", folder)
    assert ours and seen(tmp_path / "home", folder) == ours


def test_every_set_is_read_in_the_layout_of_its_home():
    assert set(HOMES) | SAME_HOME == set(WRITERS)


@pytest.mark.parametrize(("name", "message"), [("07a01Xa.wav", "emotion 'X', expected one of")])
def test_a_published_name_that_says_nothing_known_is_an_error(name, message, tmp_path):
    path = tmp_path / "emodb" / "wav" / name
    path.parent.mkdir(parents=True)
    soundfile.write(path, np.zeros(100), 16000)
    with pytest.raises(ValueError, match=message):
        seen(tmp_path, "emodb")


def test_a_folder_of_no_known_class_is_an_error(tmp_path):
    path = tmp_path / "esc10" / "011 - Whale" / "1-2-A.ogg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="folder '011 - Whale' is none of"):
        seen(tmp_path, "esc10")


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    write_wicked_pickle(tmp_path / "watch_dataset.npy")
    with pytest.raises(ValueError, match=r"a pickle asks for builtins\.eval, expected arrays only"):
        read_pickled_arrays(tmp_path / "watch_dataset.npy")


@pytest.mark.parametrize("published", [False, True])
def test_meal_interactions_are_read_whole(published, tmp_path):
    for density in "HL":
        folder = tmp_path / "mealrec_plus" / f"MealRec+{density}"
        (folder / "healthiness").mkdir(parents=True)
        names = ["user_course", "user_meal_tune", "user_meal_test"] if published else ["user_course_train"]
        for name in (*names, "user_meal_train", "meal_course"):
            (folder / f"{name}.txt").write_text("0\t1\n1\t2\n")
        (folder / "course_category.txt").write_text("0\t0\n2\t2\n")
        for kind in ("fsa", "who"):
            (folder / "healthiness" / f"course_{kind}.txt").write_text("1\n2\n3\n")
    rows = read_table("mealrec_plus", tmp_path)
    assert rows["H user_course"] == 2 and rows["L category"] == 3
    assert rows["H user_meal_tune"] == rows["L user_meal_test"] == (2 if published else 0)
    with pytest.raises(ValueError, match=r"mealrec_plus: no .*course_fsa\.txt; set paths\.data_dir"):
        read_table("mealrec_plus", tmp_path / "elsewhere")
