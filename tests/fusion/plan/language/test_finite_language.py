"""The algebra of texts: every operation against the same set written out."""

from itertools import combinations, permutations

import pytest

from fusion.plan.language.finite_language import END, NOTHING, Language, either, maybe, one_of, some, then, word

NAMES = (" a", " b", " c", " d")
WORDS = tuple(word(name) for name in NAMES)


def texts(language: Language) -> set[str]:
    """Every text, by walking."""
    ended = {""} if language.may_end else set()
    return ended | {piece + rest for piece, tail in language.edges.items() for rest in texts(tail)}


def test_words_are_cut_where_no_token_crosses():
    assert list(word(" 12.5 h").edges) == [" 1"]
    assert word(" 12.5 h").longest == 5
    assert texts(word("\nsleep 7")) == {"\nsleep 7"}


def test_then_either_and_maybe():
    a, b, c, _ = WORDS
    assert texts(then(maybe(a), either(b, then(b, c)))) == {" a b", " a b c", " b", " b c"}
    assert texts(one_of([" 1", " 12", " 13", " 2"])) == {" 1", " 12", " 13", " 2"}
    assert set(one_of([" 1", " 12", " 13", " 2"]).edges) == {" 1", " 2"}, "shared beginnings are walked once"


@pytest.mark.parametrize("most", [1, 2, 3, 4])
@pytest.mark.parametrize("needed", [(), (1,), (0, 2)])
def test_some_is_every_choice_in_order(most, needed):
    language = some(WORDS, most=most, needed=frozenset(WORDS[i] for i in needed))
    chosen = {c for size in range(1, most + 1) for c in combinations(range(4), size) if set(needed) <= set(c)}
    assert texts(language) == {"".join(NAMES[i] for i in c) for c in chosen}
    assert (language is NOTHING) == (not chosen)


def test_some_in_any_order_with_separators():
    language = some(WORDS[:3], most=2, separator=word(" ;"), is_ordered=False)
    assert texts(language) == {" ;".join(p) for size in (1, 2) for p in permutations(NAMES[:3], size)}


def test_no_walk_leads_nowhere():
    """Nothing swallows what it is joined with, so that every edge leads to an end."""
    assert then(WORDS[0], NOTHING) is NOTHING and then(NOTHING, WORDS[0]) is NOTHING
    assert either(NOTHING, WORDS[0]) is WORDS[0] and either(NOTHING) is NOTHING
    assert some((NOTHING,), most=2) is NOTHING
    assert some((NOTHING, WORDS[0]), most=2, needed=frozenset([NOTHING])) is NOTHING
    assert then(END, WORDS[0], END) is WORDS[0]


def test_equal_languages_are_one_object():
    assert then(*WORDS) is then(*WORDS)
    assert some(WORDS, most=2) is some(WORDS, most=2)


def test_longest_is_the_longest():
    for language in (
        then(maybe(WORDS[0]), either(WORDS[1], word(" 123"))),
        some((word(" 12"), WORDS[0], word(" 345")), most=2, separator=word(" ;")),
    ):
        assert language.longest == max(len(text.replace(" ", "")) for text in texts(language))
