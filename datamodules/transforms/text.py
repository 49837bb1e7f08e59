"""Notes to token ids."""

# Shapes: T tokens.

from __future__ import annotations

import numpy as np
from transformers import AutoTokenizer

from datamodules.records import Note
from datamodules.transforms.base import Prepare, Prepared
from fusion.weights import find_weights


class PrepareText(Prepare):
    """Tokenise a note with the word pieces of the text encoder's own weights.

    ``weights``: the same name as the encoder's (tied in conf/stream/text.yaml). A longer note keeps its first
    ``max_tokens`` - 1 pieces and the closing one. ``values``: (T,) int64 ids, all valid, at the note's time.
    """

    def __init__(self, *, weights: str, max_tokens: int):
        self.tokenizer = AutoTokenizer.from_pretrained(find_weights(weights))
        self.max_tokens = max_tokens

    def __call__(self, part: Note) -> Prepared:
        if not part.text.strip():
            raise ValueError(f"note {part.key!r} is empty; leave the text out of the record's parts instead")
        ids = self.tokenizer(part.text, truncation=True, max_length=self.max_tokens)["input_ids"]
        values = np.asarray(ids, dtype=np.int64)
        return Prepared(values, np.ones(len(ids), dtype=bool), np.full(len(ids), part.time_s))

    def offsets(self, part: Note) -> list[tuple[int, int] | None]:
        """Characters (start, end) of the note behind every piece of ``self(part)``; None where a piece has none."""
        read = self.tokenizer(
            part.text, truncation=True, max_length=self.max_tokens, return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )  # fmt: skip
        pairs = zip(read["offset_mapping"], read["special_tokens_mask"], strict=True)
        return [None if is_special else (start, end) for (start, end), is_special in pairs]

    def absent(self) -> Prepared:
        return Prepared(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool), np.zeros(1))
