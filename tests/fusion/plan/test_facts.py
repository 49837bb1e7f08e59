"""Facts: what is not seen is not said, and what is unknown is an error."""

import pytest
from pydantic import ValidationError

from fusion.plan import Facts, Finding, guideline

SEEN = (
    Finding(group="photo", finding="dessert"),
    Finding(group="signals", finding="raised_arousal", value=92.4, unit="bpm"),
    Finding(group="audio", finding="snoring"),
)


def plan(state="balanced", goal="maintain", constraints=(), findings=()):
    return guideline(Facts(state=state, goal=goal, constraints=constraints, findings=findings))


def test_heart_rate_in_the_evidence_is_rounded_to_5_bpm_and_groups_keep_one_order():
    because = plan(findings=SEEN).because
    assert [e.group for e in because] == ["signals", "photo", "audio"]
    assert (because[0].value, because[0].unit) == (90, "bpm")


def test_what_is_not_seen_is_not_said():
    """Without text nobody knows goal or constraints; without photo nobody saw the dessert."""
    facts = Facts(state="strained", goal="lose_weight", constraints=("insulin",), findings=SEEN)
    made = guideline(facts.seen_by({"signals"}))
    assert made.goal == "maintain" and [e.group for e in made.because] == ["signals"]
    assert not any(alert.signal == "glucose" for alert in made.alerts) and "sweets" not in made.diet.limit


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"state": "happy"}, "state 'happy' is unknown, expected one of balanced, .*guidelines.yaml"),
        ({"goal": "fly"}, "goal 'fly' is unknown, expected one of lose_weight"),
        ({"constraints": ("gout",)}, "constraint 'gout' is unknown, expected one of knee_injury"),
        ({"findings": (Finding(group="photo", finding="snoring"),)}, "photo finding 'snoring' .* dessert, heavy_meal"),
    ],
)
def test_unknown_facts_are_errors_that_list_what_is_known(wrong, expected):
    with pytest.raises(ValueError, match=expected):
        plan(**wrong)


def test_a_heart_rate_that_is_not_a_number_is_refused():
    with pytest.raises(ValidationError, match="value"):
        Finding(group="signals", finding="raised_arousal", value=float("nan"), unit="bpm")
