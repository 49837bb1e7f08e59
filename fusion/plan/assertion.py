"""Decide whose a mention is and whether it is so: someone else's, denied, over, unsure, or the writer's own.

The rules of ConText (Harkema et al., J Biomed Inform 2009;42:839): a mention is someone else's where the nearest person
before it is not the writer, denied where only filling words part it from a negation, over where words say so. Each
rule asks for plain evidence: where it fails, the condition stands, for one limit too many harms less than one too few.
"""

from __future__ import annotations

from typing import NamedTuple

from fusion.plan.phrases import Vocabulary, compile_phrases, compile_words
from fusion.plan.plain_text import WORD
from fusion.plan.safety import RULES

BEFORE, AFTER = 200, 80  # characters around a mention that decide whose it is, and whether it is over
JOINING = ("who", "whose", "which", "and", "is", "was", "has", "had")  # a segment that goes on about the one before
OVER_WORDS = (  # what may stand between a mention and the words that it is over
    "is has it its it's was completely fully now injury pain allergy all years ago of fracture totally finally long"
    " since and my the test for disease are again already entirely just results came back it surgery operation problem"
    " one two three four five six seven eight nine several many last year month months week weeks sprain perfectly"
)

WISHING = ("want", "wanted", "wanting", "wish", "going", "plan", "planning", "intend")  # "I don't want to kill myself"


class Mention(NamedTuple):
    """``what`` at characters ``start`` to ``end`` of a clause whose segment begins at ``segment``."""

    what: str
    start: int
    end: int
    segment: int
    can_be_denied: bool = True
    is_present: bool = True  # False: the number says that it is not so
    is_unnamed: bool = False


class Judge:
    """The words of conditions.yaml that say whose, whether and when, as patterns."""

    def __init__(self, words: Vocabulary):
        self.others, self.myself = compile_words(words.others), compile_words(words.myself)
        self.topics, self.about = compile_words(words.topics), compile_words(words.about)
        self.negations, self.fillers = compile_words(words.negations), compile_words(words.fillers)
        self.unsure, self.over = compile_words(words.unsure), compile_words(OVER_WORDS)
        self.harms = compile_words(" ".join(words.sets.harm + words.sets.close_harm + words.sets.chest_harm))
        self.foods = compile_phrases(part for named in words.foods.values() for part in named.parts)
        self.past, self.ended = compile_phrases(words.past + words.ruled_out), compile_phrases(words.ended)

    def status(self, clause: str, mention: Mention) -> str | None:
        """present, possible or denied; None where it is not the writer's."""
        before, inside = clause[max(0, mention.start - BEFORE) : mention.start], clause[mention.start : mention.end]
        nearby = clause[max(mention.segment, mention.start - BEFORE) : mention.start]
        if self._is_of_others(before, nearby, inside, clause[mention.end : mention.end + AFTER]):
            return None
        is_urgent = mention.what in RULES and RULES[mention.what].severity == "urgent"
        if not mention.is_present or (mention.can_be_denied and self._is_negated(mention.what, nearby, inside)):
            return "denied"
        if mention.can_be_denied and self._is_over(nearby, inside, clause[mention.end : mention.end + AFTER]):
            return "possible" if is_urgent else "denied"
        words = WORD.findall(before) + WORD.findall(inside)
        is_unsure = any(self.unsure.fullmatch(word) for word in words)
        return "possible" if is_unsure or mention.is_unnamed else "present"

    def _is_of_others(self, before: str, nearby: str, inside: str, after: str) -> bool:
        """Someone else is named and the writer is not named after them; or the words are about a film."""
        words = WORD.findall(nearby)
        if not words or words[0] in JOINING:
            words = WORD.findall(before)
        if any(self.topics.fullmatch(word) for word in words[-6:]) and any(self.about.fullmatch(w) for w in words[-2:]):
            return True
        words += WORD.findall(inside)[1:-1]
        last_other = max((i for i, word in enumerate(words) if self.others.fullmatch(word)), default=-1)
        if last_other >= 0 and not any(self.myself.fullmatch(word) for word in words[last_other + 1 :]):
            return True
        follows = WORD.findall(after)[:4]  # "the chest pain of my father", "my 13 yo brother"
        is_theirs = follows[:1] in (["of"], ["in"]) or inside[-2:] in ("yo", "/o") or follows[:1] == ["old"]
        return is_theirs and any(self.others.fullmatch(word) for word in follows)

    def _is_negated(self, what: str, nearby: str, inside: str) -> bool:
        """A negation stands before the mention with nothing but filling words between, or before the harm in it."""
        words = WORD.findall(nearby)
        if words[-1:] in (["or"], ["nor"]):  # "not violent or suicidal"
            words = words[:-2]
        for word in reversed(words):
            if self.negations.fullmatch(word):
                return True
            if not self._is_filling(word) and not (what == "suicidal_language" and word in WISHING):
                break
        words = WORD.findall(inside)
        harmed = [i for i, word in enumerate(words) if self.harms.fullmatch(word)]
        return bool(harmed) and any(
            self.negations.fullmatch(word) for word in words[max(1, harmed[-1] - 2) : harmed[-1]]
        )

    def _is_over(self, nearby: str, inside: str, after: str) -> bool:
        for match in self.past.finditer(nearby):
            if all(self._is_filling(word) for word in WORD.findall(nearby[match.end() :])):
                return True
        if any(match.start() > 0 for match in self.past.finditer(inside)):
            return True
        match = self.ended.search(after)
        return bool(match) and all(
            self.over.fullmatch(word) or word.isdigit() for word in WORD.findall(after[: match.start()])
        )

    def _is_filling(self, word: str) -> bool:
        return bool(self.fillers.fullmatch(word) or self.harms.fullmatch(word) or self.foods.fullmatch(word))
