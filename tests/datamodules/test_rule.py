from itertools import combinations

import numpy as np
import pytest

from datamodules.rule import (
    CELLS,
    GROUP_OF,
    LATENTS,
    NOISE,
    STATES,
    bayes_ceiling,
    findings,
    prior,
    sample_cells,
    state_of,
)
from fusion.batch import GROUPS

HAND_CASES = [  # body, sound, meal, words -> state, worked out by hand from the published text
    ("rested", "calm", "lean", "calm", "balanced"),
    ("rested", "other", "vegetable", "calm", "balanced"),
    ("stressed", "calm", "lean", "calm", "masked_strain"),
    ("rested", "distressed", "lean", "calm", "strained"),
    ("rested", "calm", "vegetable", "stressed", "strained"),
    ("stressed", "distressed", "lean", "calm", "strained"),
    ("stressed", "distressed", "lean", "stressed", "overloaded"),
    ("rested", "snoring", "dessert", "calm", "poor_sleep"),
    ("stressed", "snoring", "lean", "calm", "poor_sleep"),
    ("stressed", "snoring", "heavy", "calm", "overloaded"),
    ("stressed", "snoring", "lean", "stressed", "overloaded"),
    ("rested", "calm", "dessert", "calm", "poor_fuelling"),
    ("stressed", "other", "heavy", "calm", "poor_fuelling"),
    ("stressed", "distressed", "heavy", "calm", "overloaded"),
]


@pytest.mark.parametrize(("body", "sound", "meal", "words", "state"), HAND_CASES)
def test_rule_matches_the_published_text(body, sound, meal, words, state):
    assert state_of({"body": body, "sound": sound, "meal": meal, "words": words}) == state


def test_unknown_latent_value_is_named():
    with pytest.raises(ValueError, match="latent 'meal' is 'soup', expected one of"):
        state_of({**CELLS[0], "meal": "soup"})


def test_latents_keep_the_order_that_class_indices_were_trained_on():
    assert LATENTS == {
        "words": ("calm", "stressed"),
        "body": ("rested", "stressed"),
        "meal": ("dessert", "heavy", "lean", "vegetable"),
        "sound": ("calm", "distressed", "snoring", "other"),
    }


def test_every_state_follows_from_some_latents():
    assert {state_of(cell) for cell in CELLS} == set(STATES)


def test_groups_are_those_of_the_batch_in_the_same_order():
    assert tuple(GROUP_OF[latent] for latent in LATENTS) == GROUPS


def test_prior_is_uniform_over_states_and_weighted_inside():
    p = prior()
    assert len(CELLS) == len(p) == 64 and p.sum() == pytest.approx(1)
    states = np.array([state_of(cell) for cell in CELLS])
    for state in STATES:
        assert p[states == state].sum() == pytest.approx(1 / 6)
    weight = {tuple(cell.values()): x for cell, x in zip(CELLS, p, strict=True)}
    calm, voice = weight["calm", "stressed", "lean", "distressed"], weight["stressed", "stressed", "lean", "calm"]
    assert calm / voice == pytest.approx(2 / 1.5)  # both strained


def test_sampled_states_are_uniform():
    cells = sample_cells(3000, np.random.default_rng(0))
    counts = [sum(state_of(cell) == state for cell in cells) for state in STATES]
    assert counts == pytest.approx([500] * 6, abs=80)


def test_ceiling_is_one_with_all_groups_and_no_noise_and_chance_with_only_noise():
    assert bayes_ceiling(NOISE["composed"])["+".join(GROUPS)]["macro_f1"] == pytest.approx(1)
    useless = {latent: 1 - 1 / len(values) for latent, values in LATENTS.items()}
    assert all(c["accuracy"] == pytest.approx(1 / 6) for c in bayes_ceiling(useless).values())


def test_more_groups_never_lower_the_ceiling():
    for noise in NOISE.values():
        ceiling = bayes_ceiling(noise)
        assert len(ceiling) == 15
        for small, large in combinations(ceiling, 2):
            if set(small.split("+")) < set(large.split("+")):
                assert ceiling[small]["accuracy"] <= ceiling[large]["accuracy"] + 1e-12


def test_synthetic_noise_leaves_the_room_the_issue_asks_for():
    ceiling = bayes_ceiling(NOISE["synthetic"])
    default = bayes_ceiling(NOISE["synthetic"], missing_rate=0.1)["+".join(GROUPS)]["macro_f1"]
    assert 0.80 <= default < ceiling["+".join(GROUPS)]["macro_f1"] < 0.89
    assert max(ceiling[group]["macro_f1"] for group in GROUPS) < 0.80 * 0.9 - 0.15


def test_ceiling_agrees_with_simulating_a_lookup_table():
    """The enumeration against brute force: the best decision per observation, counted on sampled people."""
    rng = np.random.default_rng(1)
    flip, num = 0.3, 60_000
    cells = sample_cells(num, rng)
    shown = [("stressed" if c["words"] == "calm" else "calm") if rng.random() < flip else c["words"] for c in cells]
    state = np.array([STATES.index(state_of(c)) for c in cells])
    hits = sum(np.bincount(state[np.array(shown) == value]).max() for value in LATENTS["words"])
    noise = {**NOISE["composed"], "words": flip}
    assert hits / num == pytest.approx(bayes_ceiling(noise)["text"]["accuracy"], abs=0.01)


def test_bad_noise_is_named():
    with pytest.raises(ValueError, match=r"noise of 'meal' is 1.5, .*fix data.cohort.noise.meal"):
        bayes_ceiling({**NOISE["synthetic"], "meal": 1.5})
    with pytest.raises(ValueError, match=r"noise names \['body'\], expected exactly"):
        bayes_ceiling({"body": 0.1})


def test_findings_name_group_value_unit_and_span_of_what_is_present():
    found = findings({"body": "stressed", "sound": "snoring"}, heart_rate_bpm=92.0, window_s=60.0, clip_s=5.0)
    assert [(f.group, f.finding, f.value, f.unit, f.last_s) for f in found] == [
        ("signals", "raised_arousal", 92.0, "bpm", 60),
        ("audio", "snoring", None, None, 5),
    ]
