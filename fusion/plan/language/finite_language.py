"""Say a finite set of texts as a language, and walk through it piece by piece.

A piece is what no token of the plan tokenizer crosses: a word or a digit with the space or line break before it.
Languages are the states of a deterministic automaton over pieces: ``edges`` tells which pieces may come next and what
may follow each (the derivatives of Brzozowski, J ACM 1964;11:481). Equal languages are one object and edges are worked
out when first asked for, so what two people's plans have in common is worked out once, and what no plan reaches never.
A regular expression cannot say "at most four of twenty words in order, two of them needed" without writing them all
out; here that is one ``some``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache

from fusion.plan.language.tokenizer import PIECES

_remembered = lru_cache(maxsize=2**16)  # forgetting costs time only: equal languages are then two objects


class Language:
    """A set of texts: ``may_end`` = the empty text is one; ``longest``: pieces of the longest, or a bound above it."""

    def __init__(self, follow: Callable[[], Iterable[tuple[str, Language]]], *, may_end: bool, longest: int) -> None:
        self._follow = follow
        self.may_end = may_end
        self.longest = longest

    @cached_property
    def edges(self) -> dict[str, Language]:
        """Next piece -> what may follow it. Every edge leads to an end."""
        merged: dict[str, list[Language]] = {}
        for piece, rest in self._follow():
            merged.setdefault(piece, []).append(rest)
        return {piece: either(*rests) for piece, rests in merged.items()}


END = Language(tuple, may_end=True, longest=0)
NOTHING = Language(tuple, may_end=False, longest=0)  # no text at all; every other language has one


@_remembered
def word(text: str) -> Language:
    """Exactly ``text``."""
    return piece(*re.findall(PIECES, text))


@_remembered
def piece(first: str, *others: str) -> Language:
    """Exactly these pieces."""
    rest = piece(*others) if others else END
    return Language(lambda: [(first, rest)], may_end=False, longest=1 + rest.longest)


def one_of(texts: Iterable[str]) -> Language:
    """Any one of ``texts``."""
    return either(*(word(text) for text in texts))


def either(*options: Language) -> Language:
    """Any text of any option."""
    return _either(tuple(dict.fromkeys(option for option in options if option is not NOTHING)))


def maybe(language: Language) -> Language:
    """A text of ``language``, or none."""
    return either(language, END)


def then(*languages: Language) -> Language:
    """A text of each language, one after the other."""
    joined = END
    for language in reversed(languages):
        joined = _then(language, joined)
    return joined


@_remembered
def some(
    options: tuple[Language, ...],
    *,
    most: int,
    needed: frozenset[Language] = frozenset(),
    separator: Language = END,
    is_ordered: bool = True,
) -> Language:
    """One to ``most`` of ``options``, each at most once, all ``needed`` among them, in the order given or in any."""
    options = tuple(option for option in options if option is not NOTHING)
    if not options or not most or len(needed) > most or not needed.issubset(options):
        return NOTHING

    def follow() -> Iterable[tuple[str, Language]]:
        for index, option in enumerate(options):
            left = options[index + 1 :] if is_ordered else options[:index] + options[index + 1 :]
            rest = some(left, most=most - 1, needed=needed - {option}, separator=separator, is_ordered=is_ordered)
            more = then(separator, rest)
            if needed <= {option}:
                more = maybe(more)
            for first, tail in option.edges.items():
                yield from [(first, joined)] if (joined := then(tail, more)) is not NOTHING else ()

    lengths = sorted((option.longest for option in options), reverse=True)[:most]
    return Language(follow, may_end=False, longest=sum(lengths) + (len(lengths) - 1) * separator.longest)


@_remembered
def _either(options: tuple[Language, ...]) -> Language:
    if len(options) < 2:
        return options[0] if options else NOTHING
    return Language(
        lambda: (edge for option in options for edge in option.edges.items()),
        may_end=any(option.may_end for option in options),
        longest=max(option.longest for option in options),
    )


@_remembered
def _then(first: Language, rest: Language) -> Language:
    if NOTHING in (first, rest):
        return NOTHING
    if END in (first, rest):
        return first if rest is END else rest

    def follow() -> Iterable[tuple[str, Language]]:
        yield from ((piece, _then(tail, rest)) for piece, tail in first.edges.items())
        yield from rest.edges.items() if first.may_end else ()

    return Language(follow, may_end=first.may_end and rest.may_end, longest=first.longest + rest.longest)
