"""Plan text as token ids: a small byte-level BPE in which every closed word is one token and every digit its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from importlib.resources import files

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
# What no token crosses: a digit with the space before it, a word with the space or line break before it, or the rest.
PIECES = r"[ \n]?[0-9]|[ \n]?[^ \n0-9]+|[ \n]"


class PlanTokenizer:
    """Reads tokenizer.json, which train_tokenizer.py writes."""

    def __init__(self) -> None:
        from tokenizers import Tokenizer  # here, so that plans alone import quickly

        self._tokenizer = Tokenizer.from_str(files(__package__).joinpath("tokenizer.json").read_text(encoding="utf-8"))
        self.pad_id, self.bos_id, self.eos_id = (self._tokenizer.token_to_id(token) for token in (PAD, BOS, EOS))
        self.vocab_size: int = self._tokenizer.get_vocab_size()

    @cached_property
    def max_length(self) -> int:
        """Ids of the longest plan that a decoder may write, <bos> and <eos> included: who has room leaves none open."""
        from fusion.plan.language.automaton import longest  # here, since the automaton reads this file's tokens
        from fusion.plan.rules.limits import NO_LIMITS

        return 1 + longest(NO_LIMITS)

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` between <bos> and <eos>; ``decode`` gives any text back unchanged."""
        return [self.bos_id, *self._tokenizer.encode(text, add_special_tokens=False).ids, self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """The text up to the first <eos>, special tokens dropped."""
        ids = list(ids)
        end = ids.index(self.eos_id) if self.eos_id in ids else len(ids)
        return self._tokenizer.decode(ids[:end], skip_special_tokens=True)


@cache
def load_tokenizer() -> PlanTokenizer:
    """The committed tokenizer, read once a process."""
    return PlanTokenizer()
