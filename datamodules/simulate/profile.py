"""Say a person's goal, constraints, equipment and level in their own words: synthetic and composed texts end so.

The profile is drawn independently of the state and never hints at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Every fifth phrasing (positions 4, 9, ...) is kept for the test split: a fifth or so is never seen in training.
HOLD_OUT_EVERY = 5

GOALS: dict[str, tuple[str, ...]] = {
    "lose_weight": (
        "I want to lose weight.",
        "My goal is to drop about eight kilos.",
        "Trying to slim down before summer.",
        "Goal: lose some body fat.",
        "I would like to get down to a lower weight.",
        "want to shed a few pounds, nothing crazy",
        "My aim this year is weight loss.",
        "I'm hoping to burn off my belly fat.",
        "goal = loose weight",
        "I need to bring my BMI down.",
        "Looking to get leaner and lighter on the scale.",
        "I'd love to fit into my old jeans again, so less weight please.",
        "What I am after is losing weight slowly and keeping it off.",
    ),
    "gain_muscle": (
        "I want to gain muscle.",
        "My goal is to build more muscle mass.",
        "Trying to bulk up a bit.",
        "Goal: get stronger and put on muscle.",
        "I would like to add lean mass to my frame.",
        "want bigger arms and legs tbh",
        "My aim is hypertrophy, more muscle on my back and chest.",
        "I'm hoping to put on a few kilos of muscle.",
        "goal = gain mucle",
        "I want to look more muscular by next year.",
        "Looking to build strength and size in the gym.",
        "I'd love to finally grow some muscle.",
        "What I am after is a stronger, more muscular body.",
    ),
    "recover": (
        "I want to recover.",
        "My goal is to recover fully from my last race.",
        "Trying to get back on my feet after the flu.",
        "Goal: proper recovery between workouts.",
        "I would like to let my body heal after the hard training block.",
        "just want to recover from the marathon",
        "My aim is to rebuild after an illness.",
        "I'm hoping to bounce back after weeks of heavy training.",
        "goal = recovry after overtraining",
        "I need to regenerate before the next season.",
        "Looking to recuperate and ease back into sport.",
        "I'd love to feel recovered again after the operation last month.",
        "What I am after is recovery, not performance.",
    ),
    "sleep_better": (
        "I want to sleep better.",
        "My goal is to improve my sleep.",
        "Trying to get a full eight hours a night.",
        "Goal: better sleep quality.",
        "I would like to fall asleep faster at bedtime.",
        "want more and deeper sleep basically",
        "My aim is a regular bedtime and nights without waking up.",
        "I'm hoping to sleep through the night.",
        "goal = slep better",
        "I want to fix my sleep schedule.",
        "Looking to improve how I sleep.",
        "I'd love to wake up after a really good night of sleep.",
        "What I am after is longer and deeper sleep.",
    ),
    "reduce_stress": (
        "I want to reduce stress.",
        "My goal is to handle stress better.",
        "Trying to build in more relaxation.",
        "Goal: lower my stress level.",
        "I would like to learn how to unwind.",
        "want to learn to chill, stress management basically",
        "My aim is stress reduction.",
        "I'm hoping to learn some relaxation techniques against stress.",
        "goal = less stres",
        "I want to manage stress with breathing or meditation.",
        "Looking for ways to de-stress.",
        "I'd love to practise mindfulness as a way to keep stress low.",
        "What I am after is coping with stress more easily.",
    ),
    "maintain": (
        "I want to maintain.",
        "My goal is to keep things as they are.",
        "Trying to hold my current shape.",
        "Goal: stay at my present weight and fitness.",
        "I would like to maintain my current habits.",
        "no big changes wanted, just staying where I am",
        "My aim is maintenance.",
        "I'm hoping to keep my fitness at the level it has.",
        "goal = maintane",
        "I want to stay the way I am now.",
        "Looking to keep up my current routine.",
        "I'd love to simply keep what I have, no new target.",
        "What I am after is maintaining, nothing to change.",
    ),
}

CONSTRAINTS: dict[str, tuple[str, ...]] = {
    "knee_injury": (
        "I have a knee injury.",
        "My left knee is injured.",
        "Torn meniscus in my right knee.",
        "bad knee, physio says careful",
        "I hurt my knee skiing and it is still not healed.",
        "Knee injury (ACL) since spring.",
        "my kneee is messed up",
        "Note: injured knee.",
        "My knee cannot take load because of an old injury.",
        "There is damage to the cartilage in my knee.",
    ),
    "back_injury": (
        "I have a back injury.",
        "My lower back is injured.",
        "Slipped disc in my lumbar spine.",
        "bad back, physio says careful",
        "I hurt my back lifting boxes and it is still not healed.",
        "Back injury (herniated disc) since spring.",
        "my bakc is messed up",
        "Note: injured back.",
        "My back cannot take load because of an old injury.",
        "There is damage to a disc in my spine.",
    ),
    "shoulder_injury": (
        "I have a shoulder injury.",
        "My left shoulder is injured.",
        "Torn rotator cuff in my right shoulder.",
        "bad shoulder, physio says careful",
        "I hurt my shoulder climbing and it is still not healed.",
        "Shoulder injury (dislocation) since spring.",
        "my sholder is messed up",
        "Note: injured shoulder.",
        "My shoulder cannot take load because of an old injury.",
        "There is damage to the labrum in my shoulder.",
    ),
    "nut_allergy": (
        "I have a nut allergy.",
        "I'm allergic to nuts.",
        "Peanuts and almonds give me hives, it is an allergy.",
        "no nuts for me, allergic",
        "I carry an EpiPen because of nuts.",
        "Allergy: tree nuts and peanuts.",
        "alergic to nuts",
        "Note: severe nut allergy.",
        "I react to walnuts, hazelnuts and all other nuts.",
        "Nuts are off the table, I am allergic to them.",
    ),
    "dairy_allergy": (
        "I have a dairy allergy.",
        "I'm allergic to milk.",
        "Milk and cheese give me hives, it is an allergy.",
        "no dairy for me, allergic",
        "I cannot have milk protein, I am allergic.",
        "Allergy: dairy.",
        "alergic to milk products",
        "Note: severe dairy allergy.",
        "I react to milk, yoghurt, cheese and all other dairy.",
        "Dairy is off the table, I am allergic to it.",
    ),
    "gluten_intolerance": (
        "I have a gluten intolerance.",
        "I'm gluten intolerant.",
        "I have coeliac disease, so no wheat.",
        "no gluten for me, celiac",
        "I cannot digest wheat, rye or barley.",
        "Intolerance: gluten.",
        "gluten intolerent",
        "Note: strictly gluten-free, coeliac.",
        "I react to bread, pasta and everything else with gluten.",
        "Gluten is off the table, I do not tolerate it.",
    ),
    "beta_blocker": (
        "I take a beta blocker.",
        "I'm on metoprolol.",
        "Medication: bisoprolol, a beta blocker.",
        "on beta blockers for my heart",
        "My cardiologist put me on propranolol.",
        "I take beta-blockers every morning.",
        "beta bloker 5 mg daily",
        "Note: beta blocker prescribed.",
        "I use atenolol, which slows my pulse.",
        "A beta-blocker is part of my daily tablets.",
    ),
    "insulin": (
        "I take insulin.",
        "I inject insulin for my diabetes.",
        "Medication: insulin pump.",
        "on insulin, type 1",
        "I have diabetes and use rapid-acting insulin with meals.",
        "I take insulin every evening.",
        "insuline pen user",
        "Note: insulin-treated diabetes.",
        "My diabetes is treated with insulin shots.",
        "Basal insulin is part of my daily routine.",
    ),
    "pregnancy": (
        "I am pregnant.",
        "I'm expecting a baby.",
        "Second trimester of pregnancy.",
        "pregnant btw, 20 weeks",
        "My baby is due in four months.",
        "Currently pregnant with my second child.",
        "im pregant",
        "Note: pregnancy, week 16.",
        "I am five months pregnant.",
        "My midwife says the pregnancy is going well.",
    ),
}

EQUIPMENT: dict[str, tuple[str, ...]] = {
    "none": (
        "I have no equipment at home.",
        "I train without any equipment.",
        "There is nothing to lift here, only my own body weight.",
        "no weights, no machines",
        "I work out in a hotel room with no gear.",
        "Equipment: none.",
    ),
    "dumbbells": (
        "I have a pair of dumbbells.",
        "I own dumbbells.",
        "There are dumbbells under my bed.",
        "just dumbbells at home",
        "Equipment: dumbbells.",
        "I train at home with two dumbbells.",
    ),
    "gym": (
        "I go to a gym.",
        "I have a gym membership.",
        "I can use all machines of my gym.",
        "gym around the corner",
        "Equipment: full gym.",
        "I train in a fitness studio with machines and barbells.",
    ),
}

LEVELS: dict[str, tuple[str, ...]] = {
    "beginner": (
        "I am a beginner.",
        "I have never trained before.",
        "I'm new to exercise.",
        "total newbie",
        "Level: beginner.",
        "I have only just started working out.",
    ),
    "intermediate": (
        "I have trained for a year.",
        "I'm at an intermediate level.",
        "I have some training experience.",
        "been working out for a while, intermediate",
        "Level: intermediate.",
        "I am past the beginner stage and train regularly.",
    ),
    "expert": (
        "I am an experienced athlete.",
        "I have lifted for ten years.",
        "I'm at an expert level.",
        "advanced lifter here",
        "Level: expert.",
        "I have trained hard since my teens and compete.",
    ),
}

NUM_CONSTRAINTS = (0.4, 0.4, 0.2)  # probability of having 0, 1 or 2 constraints: chosen, not from a survey
SAYS_MEANS = 0.6  # probability of saying a word on equipment, and on level; who says nothing has none, is a beginner


class Profile(NamedTuple):
    """What a person says of themselves; ``equipment`` and ``level`` are None where they say nothing."""

    goal: str
    constraints: tuple[str, ...] = ()
    equipment: str | None = None
    level: str | None = None

    def facts(self) -> dict[str, object]:
        """As keywords of fusion.plan.Facts, where the unsaid has its default."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def sample_profile(rng: np.random.Generator) -> Profile:
    """A goal, 0 to 2 constraints (in the order of CONSTRAINTS), equipment and level, all independent."""
    goal = list(GOALS)[rng.integers(len(GOALS))]
    num = rng.choice(len(NUM_CONSTRAINTS), p=NUM_CONSTRAINTS)
    chosen = sorted(rng.choice(len(CONSTRAINTS), size=num, replace=False))
    means = [
        list(table)[rng.integers(len(table))] if rng.random() < SAYS_MEANS else None for table in (EQUIPMENT, LEVELS)
    ]
    return Profile(goal, tuple(list(CONSTRAINTS)[i] for i in chosen), *means)


