"""Plans: token ids (N, P) against token ids (N, P), -100 beyond the reference."""

# Shapes: B and N records, P plan tokens, R replicates.

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torchmetrics import Metric

from fusion.evidence.kinds.base import Kind
from fusion.plan import Plan, PlanScore, load_tokenizer, parse
from fusion.plan.context import PlanContext
from fusion.plan.scoring.audit import Tally, audit
from fusion.plan.scoring.score import SECTIONS, slot_counts
from fusion.plan.scoring.text_scores import text_scores


class PlanKind(Kind):
    """Slot F1, parse rate, safety, evidence and numbers; see fusion.plan's PlanScore, Tally and text_scores."""

    headline = ("slot_f1",)
    shown = ("parse_rate", "exact_match", "violations_per_1000", "evidence_precision", "evidence_recall")

    def metric(self) -> Metric:
        return PlanMetrics()

    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        true, false, missed = (weights @ count.sum(1) for count in np.moveaxis(_counts(predicted, reference), 2, 0))
        return {"slot_f1": 2 * true / np.maximum(2 * true + false + missed, 1)}

    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        true, false, missed = np.moveaxis(_counts(predicted, reference).sum(0), 1, 0)
        figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
        axis.barh(SECTIONS, 2 * true / np.maximum(2 * true + false + missed, 1), color="#5b8fc9")
        axis.set(xlim=(0, 1), xlabel="slot F1")
        axis.invert_yaxis()
        return {"sections": figure}


def read_plans(ids: Tensor | np.ndarray) -> list[Plan | list[str]]:
    """(B, P) token ids, anything negative beyond the end -> what they say, or why they say nothing."""
    return [_parse(text) for text in plan_texts(ids)]


def plan_texts(ids: Tensor | np.ndarray) -> list[str]:
    """(B, P) token ids, anything negative beyond the end -> canonical texts."""
    tokenizer = load_tokenizer()
    rows = np.asarray(ids)
    return [tokenizer.decode(row) for row in np.where(rows < 0, tokenizer.pad_id, rows).tolist()]


@lru_cache(maxsize=16384)  # metrics, intervals and pictures ask for the same plans
def _parse(text: str) -> Plan | list[str]:
    return parse(text)


def _counts(predicted: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(N, sections, 3): slots right, wrong and missed of every plan."""
    pairs = zip(read_plans(predicted), read_plans(reference), strict=True)
    rows = [[slot_counts(said, true)[section] for section in SECTIONS] for said, true in pairs]
    return np.array(rows, float).reshape(-1, len(SECTIONS), 3)


class PlanMetrics(Metric):
    """Parse rate, slots, safety, evidence, numbers and likeness as text of generated plans, over the whole split.

    See fusion.plan's PlanScore, Tally and text_scores for what each is.
    """

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer = load_tokenizer()
        self.add_state("predicted", default=[], dist_reduce_fx=None)
        self.add_state("reference", default=[], dist_reduce_fx=None)
        self.add_state("tally", default=torch.zeros(len(Tally._fields), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, reference: Tensor, contexts: Sequence[PlanContext] = ()) -> None:
        """``predicted``, ``reference``: (B, P) token ids; reference is padded with -100. ``contexts``: of these B."""
        for said, truth, context in zip_longest(read_plans(predicted), read_plans(reference), contexts):
            self.tally += torch.tensor(audit(said, truth, context), dtype=torch.float64, device=self.tally.device)
        size = self.tokenizer.max_length
        for ids, state in ((predicted, self.predicted), (reference, self.reference)):
            padded = ids.new_full((len(ids), size), self.tokenizer.pad_id)
            width = min(size, ids.shape[1])
            padded[:, :width] = ids[:, :width]
            state.append(torch.where(padded < 0, self.tokenizer.pad_id, padded))

    def compute(self) -> dict[str, Tensor]:
        """{parse_rate, exact_match, slot_f1, violations_per_1000, ...}: scalars over every plan seen since reset."""
        score = PlanScore()
        generated, references = (plan_texts(torch.cat(list(x))) for x in (self.predicted, self.reference))
        for said, truth in zip(generated, references, strict=True):
            score.add(_parse(said), _parse(truth))
        rates = Tally(*self.tally.tolist()).rates()
        values = {**score.compute(), **rates, **text_scores(generated, references)}
        return {name: torch.tensor(float(value)) for name, value in values.items()}
