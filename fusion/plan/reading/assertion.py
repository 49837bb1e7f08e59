"""Decide whose a mention is and whether it is so: someone else's, denied, over, unsure, or the writer's own.

The rules of ConText (Harkema et al., J Biomed Inform 2009;42:839): a mention is someone else's where the nearest person
before it is not the writer, denied where only filling words part it from a negation, over where words say so. Each
rule asks for plain evidence: where it fails, the condition stands, for one limit too many harms less than one too few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fusion.plan.reading.dates import PAUSE, LongAgo
from fusion.plan.reading.phrases import Vocabulary, compile_phrases, compile_words
from fusion.plan.reading.plain_text import WORD
from fusion.plan.rules.safety import RULES

LOOK_BACK, LOOK_AHEAD = 200, 80  # characters around a mention that decide whose it is, and whether it is over
JOINING = ("who", "whose", "which", "and", "is", "was", "has", "had")  # a segment that goes on about the one before
OVER_FILLERS = (  # what may stand between a mention and the words that it is over
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


class WholeText(NamedTuple):
    """What the rest of a text says that changes what a mention in it means."""

    is_nursing: bool  # what the writer eats passes into a child's milk
    may_be_so_again: bool  # what is over may have begun again


class Judge:
    """The words of conditions.yaml that say whose, whether and when, as patterns."""

    def __init__(self, words: Vocabulary):
        self.others, self.myself = compile_words(words.others), compile_words(words.myself)
        self.media, self.about = compile_words(words.media), compile_words(words.about)
        self.negations, self.fillers = compile_words(words.negations), compile_words(words.fillers)
        self.unsure, self.over = compile_words(words.unsure), compile_words(OVER_FILLERS)
        self.harms = compile_words(" ".join(words.sets.harm + words.sets.close_harm + words.sets.chest_harm))
        self.foods = compile_phrases(name for food in words.foods.values() for name in food.names)
        self.babies, self.baby_fillers = compile_phrases(words.babies), compile_words(words.baby_fillers)
        self.nursing, self.nursed = compile_phrases(words.nursing), compile_words(words.nursed)
        self.with_me, self.mine_too = compile_phrases(words.with_me), compile_phrases(words.mine_too)
        self.mine_too_next = compile_phrases(f"^ {phrase}" for phrase in words.mine_too)
        self.temporary, self.long_ago = compile_words(words.temporary), LongAgo(words)
        self.again, self.again_anywhere = compile_words(words.again), compile_phrases(words.again_anywhere)
        self.food_names = frozenset(words.foods)
        self.past, self.ended = compile_phrases(words.past + words.ruled_out), compile_phrases(words.ended)
        self.well, self.joints = compile_phrases(words.ended + words.well), frozenset(words.joints)

    def whole_text(self, sentences: Sequence[str]) -> Iterator[WholeText]:
        """For each of the sentences of a text, what all of them say of it."""
        is_nursing = any(self.nursing.search(sentence) for sentence in sentences)
        is_again = any(self.again_anywhere.search(sentence) for sentence in sentences)
        for sentence in sentences:
            yield WholeText(is_nursing, is_again or any(map(self.again.fullmatch, WORD.findall(sentence))))

    def status(self, clause: str, next_clause: str, mention: Mention, whole_text: WholeText) -> str | None:
        """certain, possible or denied; None where it is not the writer's."""
        before, inside = clause[max(0, mention.start - LOOK_BACK) : mention.start], clause[mention.start : mention.end]
        nearby = clause[max(mention.segment, mention.start - LOOK_BACK) : mention.start]
        is_food = mention.what in self.food_names
        passes_into_milk = is_food and whole_text.is_nursing
        after = clause[mention.end : mention.end + LOOK_AHEAD]
        is_of_baby = is_food and not passes_into_milk and self._is_of_baby(clause[: mention.end], mention.start)
        if is_of_baby or self._is_of_others(before, nearby, inside, after, passes_into_milk):
            is_mine_too = self.mine_too.search(after) or self.mine_too_next.match(next_clause)
            if not is_mine_too and not self.with_me.search(before):
                return None
        is_urgent = mention.what in RULES and RULES[mention.what].severity == "urgent"
        if not mention.is_present or (mention.can_be_denied and self._is_negated(mention.what, nearby, inside)):
            return "denied"
        if mention.can_be_denied and self._is_over(mention.what, nearby, inside, after):
            return "possible" if is_urgent else "denied"
        words = WORD.findall(before) + WORD.findall(inside)
        is_unsure = any(self.unsure.fullmatch(word) for word in words)
        ends_by_itself = self.temporary.fullmatch(mention.what) and not is_unsure and not whole_text.may_be_so_again
        if ends_by_itself and self.long_ago.was(clause, mention.start, mention.end):
            return "denied"
        return "possible" if is_unsure or mention.is_unnamed else "certain"

    def _is_of_others(self, before: str, nearby: str, inside: str, after: str, passes_into_milk: bool) -> bool:
        """Someone else is named and the writer is not named after them; or the words are about a film.

        ``passes_into_milk``: a food that a child whom the writer nurses must not have, so neither may the writer.
        """

        def is_other(word: str) -> bool:
            return bool(self.others.fullmatch(word)) and not (passes_into_milk and self.nursed.fullmatch(word))

        words = WORD.findall(nearby)
        if not words or words[0] in JOINING:
            words = WORD.findall(before)
        if any(self.media.fullmatch(word) for word in words[-6:]) and any(self.about.fullmatch(w) for w in words[-2:]):
            return True
        first, *others = WORD.findall(inside)[:-1] or [""]
        words += others
        last_other = max((i for i, word in enumerate(words) if is_other(word)), default=-1)
        if last_other >= 0 and not any(map(self.myself.fullmatch, [*words[last_other + 1 :], first])):
            return True
        follows = WORD.findall(after)[:4]  # "the chest pain of my father", "my 13 yo brother"
        is_theirs = follows[:1] in (["of"], ["in"]) or inside[-2:] in ("yo", "/o") or follows[:1] == ["old"]
        return is_theirs and any(is_other(word) for word in follows)

    def _is_of_baby(self, until_end: str, start: int) -> bool:
        """A baby is who has it: nothing but filling words between "my baby has" and the mention.

        ``until_end``: the clause up to the end of the mention, which begins at character ``start``.
        """
        mention = WORD.findall(until_end[start:])
        if any(map(self.myself.fullmatch, mention)):  # "my baby can't sleep, I can't eat nuts"
            return False
        for match in self.babies.finditer(until_end, max(0, start - LOOK_BACK)):
            between = until_end[match.end() : start].split()  # with its commas: after one, the writer may be who has it
            if match.start() < start and all(map(self._is_baby_filler, between)):
                return True
        return False

    def _is_baby_filler(self, word: str) -> bool:
        is_filler = self.baby_fillers.fullmatch(word) or self._is_filler(word)
        return bool(is_filler) and not self.myself.fullmatch(word)

    def _is_negated(self, what: str, nearby: str, inside: str) -> bool:
        """A negation stands before the mention with nothing but filling words between, or before the harm in it."""
        words = WORD.findall(nearby)
        if words[-1:] in (["or"], ["nor"]):  # "not violent or suicidal"
            words = words[:-2]
        for word in reversed(words):
            if self.negations.fullmatch(word):
                return True
            if not self._is_filler(word) and not (what == "suicidal_language" and word in WISHING):
                break
        words = WORD.findall(inside)
        harmed = [i for i, word in enumerate(words) if self.harms.fullmatch(word)]
        return bool(harmed) and any(
            self.negations.fullmatch(word) for word in words[max(1, harmed[-1] - 2) : harmed[-1]]
        )

    def _is_over(self, what: str, nearby: str, inside: str, after: str) -> bool:
        for match in self.past.finditer(nearby):
            if all(self._is_filler(word) for word in WORD.findall(nearby[match.end() :])):
                return True
        if any(match.start() > 0 for match in self.past.finditer(inside)):
            return True
        match = (self.well if what in self.joints else self.ended).search(after)
        return (
            bool(match)
            and not PAUSE.search(match[0])
            and all(self.over.fullmatch(word) or word.isdigit() for word in WORD.findall(after[: match.start()]))
        )

    def _is_filler(self, word: str) -> bool:
        return bool(self.fillers.fullmatch(word) or self.harms.fullmatch(word) or self.foods.fullmatch(word))
