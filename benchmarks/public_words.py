"""What a reader of words makes of signals: they are said in words (verbalise.py) and the words are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from datamodules.inspect.verbalise import verbalise
from datamodules.records import HealthRecord, Signal

WORD = r"[a-z]+|\d+(?:\.\d+)?"  # of lower case; a number is one word


def said(records: list[HealthRecord]) -> list[str]:
    """Every record's signals at the level "meaning"; "" where it has none."""
    signals = [{name: p for name, p in r.parts.items() if isinstance(p, Signal)} for r in records]
    return [verbalise(own, level="meaning") for own in signals]


def worded(models: list, texts: Mapping[str, list[str]], y: Mapping[str, np.ndarray], score: Callable) -> np.ndarray:
    """Answers to test of the linear model that validates best on TF-IDF of words and of pairs of words."""
    words = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), min_df=2, max_features=20_000, sublinear_tf=True)
    tried = []
    for model in models:
        piped = make_pipeline(clone(words), clone(model)).fit(texts["train"], y["train"])
        tried.append((score(y["val"], piped.predict(texts["val"])), len(tried), piped))
    return max(tried)[-1].predict(texts["test"])
