"""Entity F1 of two humble taggers on the food-entity sets: ``python -m benchmarks.diet_tags_baseline --data-dir DIR``.

lexicon: what foods.yaml finds, as diet tags or, among native labels, as the food label. word: every word
piece gets the tag it had most often in train, O where unseen. Both are scored as the model is: by word piece, with
seqeval's rules, on the same test records (``--split``, seed 0 of the split). Neither has any other randomness.
"""

# Shapes: T word pieces.

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from datamodules.records import HealthRecord, Note, Span
from datamodules.sets.diet_spans import look_up
from datamodules.sets.recipedb_ner import RecipeDBCohort
from datamodules.sets.tagged import FOODS, NATIVE, TaggedCohort
from datamodules.sets.tasteset import TastesetCohort
from datamodules.tags import PieceTags
from datamodules.transforms.text import PrepareText
from fusion.evidence.kinds.spans import SpansMetrics

MAX_TOKENS = 128  # as conf/model/small.yaml
TARGET = "recipe_entities"


def cohorts(data_dir: Path, split: int) -> list[TaggedCohort]:
    """Both sets in both labellings."""
    both = [TastesetCohort(data_dir=data_dir, tags=tags, split=split) for tags in (NATIVE, FOODS)]
    return both + [RecipeDBCohort(data_dir=data_dir, site="ar_gk", tags=tags, split=split) for tags in (NATIVE, FOODS)]


def score(cohort: TaggedCohort, prepare: PrepareText) -> dict[str, dict[str, float]]:
    """{baseline: {precision, recall, f1, f1_<label>...}} on test."""
    tags = cohort.targets[TARGET].names
    truth = PieceTags(classes=tags, prepare=prepare)
    usual = _usual_tags(cohort.records("train"), truth)
    scores = {}
    for name in ("lexicon", "word"):
        metric = SpansMetrics(names=list(tags))
        for record in cohort.records("test"):
            note = record.parts["text"]
            reference = truth(note, record.targets[TARGET])
            if name == "word":
                predicted = np.array([usual.get(piece, 0) for piece in prepare(note).values])
            else:
                spans = _as_labelled(look_up(note.text), cohort)
                predicted = PieceTags(classes=tags, prepare=prepare)(note, spans)
            metric.update(torch.from_numpy(predicted)[None], torch.from_numpy(reference)[None])
        scores[name] = {key: float(value) for key, value in metric.compute().items()}
    return scores


def _usual_tags(records: list[HealthRecord], truth: PieceTags) -> dict[int, int]:
    """Word piece -> the class it had most often."""
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for record in records:
        note: Note = record.parts["text"]
        for piece, tag in zip(truth.prepare(note).values, truth(note, record.targets[TARGET]), strict=True):
            counts[piece][tag] += 1
    return {piece: seen.most_common(1)[0][0] for piece, seen in counts.items()}


def _as_labelled(spans: list[Span], cohort: TaggedCohort) -> list[Span]:
    """Native labels know food as one kind."""
    return spans if cohort.tags == FOODS else [span._replace(label=cohort.food) for span in spans]


def main() -> None:
    """Print the table and write it as json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--split", type=int, default=0, help="0, 1 or 2: their test parts are disjoint")
    parser.add_argument("--to", type=Path, help="json file to write")
    options = parser.parse_args()
    prepare = PrepareText(weights="minilm", max_tokens=MAX_TOKENS)
    table = Table("set", "labels", "test texts", "baseline", "precision", "recall", "entity F1", "F1 of food")
    document = {}
    for cohort in cohorts(options.data_dir, options.split):
        scores = score(cohort, prepare)
        document[f"{cohort.name}/{cohort.tags}"] = scores
        for name, values in scores.items():
            food = f"{values[f'f1_{cohort.food}']:.3f}" if cohort.tags == NATIVE else "-"
            numbers = [f"{values[key]:.3f}" for key in ("precision", "recall", "f1")]
            table.add_row(cohort.name, cohort.tags, str(len(cohort.records("test"))), name, *numbers, food)
    Console().print(table)
    if options.to:
        options.to.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
