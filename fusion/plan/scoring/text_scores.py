"""How like their references generated texts read, and how varied they are; by the reference libraries of the field."""

from __future__ import annotations

from collections.abc import Sequence


def text_scores(generated: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Corpus BLEU and chrF (sacrebleu, 0..100), mean ROUGE-L F (rouge-score, 0..1) and distinct-n of ``generated``.

    distinct-n (Li et al. 2016, section 5): different n-grams of words over all n-grams of the set.
    """
    from rouge_score.rouge_scorer import RougeScorer  # here, so that plans alone import quickly
    from sacrebleu import corpus_bleu, corpus_chrf

    scorer = RougeScorer(["rougeL"])
    pairs = zip(references, generated, strict=True)
    rouge = [scorer.score(*pair)["rougeL"].fmeasure for pair in pairs]
    return {
        "bleu": corpus_bleu(generated, [references]).score,
        "chrf": corpus_chrf(generated, [references]).score,
        "rouge_l": sum(rouge) / len(rouge),
        "distinct_1": distinct(generated, 1),
        "distinct_2": distinct(generated, 2),
    }


def distinct(texts: Sequence[str], n: int) -> float:
    """Different n-grams over all n-grams; 0 where there is none."""
    grams = [
        gram for text in texts for words in [text.split()] for gram in zip(*(words[i:] for i in range(n)), strict=False)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0
