"""Protects: every public set has a whole card, and its balance counts what the parts hold."""

import numpy as np
import pytest
from labelled_sets import write_depresjon, write_ucr

from datamodules.fetch.command import HOMES, read_homes
from datamodules.inspect.cards import card, cards, header, main
from datamodules.inspect.public import public_sets, read_config

NAMES = public_sets()


def test_every_set_is_on_the_page_with_the_tables_beside_it():
    page = "\n".join(cards(None))
    assert len(NAMES) >= 17
    for name in [*NAMES, "Tables that no training run reads"]:
        assert f"## {name}\n" in page
    assert "**mealrec_plus.** Read MealRec+" in page


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_licence_split_published_numbers_and_faults(name):
    text = card(name, read_config(name), None)
    for field in ("icence", "plit", "ublished", "ault", "Modalities: `", "Heads: `"):
        assert field in text, field


def test_the_balance_counts_records_sources_and_labels(tmp_path):
    write_depresjon(tmp_path / "depresjon", np.random.default_rng(0))
    text = card("depresjon", read_config("depresjon"), tmp_path)
    assert "| people or sources | 8 | 2 | 2 |" in text and "| records | 16 | 4 | 4 |" in text
    assert "| depression: control | 8 | 2 | 2 |" in text
    assert "| madrs: madrs | 20 ± 0 (n = 8) | 20 ± 0 (n = 2) | 20 ± 0 (n = 2) |" in text


def test_interpolated_settings_are_looked_up(tmp_path):
    write_ucr(tmp_path, np.random.default_rng(0))
    text = card("ucr", read_config("ucr", [f"data.cohort.root={tmp_path}"]), tmp_path)
    assert "* `series_class` (classes): 1, 2" in text and "| series_class: 2 |" in text


def test_a_set_that_is_not_at_hand_has_a_card_without_counts(tmp_path, capsys):
    assert "| records |" not in card("dreaddit", read_config("dreaddit"), tmp_path)
    assert "dreaddit: no balance, dreaddit: no folder" in capsys.readouterr().err


def test_the_page_counts_the_files_whose_content_is_known():
    files = [file for home in read_homes(HOMES).values() for file in home.files]
    counted = f"{sum(file.sha256 is not None for file in files)} of the {len(files)} files"
    assert counted in header() and "every file has one: `free_exercise_db`" in " ".join(header().split())


def test_the_command_prints_the_page(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("# The public sets")
