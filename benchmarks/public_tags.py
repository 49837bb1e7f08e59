"""Humble taggers of a set whose words are tagged: each word's usual tag, and logistic regression on a word's looks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from datamodules.records import HealthRecord, Span
from datamodules.tags import OUTSIDE, spans_of

WORD = re.compile(r"\w+|[^\w\s]")
Tagger = Callable[[list[str]], list[str]]


def tag_scores(records: Mapping[str, list[HealthRecord]], head: str) -> dict[str, dict[str, float]]:
    """Entity F1 (label and both ends right, counted over all texts of test) of no entity, usual tags and regression."""
    train = [words_and_tags(record, head) for record in records["train"]]
    taggers = {
        "majority": lambda words: [OUTSIDE] * len(words),
        "usual tag": usual_tag(train),
        "logistic regression": regression(train),
    }
    return {method: {"f1": entity_f1(records["test"], head, tagger)} for method, tagger in taggers.items()}


def words_and_tags(record: HealthRecord, head: str) -> tuple[list[str], list[str]]:
    """Words and punctuation of the text, and the BIO tag of each."""
    words, tags, begun = [], [], set()
    spans = sorted(record.targets[head])
    for match in WORD.finditer(record.parts["text"].text):
        span = next((s for s in spans if s.start < match.end() and match.start() < s.end), None)
        tags.append(OUTSIDE if span is None else f"{'I' if span in begun else 'B'}-{span.label}")
        words.append(match[0].lower())
        begun.add(span)
    return words, tags


def usual_tag(train: list[tuple[list[str], list[str]]]) -> Tagger:
    """The tag that a word has most often; O where it was never seen."""
    seen: dict[str, Counter] = defaultdict(Counter)
    for words, tags in train:
        for word, tag in zip(words, tags, strict=True):
            seen[word][tag] += 1
    usual = {word: count.most_common(1)[0][0] for word, count in seen.items()}
    return lambda words: [usual.get(word, OUTSIDE) for word in words]


def regression(train: list[tuple[list[str], list[str]]]) -> Tagger:
    """Logistic regression on the word, its ends and shape, and two neighbours on either side; every word on its own."""
    model = make_pipeline(DictVectorizer(), LogisticRegression(C=3.0, max_iter=200))
    model.fit(
        [looks(words, i) for words, _ in train for i in range(len(words))], [t for _, tags in train for t in tags]
    )
    return lambda words: list(model.predict([looks(words, i) for i in range(len(words))])) if words else []


def looks(words: list[str], place: int) -> dict[str, object]:
    """What is seen of one word."""
    word = words[place]
    told: dict[str, object] = {"word": word, "end": word[-3:], "start": word[:3], "is_digit": word[0].isdigit()}
    for step in (-2, -1, 1, 2):
        is_inside = 0 <= place + step < len(words)
        told[f"word{step}"] = words[place + step] if is_inside else "-"
    return told


def entity_f1(records: list[HealthRecord], head: str, tagger: Tagger) -> float:
    """Micro F1 of entities."""
    hits = said = there = 0
    for record in records:
        matches = list(WORD.finditer(record.parts["text"].text))
        tags = tagger([match[0].lower() for match in matches])
        found = set(spans_of(tags, [match.span() for match in matches]))
        true = {Span(*span) for span in record.targets[head]}
        hits, said, there = hits + len(found & true), said + len(found), there + len(true)
    return 2 * hits / max(said + there, 1)
