"""Protects: baselines see no test label, the page says what was measured, and one set runs through."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from labelled_sets import write_depresjon

from benchmarks.public_baselines import class_scores, number_scores, so_far
from benchmarks.public_features import Table
from benchmarks.public_sets import main
from benchmarks.public_table import BLOCK, OURS, compact, markdown, replace_block
from benchmarks.public_tags import entity_f1, tag_scores, words_and_tags
from benchmarks.public_words import WORD, said
from datamodules.records import HealthRecord, Note, Signal, Span
from datamodules.sets.tasteset import TastesetCohort
from datamodules.splits import SPLITS
from tests.datamodules.tagged_sets import WRITERS


def records(count: int, offset: int = 0) -> list[HealthRecord]:
    return [
        HealthRecord(
            record_id=f"r{offset + i}", person_id=f"p{(offset + i) % 3}", parts={},
            targets={"state": i % 2, "regression": np.array([float(i % 2), np.nan if i == 1 else 5.0 * (i % 2)])},
        )
        for i in range(count)
    ]  # fmt: skip


@pytest.fixture
def problem():
    own = {"train": records(60), "val": records(20, 60), "test": records(20, 80)}
    x = {part: Table(np.array([[r.targets["state"], 0.0, np.nan] for r in rows]), 2) for part, rows in own.items()}
    texts = {
        part: [("rising" if r.targets["state"] else "falling") + " by 0.3" for r in rows] for part, rows in own.items()
    }
    return SimpleNamespace(is_sequence=True), own, x, texts


def test_a_readable_label_is_found_and_the_trivial_answer_is_chance(problem):
    cohort, own, x, texts = problem
    scores = class_scores(cohort, own, x, texts, "state", seed=0)
    assert scores["majority"]["balanced_accuracy"] == 0.5
    assert all(scores[name]["macro_f1"] == 1.0 for name in ("logistic regression", "boosted trees", "verbalised"))
    numbers = number_scores(cohort, own, x, texts, "regression", 1, seed=0)
    assert numbers["train mean"]["rmse"] > 2 > numbers["ridge"]["rmse"] and "persistence" not in numbers
    assert numbers["verbalised"]["rmse"] < 0.5
    assert "verbalised" not in class_scores(cohort, own, x, {}, "state", seed=0)


def test_signals_are_said_and_a_number_is_one_word():
    signal = Signal(key="s", values=np.full((9, 1), 2.5), rate_hz=1.0, unit="uS", start_s=-9.0)
    record = HealthRecord(
        record_id="r", person_id="p", parts={"eda": signal, "text": Note(key="n", text="x")}, targets={}
    )
    (text,) = said([record])
    assert text.startswith("eda (uS): 9 s at 1 Hz") and re.findall(WORD, "mean 2.5; at 36") == [
        "mean",
        "2.5",
        "at",
        "36",
    ]


def test_a_person_so_far_rests_on_earlier_labels_of_that_person_alone():
    rows = records(7)
    said = so_far(rows, np.array([1.0, 2, 3, 5, 8, 13, 21]), lambda past: np.mean(past) if past else -1)
    assert said.tolist() == [-1, -1, -1, 1, 2, 3, 3]  # p0: 1, 5, 21; p1: 2, 8; p2: 3, 13


def test_taggers_learn_words_from_train_alone(tmp_path):
    WRITERS["tasteset"](tmp_path / "tasteset", np.random.default_rng(0))
    cohort = TastesetCohort(data_dir=tmp_path, tags="native", split=0)
    scores = tag_scores({part: cohort.records(part) for part in SPLITS}, "recipe_entities")
    assert scores["majority"]["f1"] == 0.0
    assert scores["usual tag"]["f1"] > 0.9 and scores["logistic regression"]["f1"] > 0.9
    text = Note(key="n", text="2 red apples, salt")
    record = HealthRecord(
        record_id="r",
        person_id="p",
        parts={"text": text},
        targets={"tags": [Span(2, 12, "FOOD"), Span(14, 18, "FOOD")]},
    )
    words, tags = words_and_tags(record, "tags")
    assert words == ["2", "red", "apples", ",", "salt"] and tags == ["O", "B-FOOD", "I-FOOD", "O", "B-FOOD"]
    assert entity_f1([record], "tags", lambda words: ["O", "B-FOOD", "O", "O", "B-FOOD"]) == 0.5


def test_the_page_has_a_row_a_head_and_names_what_was_not_run():
    heads = {"health_state": {"majority": {"macro_f1": 0.3, "balanced_accuracy": 0.5}, OURS: {"macro_f1": 0.75}}}
    about = {"num_test": 9, "command": ["data=dreaddit"], "epochs": 2, "cpu_s": 3}
    page = markdown({"dreaddit": {"heads": heads, "about": about}})
    assert "| dreaddit, health_state | 9 | 0.3 / 0.5 | - | - | - | - | - | - | 0.75 |" in page
    assert "Not run: shanghai_dm, pmdata" in page and "2 epochs" in page


def test_the_short_table_shows_the_best_humble_answer_and_lies_between_its_marks():
    errors = {"train mean": 18.1, "persistence": 18.0, "ridge": 13.1, "boosted trees": 13.5, OURS: 13.3}
    heads = {
        "regression/change": {method: {"rmse": value} for method, value in errors.items()},
        "state": {
            "majority": {"macro_f1": 0.3},
            "logistic regression": {"macro_f1": 0.7},
            "boosted trees": {"macro_f1": 0.8},
        },
    }
    table = compact({"shanghai_dm": {"heads": heads}})
    assert "| shanghai_dm, regression/change | RMSE | 18.1 | 13.1 (linear) | 13.3 |" in table
    assert "| shanghai_dm, state | macro-F1 | 0.3 | 0.8 (boosted trees) | - |" in table
    assert replace_block(f"a{BLOCK}old{BLOCK}b", "new") == f"a{BLOCK}\n\nnew\n{BLOCK}b"
    with pytest.raises(ValueError, match="add them or leave --readme"):
        replace_block(f"a{BLOCK}b", "new")


def test_one_set_runs_from_files_to_the_page(tmp_path):
    write_depresjon(tmp_path / "data" / "depresjon", np.random.default_rng(0))
    places = [f"--{name}={tmp_path / name}" for name in ("json", "markdown", "cache-dir")]
    settings = ["--sets", "depresjon", "--epochs", "1", "--overrides", "model=tiny"]
    assert main(["--data-dir", str(tmp_path / "data"), *places, *settings]) == 0
    heads = json.loads((tmp_path / "json").read_text())["depresjon"]["heads"]
    assert set(heads) == {"depression", "madrs/madrs"}
    assert {"majority", "logistic regression", "boosted trees", "verbalised", OURS} == set(heads["depression"])
    assert heads["madrs/madrs"][OURS]["rmse"] >= 0
    assert "depresjon, madrs/madrs" in (tmp_path / "markdown").read_text()
