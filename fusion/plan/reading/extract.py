"""Read hard facts from what a person wrote, conservatively: whose condition, denied or not, over or not, sure or not.

Rules of ConText (Harkema et al., J Biomed Inform 2009;42:839) over the phrases of conditions.yaml. What is said of
others is left out, what is unclear is ``possible``, and one plain "I have" outweighs any number of denials. The text is
only ever searched for phrases: nothing in it can tell this code what to do.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple, get_args

from fusion.plan.knowledge.exercises import NO_EQUIPMENT, Equipment, Level
from fusion.plan.reading.assertion import Judge, Mention
from fusion.plan.reading.dates import PAUSE
from fusion.plan.reading.phrases import (
    BETWEEN,
    Vocabulary,
    compile_phrases,
    compile_words,
    phrase_pattern,
    read_vocabulary,
    stems,
)
from fusion.plan.reading.plain_text import WORD, plain, spellings
from fusion.plan.reading.vitals import readings
from fusion.plan.rules.safety import RULES

CLAUSE_END = re.compile(
    r"(?<!nothing),? (?:but|however|although|though|while|whereas|aber|pero|mais)\b"
    r"|(?<!\bme)(?<!\bi),? and (?=(?:i|i'm|im|i've|we|my|he|she|love|loved|ate) )(?!i(?:'m| am) \d)"
)
DIRECTED = re.compile(r"(?:\s\w+)?\s(?:to|against|gegen|auf|al?|aux?|à)\b")
OBJECT = re.compile(r"(?:\s\w+)?\s(?:to|against|gegen)\s(?:the |a |an |all |any |my )?([\w']+)")
PRONOUNS = ("it", "them", "that", "this", "these", "those", "both")
SEVERE = ("anaphyla", "epipen")
REACH = 120  # characters around a reaction in which its food is looked for
OWNED = set(get_args(Equipment)) - {NO_EQUIPMENT}
CHEST = ("chest", "brust", "pecho", "poitrine", "petto", "peito", "borst", "breastbone", "sternum")


class WriterFacts(NamedTuple):
    """What a text says of its writer; no condition is in two of the sets.

    ``possible``: may be so, and counts as present for safety. ``denied``: said not to be so, or no longer.
    """

    certain: frozenset[str]
    possible: frozenset[str]
    denied: frozenset[str]
    equipment: Equipment | None
    level: Level | None

    @property
    def present(self) -> frozenset[str]:
        """The conditions that safety must reckon with."""
        return self.certain | self.possible


def read_text(text: str) -> WriterFacts:
    """Everything ``text`` says of the writer's conditions, equipment and level; in time linear in its length."""
    reader = _reader()
    found: dict[str, set[str]] = {"certain": set(), "possible": set(), "denied": set()}
    before = ""
    sentences = [reader.erased.sub(" - ", sentence) for sentence in plain(text, reader.spelling)]
    next_sentences, whole_text = [*sentences, ""][1:], reader.judge.whole_text(sentences)
    for sentence, next_sentence, whole in zip(sentences, next_sentences, whole_text, strict=True):
        topics = reader.topics_of(sentence)
        clauses = CLAUSE_END.split(sentence) if topics else [sentence]
        for clause, next_clause in zip(clauses, [*clauses[1:], next_sentence], strict=True):
            for mention in reader.mentions(clause, before, topics) if topics else ():
                if status := reader.judge.status(clause, next_clause, mention, whole):
                    found[status].add(mention.what)
            before = clause[-REACH:]
    present = found["certain"] | found["possible"]
    return WriterFacts(
        certain=frozenset(found["certain"] & set(RULES)),
        possible=frozenset((found["possible"] - found["certain"]) & set(RULES)),
        denied=frozenset((found["denied"] - present) & set(RULES)),
        equipment=next((name for name in get_args(Equipment) if name in present), None),
        level=next((name for name in get_args(Level) if name in present), None),
    )


@cache
def _reader() -> _Reader:
    return _Reader(read_vocabulary())


