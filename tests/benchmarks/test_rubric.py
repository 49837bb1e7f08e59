"""The rubric table: means by hand, every item of ours is one of the published ones."""

import gzip
import json

import pytest

from benchmarks.rubric import COVERED, markdown, ratings, values_of

COLUMNS = "case_study_id\trater\trater_type\ttag\tprinciple\tconversation_source\trating\tanswer_time_min\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "phllm_ratings").mkdir()
    for domain in ("fitness", "sleep"):
        rows = [
            f"c\tr\tprimary\tt\t{item}\t{source}\t{rating}\t1\n"
            for item in ("non_harmful", "readable")
            for source in ("human_expert", "phllm", "gemini_ultra")
            for rating in (5, 2)
        ]
        with gzip.open(tmp_path / "phllm_ratings" / f"{domain}_human_expert_ratings.tsv.gz", "wt") as file:
            file.write(COLUMNS + "".join(rows))
    return tmp_path


def test_an_item_has_its_mean_its_share_and_what_watches_it(folder):
    lines = markdown(ratings(folder), {"violations_per_1000": 0.25}).split("\n")
    row = next(line for line in lines if line.startswith("| non harmful"))
    assert row.count("3.50 (0 50 0 0 50)") == 6 and "violations_per_1000 0.250 | written rules only" in row
    assert next(line for line in lines if line.startswith("| readable")).endswith("| not covered | - |")


def test_values_are_those_of_the_row_with_all_modalities(tmp_path):
    document = {"test": {"all": {"plan/slot_f1": 0.9, "health_state/ece": 0.1}, "text": {"plan/slot_f1": 0.5}}}
    (tmp_path / "metrics.json").write_text(json.dumps(document))
    assert values_of(tmp_path) == {"slot_f1": 0.9}
    with pytest.raises(ValueError, match=r"no .*metrics\.json; expected the directory of a finished"):
        values_of(tmp_path / "nothing")


def test_missing_ratings_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"no ratings at .*phllm_ratings"):
        ratings(tmp_path)


def test_the_metrics_named_are_ones_a_run_reports():
    from fusion.plan.scoring.audit import Tally

    known = set(Tally(*[1.0] * len(Tally._fields)).rates()) | {"parse_rate", "slot_precision", "slot_recall"}
    assert {name for names, _ in COVERED.values() for name in names.split(", ")} <= known
