"""What code reads in a record: only from what is shown, and in the words and units of plans."""

import numpy as np
import pytest

from datamodules.context import context_of
from datamodules.modality import Modality
from datamodules.records import Clip, HealthRecord, Note, Signal
from datamodules.transforms.base import Prepared
from datamodules.transforms.signal import PrepareSignal
from datamodules.transforms.text import PrepareText
from fusion.plan import Facts
from fusion.plan.findings import UNREMARKABLE
from fusion.plan.knowledge.exercises import MOVES

PULSE = PrepareSignal(
    rate_hz=4.0,
    channels=["log_rmssd", "heart_rate"],
    unit="a.u.",
    derive="heart_rate",
    baseline="none",
    is_scaled=False,
)
MODALITIES = {
    "text": Modality(source="text", group="text", prepare=PrepareText(weights="minilm", max_tokens=32), augment=None),
    "heart_rate": Modality(source="ppg", group="signals", prepare=PULSE, augment=None),
    "hum": Modality(source="hum", group="audio", prepare=PULSE, augment=None),
}
RECORD = HealthRecord(
    record_id="r",
    person_id="p",
    parts={
        "text": Note(key="t", text="I am allergic to nuts. I go to a gym. Coffee."),
        "ppg": Signal(key="s", values=np.zeros((3840, 1)), rate_hz=64.0, unit="a.u.", start_s=-60.0),
        "hum": Clip(key="c", sound=np.zeros(16000), rate_hz=16000.0, start_s=-0.98),
    },
    targets={"plan": Facts(state="balanced", goal="recover", constraints=("nut_allergy",))},
)
BEATS = Prepared(np.array([[3.0, 80.0], [3.0, 90.0], [9.0, 9.0]]), np.array([True, True, False]), np.arange(3.0))


def read(*shown, stream=BEATS):
    return context_of(RECORD, shown, MODALITIES, lambda name: stream)


def test_measurements_have_group_span_and_the_mean_heart_rate_rounded_as_plans_round():
    measured = {m.group: m for m in read("text", "heart_rate", "hum").limits.measured}
    assert set(measured) == {"text", "signals", "audio"}
    signals = measured["signals"]
    assert (signals.span_s, signals.value, signals.unit) == (60, 85.0, "bpm")
    assert (measured["audio"].span_s, measured["audio"].value) == (1, None)
    assert measured["text"].span_s is None


@pytest.mark.parametrize("stream", [None, BEATS._replace(valid=np.zeros(3, bool))])
def test_a_heart_rate_that_was_not_measured_has_no_number(stream):
    (signals,) = read("heart_rate", stream=stream).limits.measured
    assert (signals.span_s, signals.value) == (60, None)


def test_what_is_hidden_is_not_known():
    with_text, without = read("text"), read("heart_rate")
    assert "nuts" in with_text.limits.required_limit and "Leg_Press" in with_text.limits.moves
    assert without.limits.required_limit == () and "Leg_Press" not in without.limits.moves
    assert (with_text.conditions, without.conditions) == (("nut_allergy",), ())


def test_a_finding_that_changes_no_plan_cannot_be_cited():
    may_be_cited = set(read("text", "hum").limits.findings)
    assert "distressed_voice" in may_be_cited and may_be_cited.isdisjoint(UNREMARKABLE)


def test_a_food_stands_in_the_tokens_that_the_text_modality_reads():
    note = RECORD.parts["text"]
    nuts, coffee = read("text").mentioned_foods
    spans = [MODALITIES["text"].prepare.offsets(note)[i] for i in coffee.tokens]
    assert "".join(note.text[start:end] for start, end in spans) == "Coffee"
    assert nuts.groups == ("nuts",) and read("heart_rate").mentioned_foods == ()


def test_who_is_silent_on_means_gets_moves_for_beginners_at_home():
    assert {(MOVES[m].equipment, MOVES[m].level) for m in read("hum").limits.moves} == {("none", "beginner")}
