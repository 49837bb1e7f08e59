"""Likeness of texts: the reference libraries' values, and distinct-n by hand."""

import pytest
import sacrebleu

from fusion.plan.scoring.text_scores import distinct, text_scores

REFERENCE = ["goal maintain sleep 8 h wind_down", "goal recover sleep 7 h screens_off"]


def test_equal_texts_score_full_marks_and_others_less():
    same, other = text_scores(REFERENCE, REFERENCE), text_scores(REFERENCE[::-1], REFERENCE)
    assert (same["bleu"], same["chrf"], same["rouge_l"]) == pytest.approx((100, 100, 1))
    assert all(other[name] < same[name] for name in ("bleu", "chrf", "rouge_l"))
    assert other["bleu"] == sacrebleu.corpus_bleu(REFERENCE[::-1], [REFERENCE]).score


@pytest.mark.parametrize(("n", "expected"), [(1, 3 / 6), (2, 3 / 4), (9, 0.0)])
def test_distinct_counts_different_n_grams(n, expected):
    assert distinct(["a b a", "b a c"], n) == pytest.approx(expected)
