"""Protects: the test part a home publishes is the test part of every split, and without it the split is what it was."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from datamodules.inspect.public import build_cohort, read_config
from datamodules.sets.dreaddit import read_dreaddit
from datamodules.sets.food101_10 import read_food101_10
from datamodules.splits import SPLITS
from tests.datamodules.labelled_sets import WRITERS as LABELLED
from tests.datamodules.labelled_sets import ts_text
from tests.datamodules.public_sets import WRITERS as COMPOSED
from tests.datamodules.tagged_sets import WRITERS as TAGGED

TWIN = "2 cups of very finely chopped fresh green parsley"


def add_dreaddit(folder: Path) -> None:
    """Ten posts, the first of which says what post 7 of the train part says."""
    train = pd.read_csv(folder / "dreaddit-train.csv.gz")
    texts = [train["text"][14], *(f"quite other words number {i}" for i in range(9))]
    columns = {"id": range(10), "post_id": [f"new{i}" for i in range(10)], "text": texts, "label": 1, "confidence": 1.0}
    pd.DataFrame(columns).to_csv(folder / "dreaddit-test.csv", index=False)


def add_food101_10(folder: Path) -> None:
    """Ten photos, the first of which is a train photo saved again."""
    lines = [f"baklava/{number}" for number in range(10)]
    rng = np.random.default_rng(1)
    for line in lines:
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(folder / "images" / f"{line}.jpg")
    (folder / "images/baklava/0.jpg").write_bytes((folder / "images/beignets/1003.jpg").read_bytes())
    (folder / "meta").mkdir()
    (folder / "meta" / "test.txt").write_text("\n".join(lines))


def add_basicmotions(folder: Path) -> None:
    classes = ("Standing", "Running", "Walking", "Badminton")
    (folder / "BasicMotions_TEST.ts").write_text(ts_text(np.random.default_rng(1), classes, 6, 100))


def add_recipedb_ner(folder: Path) -> None:
    """Ten phrases, the first of which is nearly the last of the train part."""
    with (folder / "ar_gk_train.tsv").open("a") as file:
        file.write("\t\n" + _tagged(TWIN))
    phrases = [_tagged(f"{TWIN} leaves"), *(_tagged(f"{i} spoons of honey") for i in range(9))]
    (folder / "ar_gk_test.tsv").write_text("\t\n".join(phrases))


def _tagged(text: str) -> str:
    return "".join(f"{word}\tNAME\n" for word in text.split())


# by set: what writes its official test part, records in it, records of the train part, and the twins among those
OFFICIAL = {
    "dreaddit": (add_dreaddit, 10, 200, {"dreaddit/14", "dreaddit/15"}),
    "food101_10": (add_food101_10, 10, 120, {"food101_10/beignets/1003"}),
    "basicmotions": (add_basicmotions, 40, 40, set()),
    "recipedb_ner": (add_recipedb_ner, 10, 201, {"recipedb_ner/ar_gk/200"}),
}


def parts(name: str, root: Path, split: int) -> dict[str, list]:
    cohort = build_cohort(read_config(name, [f"data.cohort.split={split}"]), root)
    return {part: cohort.records(part) for part in SPLITS}


def ids(records: dict[str, list]) -> dict[str, set[str]]:
    return {part: {record.record_id for record in own} for part, own in records.items()}


@pytest.mark.parametrize("name", OFFICIAL)
@pytest.mark.parametrize("split", [0, 2])
def test_the_official_test_part_is_the_test_part_of_every_split(name, split, tmp_path):
    {**LABELLED, **COMPOSED, **TAGGED}[name](tmp_path / name, np.random.default_rng(0))
    add, num_test, num_train, twins = OFFICIAL[name]
    before = ids(parts(name, tmp_path, split))
    add(tmp_path / name)
    records = parts(name, tmp_path, split)
    after = ids(records)
    assert len(after["test"]) == num_test and not after["test"] & set().union(*before.values())
    assert len(after["train"]) + len(after["val"]) == num_train - len(twins)
    assert not twins & (after["train"] | after["val"])
    if not twins:
        assert after["val"] == before["val"] and after["train"] == before["train"] | before["test"]
    people = {part: {record.person_id for record in own} for part, own in records.items()}
    assert people["train"] and people["val"] and not people["test"] & (people["train"] | people["val"])
    assert not people["train"] & people["val"]


def test_readers_give_the_train_part_unless_asked_as_composed_records_want_it(tmp_path):
    for name, read, add in (("dreaddit", read_dreaddit, add_dreaddit), ("food101_10", read_food101_10, add_food101_10)):
        COMPOSED[name](tmp_path / name, np.random.default_rng(0))
        before = read(tmp_path)
        add(tmp_path / name)
        assert read(tmp_path) == before


def test_a_test_photo_that_is_listed_but_not_there_is_named(tmp_path):
    COMPOSED["food101_10"](tmp_path / "food101_10", np.random.default_rng(0))
    add_food101_10(tmp_path / "food101_10")
    (tmp_path / "food101_10/images/baklava/3.jpg").unlink()
    with pytest.raises(ValueError, match=r"food101_10: test\.txt names baklava/3 but there is no .*3\.jpg"):
        parts("food101_10", tmp_path, 0)
