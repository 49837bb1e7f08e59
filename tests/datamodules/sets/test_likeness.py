"""Protects: sources that hold the same recording are one source, whatever the order, and no two others are."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from datamodules.records import Note
from datamodules.sets.dreaddit import DreadditCohort, read_dreaddit
from datamodules.sets.food101_10 import Food101Cohort
from datamodules.sets.likeness import joined
from datamodules.sets.snoring_khan import SnoringCohort
from datamodules.splits import SPLITS
from tests.datamodules.public_sets import WRITERS

WORDS = [f"word{i}" for i in range(300)]


def notes(*texts: str) -> list[Note]:
    return [Note(key=str(i), text=text) for i, text in enumerate(texts)]


def test_chains_are_one_group_and_order_does_not_matter():
    rng = np.random.default_rng(0)
    a, b, other = (" ".join(rng.choice(WORDS, 40)) for _ in range(3))
    texts = notes(a, f"{a} {b[: len(b) // 3]}", other, f"{other} again", b)
    having = list(zip(["p2", "p1", "p3", "p0", "p4"], texts, strict=True))
    expected = {"p1": "p1", "p2": "p1", "p3": "p0", "p0": "p0", "p4": "p4"}
    assert joined(having, "text") == expected
    assert joined(having[::-1], "text") == expected
    assert joined([*having, ("p4", Note(key="x", text=a))], "text")["p4"] == "p1"  # a name may have many


def test_texts_of_few_words_are_alike_where_they_are_equal():
    texts = notes("yes I know", "yes I know", "yes you know", "?", "?")
    assert joined(list(zip("abcde", texts, strict=True)), "text") == {"a": "a", "b": "a", "c": "c", "d": "d", "e": "d"}


def tiny(name: str, root, rng):
    WRITERS[name](root / name, rng)
    return root / name


def copy_photo(folder):
    """One photo again under another name, smaller and compressed."""
    first, other = folder / "images" / "baklava" / "1000.jpg", folder / "images" / "baklava" / "1011.jpg"
    with Image.open(first) as image:
        image.resize((80, 80)).save(other, quality=60)


def copy_sound(folder):
    """A clip of one run again in another run, quieter."""
    samples, rate_hz = soundfile.read(folder / "snoring" / "1_0.ogg")
    soundfile.write(folder / "snoring" / "1_90.ogg", 0.5 * samples, rate_hz, format="OGG", subtype="VORBIS")


def copy_post(folder):
    """The words of one post again under another number, with a greeting before them."""
    path = folder / "dreaddit-train.csv.gz"
    table = pd.read_csv(path)
    rng = np.random.default_rng(1)
    table["text"] = [" ".join(rng.choice(WORDS, 40)) for _ in range(len(table))]
    table.loc[199, "text"] = f"Hello. {table.loc[0, 'text']}"
    table.to_csv(path, index=False)


@pytest.mark.parametrize(
    ("kind", "copy", "one", "other"),
    [
        (Food101Cohort, copy_photo, "food101_10/baklava/1000", "food101_10/baklava/1011"),
        (SnoringCohort, copy_sound, "snoring_khan/1_0", "snoring_khan/1_90"),
        (DreadditCohort, copy_post, "dreaddit/0", "dreaddit/199"),
    ],
)
def test_what_is_there_twice_is_in_one_part(kind, copy, one, other, tmp_path):
    folder = tiny(kind.name, tmp_path, np.random.default_rng(0))
    copy(folder)
    for split in range(3):
        cohort = kind(data_dir=tmp_path, split=split)
        records = {r.record_id: (r.person_id, part) for part in SPLITS for r in cohort.records(part)}
        assert records[one] == records[other]
        assert len({person for person, _ in records.values()}) == NUM[kind.name] - 1


NUM = {"food101_10": 120, "snoring_khan": 20, "dreaddit": 100}  # sources as written


def test_readers_keep_the_names_of_the_set(tmp_path):
    copy_post(tiny("dreaddit", tmp_path, np.random.default_rng(0)))
    assert {post.source for post in read_dreaddit(tmp_path)} == {f"post{i}" for i in range(100)}
