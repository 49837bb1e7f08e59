"""The plan vocabulary: nothing is lost, digits stand alone, the committed file is the one its script writes."""

import random
import re
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.plan import Facts, Finding, guideline, load_tokenizer, parse, to_text
from fusion.plan.findings import FINDINGS, NAMED_FOODS
from fusion.plan.language.train_tokenizer import PATH, PIECES, VOCAB_SIZE, sample_plan, train_tokenizer
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, STATES

TOKENIZER = load_tokenizer()


def test_the_script_reproduces_the_committed_file_byte_for_byte(tmp_path):
    train_tokenizer().save(str(tmp_path / "tokenizer.json"))
    assert (tmp_path / "tokenizer.json").read_bytes() == PATH.read_bytes()


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_sampled_plans_come_back_with_every_word_one_token_and_every_digit_its_own():
    rng = random.Random(1)
    for plan in (sample_plan(rng) for _ in range(300)):
        text = to_text(plan)
        ids = TOKENIZER.encode(text)
        pieces = [TOKENIZER.decode([i]) for i in ids[1:-1]]
        assert parse(TOKENIZER.decode(ids)) == plan
        assert all(sum(c.isdigit() for c in piece) <= (len(piece.strip()) == 1) for piece in pieces)
        words = [p for p in pieces if p.strip().isidentifier()]
        assert [w.strip() for w in words] == [w for w in text.split() if w.isidentifier()]


def test_ids_open_with_bos_close_with_eos_and_decode_stops_there():
    ids = TOKENIZER.encode("referral none")
    assert (ids[0], ids[-1]) == (TOKENIZER.bos_id, TOKENIZER.eos_id)
    assert TOKENIZER.decode([*ids, *ids, TOKENIZER.pad_id]) == "referral none"
    assert TOKENIZER.decode(ids[1:-1]) == "referral none"
    assert TOKENIZER.decode([]) == ""
    assert len({TOKENIZER.pad_id, TOKENIZER.bos_id, TOKENIZER.eos_id}) == 3


def test_the_vocabulary_is_small_and_full():
    """Smaller than its bound: every word of the schema is one token, more merges would find nothing."""
    assert max(TOKENIZER.encode(" ".join(STATES))) < TOKENIZER.vocab_size < VOCAB_SIZE <= 4096


def test_the_longest_plan_of_the_guidelines_fits_with_room():
    """Constraints replace as well as add, so all but one are tried too."""
    most = [subset for k in (0, 1) for subset in combinations(CONSTRAINTS, len(CONSTRAINTS) - k)]
    heart_rate = Finding(group="signals", finding="raised_arousal", value=100, unit="bpm", last_s=180)
    seen = [Finding(group="text", finding="stressed_words"), Finding(group="audio", finding="snoring", last_s=5)]
    longest = 0
    for state, goal, subset, meal in product(STATES, GOALS, most, FINDINGS["photo"]):
        findings = (*seen, heart_rate, Finding(group="photo", finding=meal))
        facts = Facts(
            state=state, goal=goal, constraints=subset, findings=findings, equipment="gym", level="expert",
            named_foods=NAMED_FOODS,
        )  # fmt: skip
        plan = guideline(facts)
        longest = max(longest, len(TOKENIZER.encode(to_text(plan))))
    assert longest == 128
    assert TOKENIZER.max_length >= 1.2 * longest


def test_the_tokenizer_is_read_once():
    assert load_tokenizer() is TOKENIZER


@pytest.mark.parametrize(
    ("text", "pieces"), [("a 30\nb", ["a", " 3", "0", "\nb"]), ("-5.5 x", ["-", "5", ".", "5", " x"])]
)
def test_pieces_never_join_digits_or_lines(text, pieces):
    assert re.findall(PIECES, text) == pieces
