"""A training step with every saving of fusion_small on a switch of its own: all off is the naive version.

Naive: plans are written in the text encoder's 30,522 word pieces, text is padded (or cut) to 64 tokens, every row runs
through every encoder whether it has the modality or not, AdamW is a loop over the parameters, every recording is
decoded when it is needed, everything is fp32. The modules and the records are the same.
"""

# Shapes: B records, T steps of a stream, N tokens.

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datamodules.base import HealthDataModule, part_key
from datamodules.collate import collate
from datamodules.dataset import RecordDataset
from datamodules.modality import Modality
from datamodules.records import HealthRecord
from datamodules.sampler import Draw
from datamodules.store import PreparedStore
from datamodules.transforms.base import Prepared
from fusion import layers
from fusion.batch import Batch, Stream, TokenSet
from fusion.masks import has_any
from fusion.training.module import FusionModule

TEXT_TOKENS = 64  # of the naive version
TEXT_VOCABULARY = 30_522  # word pieces of BERT, which a naive version would write plans with too


class Savings(NamedTuple):
    """What a step saves. ``is_cached`` needs frozen text and photo encoders."""

    is_half: bool = False  # bf16 autocast
    has_own_vocabulary: bool = False  # of plans
    skips_absent: bool = False
    is_trimmed: bool = False  # text to the longest of the batch, and run in rows of like length
    has_quick_dropout: bool = False  # by random bytes
    is_fused: bool = False  # AdamW
    is_prepared: bool = False  # recordings decoded once
    is_cached: bool = False  # features of frozen encoders computed once


class SwitchedStep:
    """Steps of ``module`` on the training records of ``data``, each with the savings it is told to make.

    ``raw``: the prepared stores before any features were cached.
    """

    def __init__(self, data: HealthDataModule, module: FusionModule, raw: dict[str, PreparedStore]) -> None:
        self.data, self.module, self.model = data, module, module.model.train()
        self.raw, self.rows_at_once = raw, self.model.encoders["text"].rows_at_once
        plan = self.model.heads["plan"]
        wide = nn.Embedding(TEXT_VOCABULARY, plan.embed.embedding_dim)
        nn.init.normal_(wide.weight, std=plan.embed.weight.std().item())
        self.embeds = {True: plan.embed, False: wide}
        self.optimizers: dict[tuple[bool, bool], torch.optim.Optimizer] = {}

    def __call__(self, draws: list[Draw], savings: Savings) -> Tensor:
        """One whole step, from records on."""
        return self.learn(self.batch(draws, savings), savings)

    def learn(self, batch: Batch, savings: Savings) -> Tensor:
        """From a batch to changed weights; gives the loss."""
        self.model.heads["plan"].embed = self.embeds[savings.has_own_vocabulary]
        optimizer = self._optimizer(savings)
        quick = mock.patch.object(layers, "is_quick", lambda x: savings.has_quick_dropout)
        with quick, torch.autocast("cpu", torch.bfloat16, enabled=savings.is_half):
            loss = self.loss(batch, savings)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
        optimizer.step()
        return loss.detach()

    def batch(self, draws: list[Draw], savings: Savings) -> Batch:
        """The records of ``draws``, decoded or read from a store."""
        lookup = (
            self.data.preparation.scaled if savings.is_cached else self._read if savings.is_prepared else self._decode
        )
        dataset = RecordDataset(
            records=self.data.splits["train"], modalities=self.data.modalities, lookup=lookup, tags=self.data.tags,
            targets={name: self.data.targets[name] for name in self.data.answered},
            dropout=self.data.modality_dropout, is_augmented=True,
        )  # fmt: skip
        blank = {name: modality.prepare.absent() for name, modality in self.data.modalities.items()}
        pad: Callable[[list], Batch] = (
            self.data.collate_fn() if savings.is_cached else lambda samples: collate(samples, blank)
        )
        return pad([dataset[draw] for draw in draws])

    def loss(self, batch: Batch, savings: Savings) -> Tensor:
        """The objective of one batch."""
        streams = dict(batch.streams)
        if not (savings.is_trimmed or savings.is_cached):
            streams["text"] = Stream(*(_fit(part, TEXT_TOKENS) for part in streams["text"]))
        self.model.encoders["text"].rows_at_once = self.rows_at_once if savings.is_trimmed else None
        encode = self.model.encode if savings.skips_absent else self._encode_all
        fused = self.model.fuse(encode(streams))
        return self.module.objective(self.model, batch, fused, self.model.answer(fused, batch.targets))["loss"]

    def _encode_all(self, streams: dict[str, Stream]) -> dict[str, TokenSet]:
        """Every row through every encoder; tokens of absent modalities are marked as such afterwards."""
        token_sets = {}
        for name, encoder in self.model.encoders.items():
            present = has_any(streams[name].valid)[:, None]
            stream = streams[name]._replace(valid=streams[name].valid | ~present)
            tokens, valid, time_s = encoder(stream)
            token_sets[name] = TokenSet(tokens * present[..., None], valid & present, time_s)
        return token_sets

    def _optimizer(self, savings: Savings) -> torch.optim.Optimizer:
        key = (savings.is_fused, savings.has_own_vocabulary)
        if key not in self.optimizers:
            built, _ = self.module.optim.build(self.model, 1000)
            if not savings.is_fused:
                groups = [{**group, "fused": False, "foreach": False} for group in built.param_groups]
                built = torch.optim.AdamW(groups)
            self.optimizers[key] = built
        return self.optimizers[key]

    def _read(self, name: str, record: HealthRecord) -> Prepared | None:
        """From the prepared store, never features."""
        modality = self.data.modalities[name]
        part = record.parts.get(modality.source)
        return None if part is None else _measured(modality, self.raw[name][part_key(part)])

    def _decode(self, name: str, record: HealthRecord) -> Prepared | None:
        """From the recording itself."""
        modality = self.data.modalities[name]
        part = record.parts.get(modality.source)
        return None if part is None else _measured(modality, modality.prepare(part))


def _measured(modality: Modality, prepared: Prepared) -> Prepared | None:
    return modality.prepare.scale(prepared) if prepared.valid.any() else None


def _fit(part: Tensor, num: int) -> Tensor:
    """Pad or cut (B, T) to (B, num)."""
    return F.pad(part, (0, num - part.shape[1]))