def profile_sentence(profile: Profile, rng: np.random.Generator, *, split: str) -> str:
    """Everything the profile holds, each in one of its phrasings, in random order.

    "test" draws from all phrasings, "train" and "val" from those not held out.
    """
    said = [_phrasing("goal", GOALS, profile.goal, rng, split)]
    said += [_phrasing("constraint", CONSTRAINTS, name, rng, split) for name in profile.constraints]
    for kind, table, name in (("equipment", EQUIPMENT, profile.equipment), ("level", LEVELS, profile.level)):
        said += [_phrasing(kind, table, name, rng, split)] if name else []
    return " ".join(said[i] for i in rng.permutation(len(said)))


def phrasings(options: Sequence[str], split: str) -> tuple[str, ...]:
    """The phrasings of one meaning that a split may use."""
    if split not in ("train", "val", "test"):
        raise ValueError(f"split is {split!r}, expected 'train', 'val' or 'test'")
    return tuple(p for i, p in enumerate(options) if split == "test" or i % HOLD_OUT_EVERY != HOLD_OUT_EVERY - 1)


def _phrasing(kind: str, table: dict[str, tuple[str, ...]], name: str, rng: np.random.Generator, split: str) -> str:
    if name not in table:
        raise ValueError(f"{kind} {name!r} is not one of {', '.join(table)} (datamodules/simulate/profile.py)")
    options = phrasings(table[name], split)
    said = options[rng.integers(len(options))]
    return said if said.endswith(".") else said + "."
