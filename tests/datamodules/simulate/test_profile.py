import numpy as np
import pytest

from datamodules.simulate.profile import (
    CONSTRAINTS,
    EQUIPMENT,
    GOALS,
    LEVELS,
    Profile,
    phrasings,
    profile_sentence,
    sample_profile,
)


def test_every_meaning_has_many_distinct_phrasings_and_no_two_meanings_share_one():
    assert all(len(p) >= 12 for p in GOALS.values()) and all(len(p) >= 8 for p in CONSTRAINTS.values())
    everything = [
        p.lower() for table in (GOALS, CONSTRAINTS, EQUIPMENT, LEVELS) for options in table.values() for p in options
    ]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("options", [p for table in (GOALS, CONSTRAINTS, EQUIPMENT, LEVELS) for p in table.values()])
def test_some_phrasings_are_seen_only_in_test(options):
    seen, all_of_them = set(phrasings(options, "train")), set(phrasings(options, "test"))
    assert seen == set(phrasings(options, "val"))
    assert seen < all_of_them == set(options)
    assert 0.1 <= 1 - len(seen) / len(all_of_them) <= 0.25


def test_sentence_says_exactly_what_the_profile_holds():
    rng = np.random.default_rng(0)
    for _ in range(50):
        profile = sample_profile(rng)
        said = profile_sentence(profile, rng, split="test")
        held = ({profile.goal}, set(profile.constraints), {profile.equipment} - {None}, {profile.level} - {None})
        for table, wanted in zip((GOALS, CONSTRAINTS, EQUIPMENT, LEVELS), held, strict=True):
            assert {name for name, options in table.items() if any(p in said for p in options)} == wanted


def test_profiles_are_mostly_unconstrained_and_deterministic():
    drawn = [sample_profile(np.random.default_rng(seed)) for seed in range(300)]
    assert drawn == [sample_profile(np.random.default_rng(seed)) for seed in range(300)]
    counts = np.bincount([len(profile.constraints) for profile in drawn]) / 300
    assert counts == pytest.approx([0.4, 0.4, 0.2], abs=0.1)
    assert {profile.goal for profile in drawn} == set(GOALS)
    assert {profile.equipment for profile in drawn} == {None, *EQUIPMENT}
    assert {profile.level for profile in drawn} == {None, *LEVELS}


def test_what_is_not_said_is_not_a_fact():
    assert Profile("recover", level="expert").facts() == {"goal": "recover", "constraints": (), "level": "expert"}


def test_unknown_names_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="goal 'fly' is not one of lose_weight"):
        profile_sentence(Profile("fly"), rng, split="train")
    with pytest.raises(ValueError, match="constraint 'cat_allergy'"):
        profile_sentence(Profile("recover", ("cat_allergy",)), rng, split="train")
    with pytest.raises(ValueError, match="split is 'holdout'"):
        profile_sentence(Profile("recover"), rng, split="holdout")
