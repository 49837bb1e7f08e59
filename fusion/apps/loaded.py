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

from datamodules.modality import Modality
from datamodules.preparation import Preparation
from datamodules.records import HealthRecord
from datamodules.tags import spans_of
from fusion.batch import Stream
from fusion.construct import construct
from fusion.model import FusionModel
from fusion.pipeline import Answer, Pipeline
from fusion.plan import Plan, Source, sources
from fusion.plan.rules.guidelines import STATES
from fusion.targets import Target

FORMAT = 2  # raise it when the folder's layout changes
WEIGHTS, CONFIG, PREPROCESSING = "model.safetensors", "config.json", "preprocessing.json"


class Prediction(NamedTuple):
    """The answer for one record.

    ``read``: modalities that were there and usable; empty = the answer is the prior. ``answers``: by head.
    ``tagged``: by head that tags, (words, label) of everything it found in the text, in order. ``conditions``: what
    plain code reads in the text, doubt included; the plan keeps their safety rules.
    """

    record_id: str
    read: tuple[str, ...]
    answers: dict[str, Answer]
    tagged: dict[str, list[tuple[str, str]]]
    conditions: tuple[str, ...]

    @property
    def probabilities(self) -> dict[str, dict[str, float]]:
        """By head, the probability of every class, rank or label."""
        return {n: answer.values for n, answer in self.answers.items() if answer.is_probable}

    @property
    def numbers(self) -> dict[str, dict[str, float]]:
        """By head, numbers by name, in the unit of their target."""
        return {name: answer.values for name, answer in self.answers.items() if answer.kind == "numbers"}

    @property
    def plan(self) -> Plan | list[str] | None:
        """The plan, or every reason why the model wrote none that can be read; None where it writes no plans."""
        return next((answer.plan for answer in self.answers.values() if answer.kind == "plan"), None)

    @property
    def follows(self) -> list[Source]:
        """What the plan follows from, as far as it is what the guidelines say of the likeliest state."""
        if not isinstance(self.plan, Plan):
            return []
        states = next((values for values in self.probabilities.values() if set(values) == set(STATES)), {})
        return sources(self.plan, max(states, key=states.get, default=None), self.conditions)


class LoadedModel:
    """Read raw records, answer with probabilities, numbers and plans. ``config`` is the folder's config.json."""

    def __init__(self, *, model: FusionModel, preparation: Preparation, config: dict) -> None:
        self.model, self.preparation, self.config = model.eval(), preparation, config
        self.pipeline = Pipeline(self.model)
        self.targets = {name: Target.declare(name, **declared) for name, declared in config["targets"].items()}

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
        preparation = Preparation({name: _modality(folder, node) for name, node in config["modalities"].items()})
        preparation.load_state(statistics)
        return cls(model=model, preparation=preparation, config=config)

    @torch.inference_mode()
    def predict(self, records: Sequence[HealthRecord], batch_size: int = 32) -> list[Prediction]:
        """One answer a record, from whatever it has of the model's modalities; targets are not read."""
        answers = []
        for first in range(0, len(records), batch_size):
            answers += self._predict(records[first : first + batch_size])
        return answers

    def _predict(self, records: Sequence[HealthRecord]) -> list[Prediction]:
        preparation = self.preparation.once()
        device = next(self.model.parameters()).device
        streams = {
            name: Stream(*(part.to(device) for part in stream)) for name, stream in preparation.streams(records).items()
        }
        read = [preparation.present(record) for record in records]
        contexts = [preparation.context(record, shown) for record, shown in zip(records, read, strict=True)]
        fused = self.pipeline.read(streams)
        answers = self.pipeline.answer(fused, self.pipeline.held_to(fused, contexts))
        predictions = []
        for row, record in enumerate(records):
            typed = self.pipeline.typed(answers, row)
            tagged = {
                name: self._found(name, answer, record) for name, answer in typed.items() if answer.kind == "spans"
            }
            predictions.append(Prediction(record.record_id, tuple(read[row]), typed, tagged, contexts[row].conditions))
        return predictions

    def _found(self, head: str, answer: Answer, record: HealthRecord) -> list[tuple[str, str]]:
        """The words that a tagging head's answer tags, with their label."""
        modality = self.preparation.modalities[self.model.heads[head].modality]
        note = record.parts.get(modality.source)
        if note is None:
            return []
        spans = spans_of(answer.tags, modality.prepare.offsets(note))
        return [(note.text[span.start : span.end], span.label) for span in spans]


def plan_vocabulary() -> str:
    """A hash of the plan tokenizer, which belongs to the code and is not exported."""
    return hashlib.sha256(files("fusion.plan.language").joinpath("tokenizer.json").read_bytes()).hexdigest()[:16]


def _modality(folder: Path, node: dict) -> Modality:
    prepare = dict(node["prepare"])
    if "weights" in prepare:  # word pieces lie in the folder
        prepare["weights"] = str(folder / prepare["weights"])
    return Modality(source=node["source"], group=node["group"], prepare=construct(prepare), augment=None)


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"no {path.name} in {path.parent}; expected a folder that fusion.apps.export wrote") from error
    except ValueError as error:
        raise ValueError(f"{path} is not json: {error}; export again") from error
