"""The rubric table: means by hand, every item of ours is one of the published ones."""

import gzip

import pytest

from benchmarks.rubric import COVERED, markdown, ratings

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
    lines = markdown(ratings(folder)).split("\n")
    row = next(line for line in lines if line.startswith("| non harmful"))
    assert row.count("3.50 (50%)") == 6 and "violations_per_1000 | written rules only" in row
    assert next(line for line in lines if line.startswith("| readable")).endswith("| not covered | - |")


def test_missing_ratings_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"no ratings at .*phllm_ratings"):
        ratings(tmp_path)


def test_the_metrics_named_are_ones_a_run_reports():
    from fusion.plan.audit import Tally

    known = set(Tally(*[1.0] * len(Tally._fields)).rates()) | {"parse_rate", "slot_precision", "slot_recall"}
    assert {name for names, _ in COVERED.values() for name in names.split(", ")} <= known
