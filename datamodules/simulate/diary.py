"""Write a diary entry in calm or stressed words, with food in passing and a sentence of goal and constraints.

Only the mood sentences follow the words latent. Food is mentioned for its own sake (tagged spans) and is independent of
the meal photographed; mood sentences name no sleep, pulse or food, which belong to other modalities.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from datamodules.simulate.profile import Profile, phrasings, profile_sentence

MOODS: dict[str, tuple[str, ...]] = {
    "calm": (
        "Today was quiet and everything went at an easy pace.",
        "I felt relaxed the whole day.",
        "Work was pleasant and I finished early without any rush.",
        "I'm in a good mood and at peace with things.",
        "Had a lovely slow morning and a calm afternoon.",
        "Nothing is worrying me right now.",
        "I feel content and on top of everything.",
        "Spent an hour in the garden and enjoyed every minute.",
        "pretty chill day, no complaints",
        "The meeting went smoothly and everyone was friendly.",
        "I laughed a lot with my sister on the phone.",
        "Life feels balanced at the moment.",
        "I had plenty of time for myself and felt at ease.",
        "Took the afternoon off, read a book and felt happy.",
        "All my tasks are done and I feel light.",
        "I am grateful for how gentle this week has been.",
        "It was a peaceful day, I never had to hurry.",
        "Talked things over with my boss and it was relaxed and kind.",
        "Walked home in the sun, feeling serene.",
        "My head is clear and my mind is calm.",
        "feeling great today, super relaxed",
        "We had a nice time with the neighbours and I felt cheerful.",
        "I managed everything comfortably and even had time to spare.",
        "A calm, satisfying day from start to finish.",
        "I feel confident about the weeks ahead.",
        "No pressure at all today, just easy hours.",
        "Everything is under control and I'm enjoying it.",
        "I sat by the river for a while and felt completely at peace.",
        "good vibes all day, nothing to stress over",
        "The kids were sweet and the evening was harmonious.",
    ),
    "stressed": (
        "Today was awful and everything came at once.",
        "I felt overwhelmed the whole day.",
        "Work is crushing me and the deadlines keep piling up.",
        "I'm on edge and I snap at everyone.",
        "Had a frantic morning and a horrible afternoon.",
        "I cannot stop worrying about everything.",
        "I feel tense and I'm losing control of things.",
        "Spent an hour arguing about money and ended up in tears.",
        "such a stressful day, i'm done",
        "The meeting was a disaster and everyone was shouting.",
        "I had a terrible fight with my sister on the phone.",
        "Life is falling apart at the moment.",
        "I had no minute for myself and felt panicked.",
        "Worked through the weekend, scared of what comes next.",
        "My tasks never end and I feel crushed by them.",
        "I am anxious about how hard this week has been.",
        "It was a hectic day, I was rushing nonstop.",
        "My boss yelled at me again and I am afraid of losing the job.",
        "Walked home shaking with anger and frustration.",
        "My head is spinning and my mind is racing.",
        "feeling terrible today, super anxious",
        "We had trouble with the neighbours again and I was furious.",
        "I failed at everything and I keep blaming myself.",
        "A miserable, exhausting day from start to finish.",
        "I dread the weeks ahead.",
        "So much pressure today, I wanted to scream.",
        "Everything is out of control and I'm desperate.",
        "I sat in the car for a while and cried, I can't cope.",
        "freaking out all day, too much stress",
        "The kids were fighting and the evening was unbearable.",
    ),
}

FOOD: dict[str, tuple[str, ...]] = {
    "DIN": ("lasagna", "fried rice", "a curry", "lentil soup", "ramen", "a burrito", "risotto", "a sandwich"),
    "FRUIT": ("an apple", "a banana", "some grapes", "a pear", "two oranges", "blueberries", "a mango", "cherries"),
    "VEG": ("carrots", "spinach", "broccoli", "a tomato", "green beans", "cucumber", "peppers", "courgette"),
    "MEAT": ("chicken", "beef", "turkey", "some ham", "pork", "lamb", "salmon", "tuna"),
    "DRINK": ("green tea", "coffee", "orange juice", "water", "a glass of milk", "lemonade", "black tea", "cola"),
}

MENTIONS = (  # {DIN} and the like are filled from FOOD
    "Had {DIN} and {DRINK} at noon.",
    "There was {MEAT} with {VEG} in the canteen.",
    "Bought {FRUIT} on the way home.",
    "The shopping list says {VEG}, {FRUIT} and {MEAT}.",
    "Lunch: {DIN}.",
    "Drank {DRINK} around four.",
    "My brother brought {FRUIT} and {DRINK}.",
    "We cooked {DIN} with {VEG}.",
    "Ordered {MEAT} and {DRINK}, as usual on this weekday.",
    "Picked up {DRINK} at the station.",
)

ASIDES = (
    "It is Tuesday.",
    "The bus was on time.",
    "It rained around noon.",
    "Called the bank about the card.",
    "The new printer arrived.",
    "My cousin is visiting next month.",
    "Watered the plants.",
    "The shop on the corner has new opening hours.",
    "I paid the electricity bill.",
    "There is construction on our street.",
)


class Span(NamedTuple):
    """A food named in the text: characters ``start`` to ``end``, label DIN, FRUIT, VEG, MEAT or DRINK."""

    start: int
    end: int
    label: str


def simulate_diary(words: str, profile: Profile, rng: np.random.Generator, *, split: str) -> tuple[str, list[Span]]:
    """The entry and its food spans; some mood and profile phrasings appear only in split "test"."""
    moods = phrasings(MOODS[words], split)
    sentences = [moods[k] for k in rng.choice(len(moods), size=2 + rng.integers(2), replace=False)]
    sentences = [said if said.endswith(".") else said + "." for said in sentences]
    if rng.random() < 0.6:
        sentences.append(MENTIONS[rng.integers(len(MENTIONS))])
    if rng.random() < 0.5:
        sentences.append(ASIDES[rng.integers(len(ASIDES))])
    sentences = [sentences[i] for i in rng.permutation(len(sentences))]
    said = profile_sentence(profile, rng, split=split)
    sentences.insert(len(sentences) if rng.random() < 0.7 else 0, said)
    return _fill(" ".join(sentences), rng)


def _fill(template: str, rng: np.random.Generator) -> tuple[str, list[Span]]:
    """Put foods in the slots of ``template`` and say where they ended up."""
    text, spans = "", []
    for i, part in enumerate(re.split(r"\{(\w+)\}", template)):  # odd parts are the labels of slots
        if i % 2:
            food = FOOD[part][rng.integers(len(FOOD[part]))]
            spans.append(Span(len(text), len(text) + len(food), part))
            text += food
        else:
            text += part
    return text, spans
