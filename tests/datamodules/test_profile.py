import numpy as np
import pytest

from datamodules.profile import CONSTRAINTS, GOALS, phrasings, profile_sentence, sample_profile


def test_every_meaning_has_many_distinct_phrasings_and_no_two_meanings_share_one():
    assert all(len(p) >= 12 for p in GOALS.values()) and all(len(p) >= 8 for p in CONSTRAINTS.values())
    everything = [p.lower() for table in (GOALS, CONSTRAINTS) for options in table.values() for p in options]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("options", [*GOALS.values(), *CONSTRAINTS.values()])
def test_some_phrasings_are_seen_only_in_test(options):
    seen, all_of_them = set(phrasings(options, "train")), set(phrasings(options, "test"))
    assert seen == set(phrasings(options, "val"))
    assert seen < all_of_them == set(options)
    assert 0.1 <= 1 - len(seen) / len(all_of_them) <= 0.25


def test_sentence_says_exactly_the_goal_and_the_constraints():
    rng = np.random.default_rng(0)
    for _ in range(50):
        goal, constraints = sample_profile(rng)
        said = profile_sentence(goal, constraints, rng, split="test")
        for table, wanted in ((GOALS, {goal}), (CONSTRAINTS, set(constraints))):
            assert {name for name, options in table.items() if any(p in said for p in options)} == wanted


def test_profiles_are_mostly_unconstrained_and_deterministic():
    drawn = [sample_profile(np.random.default_rng(seed)) for seed in range(300)]
    assert drawn == [sample_profile(np.random.default_rng(seed)) for seed in range(300)]
    counts = np.bincount([len(constraints) for _, constraints in drawn]) / 300
    assert counts == pytest.approx([0.4, 0.4, 0.2], abs=0.1)
    assert {goal for goal, _ in drawn} == set(GOALS)


def test_unknown_names_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="goal 'fly' is not one of lose_weight"):
        profile_sentence("fly", (), rng, split="train")
    with pytest.raises(ValueError, match="constraint 'cat_allergy'"):
        profile_sentence("recover", ("cat_allergy",), rng, split="train")
    with pytest.raises(ValueError, match="split is 'holdout'"):
        profile_sentence("recover", (), rng, split="holdout")
