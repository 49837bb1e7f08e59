"""A trained model with everything it needs to read raw recordings: what ``fusion.load`` gives."""

# Shapes: B records, K classes, P plan tokens.

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from datamodules.collate import pad_rows
from datamodules.context import context_of
from datamodules.modality import Modality
from datamodules.records import HealthRecord
from datamodules.tags import spans_of
from datamodules.transforms.base import Prepared
from fusion.batch import Stream
from fusion.beliefs import with_tagged_foods
from fusion.construct import construct
from fusion.model import FusionModel
from fusion.plan import Plan, Source, load_tokenizer, parse, sources
from fusion.plan.context import PlanContext
from fusion.plan.rules.guidelines import STATES

FORMAT = 1  # raise it when the folder's layout changes
WEIGHTS, CONFIG, PREPROCESSING = "model.safetensors", "config.json", "preprocessing.json"


class Prediction(NamedTuple):
    """The answer for one record.

    ``read``: modalities that were there and usable; empty = the answer is the prior.
    ``probabilities``: head -> class -> probability. ``numbers``: head -> target -> value, in the unit of its labels.
    ``plan_text`` is canonical; ``plan`` is what it says, or every reason why it says nothing; both None where the model
    writes no plans. ``tagged``: tagging head -> (words, label) of everything it found in the text, in order.
    ``conditions``: what plain code reads in the text, doubt included; the plan keeps their safety rules.
    """

    record_id: str
    read: tuple[str, ...]
    probabilities: dict[str, dict[str, float]]
    numbers: dict[str, dict[str, float]]
    plan_text: str | None
    plan: Plan | list[str] | None
    tagged: dict[str, list[tuple[str, str]]]
    conditions: tuple[str, ...]

    @property
    def state(self) -> dict[str, float]:
        """Probability of every health state."""
        return self.probabilities["health_state"]

    @property
    def follows(self) -> list[Source]:
        """What the plan follows from, as far as it is what the guidelines say of the likeliest state."""
        if not isinstance(self.plan, Plan):
            return []
        states = self.probabilities.get("health_state", {})
        likeliest = max(states, key=states.get, default=None)
        return sources(self.plan, likeliest if likeliest in STATES else None, self.conditions)


