"""Walk through the plans of one person token by token: at every place, the tokens that may come next.

Every piece of a plan is encoded on its own, so a text has one way to be written in tokens. For the plan tokenizer that
is the very way ``encode`` writes it; any other tokenizer whose pieces join back to the text (all byte-level BPEs) can
be walked with the same languages.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from fusion.plan.language.finite_language import END, Language
from fusion.plan.language.grammar import sections
from fusion.plan.language.tokenizer import EOS, load_tokenizer
from fusion.plan.rules.limits import Limits

Continuations = frozenset[tuple[tuple[int, ...], Language]]  # tokens left of the present piece, and what follows it


class Encoder(Protocol):
    """What is needed of a tokenizer: ``encode`` puts one token before and one behind the text's own."""

    eos_id: int

    def encode(self, text: str) -> list[int]: ...


class State:
    """Where a text stands in its section; one object for all texts that may go on alike."""

    def __init__(self, continuations: Continuations, tokenizer: Encoder) -> None:
        self._continuations, self._tokenizer = continuations, tokenizer
        self.is_end = ((), END) in continuations

    @cached_property
    def next(self) -> dict[int, State]:
        """Token id -> where it leads; worked out once, when first asked for."""
        merged: dict[int, set] = {}
        for tail, language in self._continuations:
            if tail:
                merged.setdefault(tail[0], set()).add((tail[1:], language))
                continue
            for piece, rest in language.edges.items():
                first, *others = _encode(piece, self._tokenizer)
                merged.setdefault(first, set()).add((tuple(others), rest))
        return {token: _state(frozenset(continuations), self._tokenizer) for token, continuations in merged.items()}


class Place(NamedTuple):
    """How far a plan is: a state of the present section, and the starts of the sections to come."""

    state: State
    following: tuple[State, ...]

    @property
    def is_end(self) -> bool:
        """Whether <eos> has been said."""
        return self.state.is_end

    def after(self, token: int) -> Place:
        """The place one token later; KeyError where the limits do not allow it."""
        state = self.state.next[token]
        if state.is_end and self.following:
            return Place(self.following[0], self.following[1:])
        return Place(state, self.following)


@lru_cache(maxsize=4096)
def automaton(limits: Limits, tokenizer: Encoder | None = None) -> Place:
    """The place before the first token of every plan within ``limits``; <eos> is the last token of each.

    Raises ValueError where the limits leave no plan.
    """
    tokenizer = tokenizer or load_tokenizer()
    first, *following = (_state(frozenset([((), section)]), tokenizer) for section in sections(limits))
    return Place(first, tuple(following))


def longest(limits: Limits) -> int:
    """Pieces of the longest plan within ``limits``, <eos> included: tokens of the plan tokenizer after <bos>."""
    return sum(section.longest for section in sections(limits))


@lru_cache(maxsize=2**16)
def _state(continuations: Continuations, tokenizer: Encoder) -> State:
    return State(continuations, tokenizer)


@lru_cache(maxsize=2**14)
def _encode(piece: str, tokenizer: Encoder) -> list[int]:
    return [tokenizer.eos_id] if piece == EOS else tokenizer.encode(piece)[1:-1]
