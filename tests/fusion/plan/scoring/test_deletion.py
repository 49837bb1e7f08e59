"""The deletion test, on plans whose answer is known by hand."""

from fusion.plan import Facts, Finding, guideline
from fusion.plan.scoring.deletion import deletion_test

SNORING = Finding(group="audio", finding="snoring", last_s=5)
DESSERT = Finding(group="photo", finding="dessert")


def plan(*findings, state="balanced"):
    return guideline(Facts(state=state, goal="maintain", findings=findings))


def test_advice_that_rested_on_what_is_hidden_counts_as_changed():
    full = {"a": plan(SNORING), "b": plan(SNORING), "c": plan(DESSERT)}
    without = {"audio": {"a": plan(), "b": plan(SNORING), "c": plan(DESSERT)}}
    expected = {"changed_without_cited": 0.5, "changed_without_uncited": 0.0, "deletion_faithfulness": 0.5}
    assert deletion_test(full, without) == expected


def test_losing_only_the_citation_is_no_change():
    full = {"a": plan(Finding(group="audio", finding="distressed_voice"))}
    assert deletion_test(full, {"audio": {"a": plan()}}) == {"changed_without_cited": 0.0}


def test_text_is_not_counted_because_every_plan_rests_on_its_goal():
    full = {"a": plan(Finding(group="text", finding="stressed_words"))}
    assert deletion_test(full, {"text": {"a": plan(state="strained")}}) == {}
