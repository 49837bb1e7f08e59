"""What the metrics of one evaluation are fed with: kept by row, gathered from all ranks, measured once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import chain, zip_longest
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric, MetricCollection

MetricFactory = Callable[[], Metric | MetricCollection]


class Answers(NamedTuple):
    """What a head said of the labelled records of one batch. ``extra``: what else its metric is fed with."""

    record_ids: list[str]
    predicted: Tensor
    target: Tensor
    extra: tuple = ()


class Measurements:
    """Losses and answers of an evaluation, on the CPU.

    Metrics are computed from what every rank saw, in batches as they were: several processes say exactly what one says.
    torchmetrics' own synchronisation would wait for ever where one rank saw no record with a label, or fewer batches.
    """

    def __init__(self, rows: list[str]):
        self.losses: dict[str, dict[str, list[tuple[float, float]]]] = {row: defaultdict(list) for row in rows}
        self.answers: dict[str, dict[str, list[Answers]]] = {row: defaultdict(list) for row in rows}

    def add_loss(self, row: str, head: str, loss: Tensor, weight: Tensor) -> None:
        """``loss`` is a mean over ``weight`` (rows, tokens, class weights: Head.weight)."""
        self.losses[row][head].append((float(loss), float(weight)))

    def add(self, row: str, head: str, answers: Answers) -> None:
        self.answers[row][head].append(answers._replace(predicted=answers.predicted.cpu(), target=answers.target.cpu()))

    def gather(self) -> None:
        """Let every rank hold what all ranks saw. Collective; nothing to do in a single process."""
        if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
            return
        ranks: list = [None] * dist.get_world_size()
        dist.all_gather_object(ranks, (self.losses, self.answers))
        for mine, theirs in zip((self.losses, self.answers), zip(*ranks, strict=True), strict=True):
            for row in mine:
                heads = sorted({head for part in theirs for head in part[row]})
                mine[row] = {head: _interleave([part[row].get(head, []) for part in theirs]) for head in heads}

    def compute(self, factories: dict[str, MetricFactory], weights: dict[str, float]) -> dict[str, dict[str, float]]:
        """{row: {"head/metric": value}} with "head/loss", and "total/loss" as ``weights`` sum them."""
        results = {}
        for row in self.losses:
            means = {head: _weighted_mean(parts) for head, parts in self.losses[row].items()}
            values = {"total/loss": sum(weights[head] * mean for head, mean in means.items())}
            values |= {f"{head}/loss": mean for head, mean in means.items()}
            for head, batches in self.answers[row].items():
                values |= {f"{head}/{name}": float(v) for name, v in _measure(factories[head](), batches).items()}
            results[row] = values
        return results


def _measure(metric: Metric | MetricCollection, batches: list[Answers]) -> dict[str, Tensor]:
    for part in metric.modules():
        if isinstance(part, Metric):
            part.distributed_available_fn = lambda: False  # gathered already
    for answers in batches:
        metric.update(answers.predicted, answers.target, *answers.extra)
    return metric.compute()


def _weighted_mean(parts: list[tuple[float, float]]) -> float:
    values, weights = torch.tensor(parts, dtype=torch.float64).unbind(dim=1)
    return float((values * weights).sum() / weights.sum())


def _interleave(ranks: list[list]) -> list:
    """First batch of every rank, second batch of every rank, ...: near the order of a single process."""
    missing = object()
    return [batch for batch in chain(*zip_longest(*ranks, fillvalue=missing)) if batch is not missing]
