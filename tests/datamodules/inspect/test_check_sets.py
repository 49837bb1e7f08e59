"""Protects: the check takes every public set by its name, reads it to the last byte and fails on what is wrong."""

import os
import re
from importlib.util import find_spec

import numpy as np
import pytest

from datamodules.inspect.check import main
from datamodules.inspect.public import TABLES, public_sets
from tests.datamodules.labelled_sets import GROCERIES
from tests.datamodules.labelled_sets import WRITERS as LABELLED
from tests.datamodules.public_sets import WRITERS as COMPOSED
from tests.datamodules.tagged_sets import WRITERS as TAGGED

WRITERS = {**LABELLED, **COMPOSED, **TAGGED}
FOLDERS = {"lifesnaps": "lifesnaps_daily"}
FINE = ",".join(fine for fine, _ in GROCERIES)
SMALL = {
    "ucr": ["data.cohort.root={root}/ucr"],
    "grocery_store": [f"data.targets.product.names=[{FINE}]", "data.targets.product_group.names=[Apple,Lemon]"],
    "stress_predict": ["data.cohort.is_against_rest=false"],
}


EVERYTHING = {
    "seglearn_watch": 595, "shanghai_dm": 10686, "pmdata": 1421, "depresjon": 671, "dreaddit": 2838, "emodb": 415,
    "food101_10": 3750, "snoring_khan": 800, "esc10": 400, "esc50_fold4": 208, "annomi": 7647, "ecustfd": 1198,
    "grocery_store": 2936, "basicmotions": 40, "lifesnaps": 2181, "stress_predict": 2600, "tasteset": 560,
    "recipedb_ner": 6612, "ucr": 200,
}  # fmt: skip


def checked(name: str, root, *others: str) -> int:
    return main([f"data={name}", f"paths.data_dir={root}", *(other.format(root=root) for other in others)])


@pytest.mark.parametrize("name", public_sets())
def test_every_set_passes_by_its_name_with_a_report(name, tmp_path, capsys):
    folder = FOLDERS.get(name, name)
    WRITERS[folder](tmp_path / folder, np.random.default_rng(0))
    assert checked(name, tmp_path, *SMALL.get(name, [])) == 0
    shown = capsys.readouterr().out
    assert "what is there" in shown and "splits by person" in shown and " 0 errors" in shown


def test_tagged_labels_are_counted_by_kind(tmp_path, capsys):
    WRITERS["tasteset"](tmp_path / "tasteset", np.random.default_rng(0))
    assert checked("tasteset", tmp_path, "data.cohort.tags=diet") == 0
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in ("DRINK", "FRUIT", "MEAT")) and "gravel" not in shown


def test_a_cut_photo_and_a_cut_sound_are_named_and_silence_is_a_warning(tmp_path, capsys):
    for name in ("food101_10", "snoring_khan"):
        WRITERS[name](tmp_path / name, np.random.default_rng(0))
    photo, sound = tmp_path / "food101_10/images/baklava/1003.jpg", tmp_path / "snoring_khan/snoring/1_20.ogg"
    whole = sound.read_bytes()
    photo.write_bytes(photo.read_bytes()[:200])
    sound.write_bytes(whole[: len(whole) // 3])
    assert checked("food101_10", tmp_path) == 1
    assert "photo 'food101_10/baklava/1003' cannot be read as jpg or png" in capsys.readouterr().out
    assert checked("snoring_khan", tmp_path) == 1
    assert "1_20" in capsys.readouterr().out
    sound.write_bytes(whole)
    assert checked("snoring_khan", tmp_path) == 0
    assert "no_snoring/0_1.ogg: is silent throughout" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("dreaddit", "dreaddit/dreaddit-train.csv.gz", "a file is cut short or not as its home publishes it: EOFError"),
        ("depresjon", "depresjon/control_2.npz", "a file is cut short or not as its home publishes it: BadZipFile"),
        ("free_exercise_db", None, "free_exercise_db: no .*exercises.json; set paths.data_dir"),
        ("esc10", None, "esc10: no folder 'esc10' in"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_no_crash(name, file, message, tmp_path, capsys):
    if file:
        WRITERS[name](tmp_path / name, np.random.default_rng(0))
        path = tmp_path / file
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert checked(name, tmp_path) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert message.partition(".*")[0] in shown and message.rpartition(".*")[2] in shown


@pytest.mark.parametrize("given", [["data=dreaddit"], ["a", "b"], ["paths.data_dir=x"], ["x", "data=dreaddit"]])
def test_half_a_question_is_answered_with_the_usage(given, capsys):
    with pytest.raises(SystemExit):
        main(given)
    assert "expected one directory or index, or data=NAME paths.data_dir=DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data=synthetic"], r"no public set 'synthetic', expected one of .*dreaddit.*mealrec_plus"),
        (["data=dreadit"], r"no public set 'dreadit', expected one of "),
        (["data=dreaddit", "data.cohort.sed=1"], r"Could not override 'data\.cohort\.sed'"),
    ],
)
def test_an_unknown_set_and_an_unknown_setting_are_said_in_a_line(words, said, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([*words, f"paths.data_dir={tmp_path}"])
    assert re.search(f"error: {said}", capsys.readouterr().err)


def test_a_setting_that_is_wrong_is_an_error_of_the_set(tmp_path, capsys):
    WRITERS["dreaddit"](tmp_path / "dreaddit", np.random.default_rng(0))
    assert checked("dreaddit", tmp_path, "data.cohort.split=7") == 1
    assert "split is 7, expected 0, 1 or 2; set data.cohort.split" in capsys.readouterr().out


@pytest.mark.skipif("HEALTH_DATA_DIR" not in os.environ, reason="set HEALTH_DATA_DIR to the public sets")
@pytest.mark.parametrize("name", [*public_sets(), *TABLES])
def test_the_real_files_pass(name, capsys):
    if name == "ucr" and find_spec("aeon") is None:
        pytest.skip("pip install --no-deps aeon")
    assert checked(name, os.environ["HEALTH_DATA_DIR"]) == 0
    usable = f"{EVERYTHING[name]} records usable, " if name in EVERYTHING else ""
    assert f"{usable}0 errors" in capsys.readouterr().out