class _Reader:
    """conditions.yaml as compiled patterns."""

    def __init__(self, words: Vocabulary):
        self.spelling = spellings(words.spelling, words.misspelt, words.not_misspelt)
        self.erased = compile_phrases(words.erased)
        harm, close_harm, chest_harm = (
            _any_of(" ".join(s).split()) for s in (words.sets.harm, words.sets.close_harm, words.sets.chest_harm)
        )
        self.phrases = {
            **{name: _near(joint.names, harm, joint.phrases, close_harm) for name, joint in words.joints.items()},
            **{name: compile_phrases(phrases) for name, phrases in words.conditions.items()},
            **{name: compile_phrases(food.phrases) for name, food in words.foods.items() if food.phrases},
        }
        self.phrases["chest_pain"] = _near(CHEST, chest_harm, words.conditions["chest_pain"])
        self.abilities = {
            name: compile_phrases(phrases)
            for table in (words.equipment, words.level)
            for name, phrases in table.items()
        }
        self.foods = {name: compile_phrases(food.names) for name, food in words.foods.items()}
        self.reaction = re.compile(
            rf"(?<!\w)(\w{{0,15}}allerg\w*|{_any_of(' '.join(words.sets.reaction).split())})(?!\w)"
        )
        self.refused, self.reacted = compile_phrases(words.refused), compile_phrases(words.reacted)
        self.not_food = compile_words(words.other_allergens)
        self.judge = Judge(words)
        self.stems = _stems(words)

    def topics_of(self, sentence: str) -> set[str]:
        """What a sentence can be about, by how its words begin: most can be about nothing, and cost little."""
        found: set[str] = {"number"} if any(c.isdigit() for c in sentence) else set()
        for word in set(WORD.findall(sentence)):
            for length in (1, 2, 3, 4):
                found |= self.stems.get(word[:length], _NOTHING)
        return found | ({"allergy"} if "allerg" in sentence else _NOTHING)

    # ---- what is mentioned ----

    def mentions(self, clause: str, before: str, topics: set[str]) -> Iterator[Mention]:
        """Every mention of ``topics`` in ``clause``; ``before`` is the clause before it, for what "it" may mean."""
        ends = [0, *(m.end() for m in PAUSE.finditer(clause)), len(clause)]
        patterns = [(what, pattern) for what, pattern in self.phrases.items() if what in topics]
        for first, last in pairwise(ends) if patterns else ():
            segment = clause[first:last]
            for what, pattern in patterns:
                for match in pattern.finditer(segment):
                    yield Mention(what, first + match.start(), first + match.end(), first)
        plain_clause = PAUSE.sub(" ", clause)
        for what, pattern in self.abilities.items() if topics & self.abilities.keys() else ():
            for match in pattern.finditer(plain_clause):
                yield Mention(what, match.start(), match.end(), 0, can_be_denied=what in OWNED)
        for reading in readings(clause) if "number" in topics else ():
            first = ends[bisect(ends, reading.start) - 1]
            yield Mention(reading.condition, reading.start, reading.end, first, is_present=reading.is_present)
        if "allergy" in topics:
            yield from self._allergies(clause, before, ends)

    def _allergies(self, clause: str, before: str, ends: list[int]) -> Iterator[Mention]:
        for match in self.reaction.finditer(clause):
            yield from self._allergy(clause, before, match, ends[bisect(ends, match.start()) - 1])
        for pattern, clause_before in ((self.refused, ""), (self.reacted, before)):
            for match in pattern.finditer(clause):
                around = clause[max(0, match.start() - REACH) : match.end() + REACH]
                for food in self._foods_in(around) or self._foods_in(clause_before):
                    yield Mention(food, match.start(), match.end(), match.start(), can_be_denied=False)

    def _allergy(self, clause: str, before: str, match: re.Match[str], segment: int) -> Iterator[Mention]:
        after = clause[match.start() : match.end() + REACH]
        around = clause[max(0, match.start() - REACH) : match.end() + REACH]
        is_directed = DIRECTED.match(clause, match.end())
        foods = (is_directed and self._foods_in(after)) or None
        named = OBJECT.match(clause, match.end())
        if foods is None and named and named[1] not in PRONOUNS and "allerg" in match[0]:
            if self.not_food.fullmatch(named[1]):
                return
            foods = self._foods_in(around) if not is_directed else set()
            if not foods:  # allergic to something that this code does not know
                for food in self.foods:
                    yield Mention(food, match.start(), match.end(), segment, is_unnamed=True)
                return
        foods = foods or self._foods_in(around) or self._foods_in(before)
        is_severe = match[0].startswith(SEVERE) and not any(map(self.not_food.fullmatch, WORD.findall(around)))
        for food in foods or (self.foods if is_severe else ()):  # to something, and nobody knows to what
            yield Mention(food, match.start(), match.end(), segment, is_unnamed=not foods)

    def _foods_in(self, text: str) -> set[str]:
        return {food for food, pattern in self.foods.items() if pattern.search(text)}


_NOTHING: frozenset[str] = frozenset()


def _stems(words: Vocabulary) -> dict[str, set[str]]:
    """Beginning of a word -> what a sentence with such a word may be about."""
    tables = {**words.conditions, **words.equipment, **words.level}
    tables |= {name: (*joint.names, *joint.phrases) for name, joint in words.joints.items()}
    tables |= {name: food.phrases for name, food in words.foods.items()}
    tables["chest_pain"] = (*tables["chest_pain"], *CHEST)
    tables["allergy"] = (*" ".join(words.sets.reaction).split(), *words.refused, *words.reacted)
    found: dict[str, set[str]] = {}
    for name, phrases in tables.items():
        for stem in {stem for phrase in phrases for stem in stems(phrase)}:
            found.setdefault(stem, set()).add(name)
    return found


def _any_of(words: list[str]) -> str:
    return "(?:" + "|".join(compile_words(word).pattern for word in words) + ")"


def _near(
    names: tuple[str, ...], harm: str, phrases: tuple[str, ...], close_harm: str | None = None
) -> re.Pattern[str]:
    """A name and a harm at most eight words apart (two for a ``close_harm``), in either order; or a phrase."""
    name = "(?:" + "|".join(map(phrase_pattern, names)) + ")"
    found = [phrase_pattern(phrase) for phrase in phrases]
    for harmed, most in [(harm, 8)] + [(close_harm, 2)] * (close_harm is not None):
        gap = rf"(?:{BETWEEN}[\w']{{1,30}}){{0,{most}}}?{BETWEEN}"
        found += [rf"{name}{gap}{harmed}(?!\w)", rf"(?<!\w){harmed}{gap}{name}"]
    return re.compile("|".join(found))