class LoadedModel:
    """Read raw records, answer with probabilities, numbers and plans. ``config`` is the folder's config.json."""

    def __init__(self, *, model: FusionModel, modalities: dict[str, Modality], config: dict):
        self.model = model.eval()
        self.modalities = modalities
        self.config = config

    @classmethod
    def open(cls, folder: Path) -> LoadedModel:
        """Build the model from ``folder`` alone: no pretrained files, no network, no pickles.

        ValueError names a file that is missing or does not fit the others.
        """
        config, statistics = _read_json(folder / CONFIG), _read_json(folder / PREPROCESSING)
        if config.get("format") != FORMAT:
            raise ValueError(f"{folder / CONFIG} has format {config.get('format')!r}, expected {FORMAT}; export again")
        if config["plan_vocabulary"] != plan_vocabulary():
            raise ValueError(f"{folder} was exported with another plan vocabulary; use the code of that time")
        model = construct(config["model"])
        try:
            model.load_state_dict(load_file(folder / WEIGHTS))
        except (SafetensorError, FileNotFoundError, RuntimeError) as error:
            raise ValueError(f"{folder / WEIGHTS} does not hold the weights of {CONFIG}: {error}") from error
        modalities = {name: _modality(folder, node) for name, node in config["modalities"].items()}
        for name, modality in modalities.items():
            if name not in statistics:
                raise ValueError(f"{folder / PREPROCESSING} has no statistics of {name!r}; export again")
            modality.prepare.load_state(statistics[name])
        return cls(model=model, modalities=modalities, config=config)

    @torch.inference_mode()
    def predict(self, records: Sequence[HealthRecord], batch_size: int = 32) -> list[Prediction]:
        """One answer a record, from whatever it has of the model's modalities; targets are not read."""
        answers = []
        for first in range(0, len(records), batch_size):
            answers += self._predict(records[first : first + batch_size])
        return answers

    def _predict(self, records: Sequence[HealthRecord]) -> list[Prediction]:
        rows = {name: [_prepared(modality, r) for r in records] for name, modality in self.modalities.items()}
        device = next(self.model.parameters()).device
        streams = {}
        for name, modality in self.modalities.items():
            stream = pad_rows([modality.prepare.scale(row) if row else modality.prepare.absent() for row in rows[name]])
            streams[name] = Stream(*(part.to(device) for part in stream))
        contexts = [self._context(record, {name: rows[name][i] for name in rows}) for i, record in enumerate(records)]
        fused = self.model.fuse(self.model.encode(streams))
        limits = [context.limits for context in with_tagged_foods(self.model.heads, fused, contexts)]
        answers = {
            name: (head.predict(fused, limits) if head.is_generative else head.predict(fused)).cpu()
            for name, head in self.model.heads.items()
        }
        plans = _plans(answers["plan"]) if "plan" in answers else [(None, None)] * len(records)
        return [
            Prediction(
                record.record_id,
                tuple(name for name in rows if rows[name][i] is not None),
                self._named("classes", answers, i),
                self._named("targets", answers, i),
                *plans[i],
                tagged={
                    name: _found(head.tags, answers[name][i], self.modalities[head.modality], record)
                    for name, head in self.model.heads.items()
                    if hasattr(head, "tags")
                },
                conditions=contexts[i].conditions,
            )
            for i, record in enumerate(records)
        ]

    def _named(self, names: str, answers: dict[str, Tensor], row: int) -> dict[str, dict[str, float]]:
        """One row of every head that has ``names``, its answer by name."""
        return {
            head_name: dict(zip(getattr(head, names), answers[head_name][row].tolist(), strict=True))
            for head_name, head in self.model.heads.items()
            if hasattr(head, names)
        }

    def _context(self, record: HealthRecord, prepared: dict[str, Prepared | None]) -> PlanContext:
        """What plain code reads in the usable modalities of a record."""
        return context_of(record, [name for name in prepared if prepared[name]], self.modalities, prepared.get)


def plan_vocabulary() -> str:
    """A hash of the plan tokenizer, which belongs to the code and is not exported."""
    return hashlib.sha256(files("fusion.plan.language").joinpath("tokenizer.json").read_bytes()).hexdigest()[:16]


def _modality(folder: Path, node: dict) -> Modality:
    prepare = dict(node["prepare"])
    if "weights" in prepare:  # word pieces lie in the folder
        prepare["weights"] = str(folder / prepare["weights"])
    return Modality(source=node["source"], group=node["group"], prepare=construct(prepare), augment=None)


def _prepared(modality: Modality, record: HealthRecord) -> Prepared | None:
    """A modality of ``record``, unscaled; None where it is absent or nothing in it was measured."""
    part = record.parts.get(modality.source)
    if part is None:
        return None
    prepared = modality.prepare(part)
    return prepared if prepared.valid.any() else None


def _found(tags: Sequence[str], ids: Tensor, modality: Modality, record: HealthRecord) -> list[tuple[str, str]]:
    """(T,) classes of the word pieces of a record's text -> the words they tag, with their label."""
    note = record.parts.get(modality.source)
    if note is None:
        return []
    spans = spans_of([tags[i] for i in ids.tolist()], modality.prepare.offsets(note))
    return [(note.text[span.start : span.end], span.label) for span in spans]


def _plans(ids: Tensor) -> list[tuple[str, Plan | list[str]]]:
    """(B, P) ids -> text and what it says."""
    texts = [load_tokenizer().decode(row) for row in ids.tolist()]
    return [(text, parse(text)) for text in texts]


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"no {path.name} in {path.parent}; expected a folder that fusion.apps.export wrote") from error
    except ValueError as error:
        raise ValueError(f"{path} is not json: {error}; export again") from error
