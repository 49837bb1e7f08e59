"""What a plan may cite: the findings of every group of modalities, and which class of which target stands for each."""

from __future__ import annotations

from typing import Literal, get_args

from fusion.plan.knowledge.foods import Food

Group = Literal["text", "signals", "photo", "audio"]

GROUPS: tuple[Group, ...] = get_args(Group)
PERCEIVED: dict[Group, tuple[str, ...]] = {
    "text": ("stressed_words", "calm_words"),
    "signals": ("raised_arousal", "resting_arousal"),
    "photo": ("dessert", "heavy_meal", "lean_protein", "vegetable_meal"),
    "audio": ("distressed_voice", "calm_voice", "snoring", "other_sound"),
}
NAMED_FOODS: tuple[Food, ...] = ("sweets", "fried_food", "caffeine", "alcohol", "fruit", "vegetables")
FINDINGS = {**PERCEIVED, "text": PERCEIVED["text"] + NAMED_FOODS}  # a text is cited for the foods it names, too
GROUP_OF_FINDING: dict[str, Group] = {finding: group for group, findings in FINDINGS.items() for finding in findings}

# Findings that change nothing in a plan: no plan cites them, so that `because` says what made the plan.
UNREMARKABLE = ("calm_words", "resting_arousal", "calm_voice", "other_sound")
REMARKABLE = tuple(name for names in PERCEIVED.values() for name in names if name not in UNREMARKABLE)

# Target -> class -> the finding that the class stands for: in a label, or in what a head believes. Targets in the order
# of GROUPS, classes in the order of the labels.
FINDING_OF: dict[str, dict[str, str]] = {
    "words": {"calm": "calm_words", "stressed": "stressed_words"},
    "body": {"rested": "resting_arousal", "stressed": "raised_arousal"},
    "meal": {"dessert": "dessert", "heavy": "heavy_meal", "lean": "lean_protein", "vegetable": "vegetable_meal"},
    "sound": {"calm": "calm_voice", "distressed": "distressed_voice", "snoring": "snoring", "other": "other_sound"},
}
