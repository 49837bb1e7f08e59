"""Plan text in the tokens of any byte-level BPE, each piece encoded on its own, so that an automaton can walk it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from fusion.plan.language.tokenizer import PIECES


class PiecewiseTokenizer:
    """``encode_text`` and ``decode_ids`` of another tokenizer, without special tokens; its ``bos_id`` and ``eos_id``.

    Raises ValueError where a piece does not come back as it was, as with tokenizers that drop spaces.
    """

    def __init__(
        self,
        *,
        name: str,
        encode_text: Callable[[str], Sequence[int]],
        decode_ids: Callable[[Sequence[int]], str],
        bos_id: int,
        eos_id: int,
    ) -> None:
        self.bos_id, self.eos_id = bos_id, eos_id
        self._decode = decode_ids

        @cache
        def encode_piece(piece: str) -> tuple[int, ...]:
            ids = tuple(encode_text(piece))
            if decode_ids(ids) != piece:
                raise ValueError(
                    f"tokenizer of {name!r} gives {decode_ids(ids)!r} back for {piece!r}; name a language model with a "
                    "byte-level BPE, such as GPT-2 or SmolLM2"
                )
            return ids

        self._encode_piece = encode_piece

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` between the first and the last token, as PlanTokenizer.encode."""
        ids = [token for piece in re.findall(PIECES, text) for token in self._encode_piece(piece)]
        return [self.bos_id, *ids, self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """The text up to the first end."""
        ids = list(ids)
        return self._decode(ids[: ids.index(self.eos_id)] if self.eos_id in ids else ids)
