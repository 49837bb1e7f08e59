"""Write tokenizer.json: byte-level BPE over plans sampled from the schema, never from a dataset.

    python -m fusion.plan.language.train_tokenizer

Run it after every change of the schema or of the text form, and commit what it wrote: models trained before no longer
fit. Sampled from the schema, the vocabulary knows every word a plan may hold and nothing about how often people get it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from fusion.plan import schema
from fusion.plan.findings import GROUPS, PERCEIVED
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.language.text import to_text
from fusion.plan.language.tokenizer import BOS, EOS, PAD, PIECES
from fusion.plan.schema import most_items, numbers_of

PATH = Path(__file__).with_name("tokenizer.json")
NUM_PLANS = 2000  # every word of the schema occurs dozens of times; more changes nothing
VOCAB_SIZE = 2048  # an upper bound: training ends when every word is one token
MOST_LIMITED = 8  # foods of a sampled diet; a plan may limit more, but the committed tokens were trained on such diets


def train_tokenizer() -> Tokenizer:
    """Train the tokenizer, always the same one."""
    rng = random.Random(0)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((to_text(sample_plan(rng)) for _ in range(NUM_PLANS)), trainer)
    return tokenizer


def sample_plan(rng: random.Random) -> schema.Plan:
    """A plan with every slot uniform and independent: valid, not sensible."""

    def pick(vocabulary: Any) -> str:
        return rng.choice(get_args(vocabulary))

    def some(draw: Callable[[], Any], most: int) -> tuple[Any, ...]:
        return tuple(draw() for _ in range(rng.randint(0, most)))

    def number(quantity: Any) -> float:
        return rng.choice(numbers_of(quantity))

    def session() -> schema.Session:
        return schema.Session(
            activity=pick(schema.Activity),
            times=number(schema.TimesAWeek),
            minutes=number(schema.Minutes),
            effort=pick(schema.Effort),
            gauge=pick(schema.Gauge),
            moves=some(lambda: rng.choice(list(MOVES)), most_items(schema.Session, "moves")),
        )

    def alert() -> schema.Alert:
        return schema.Alert(
            signal=pick(schema.Signal),
            direction=pick(schema.Direction),
            value=rng.randint(0, 2000) / 10,
            unit=pick(schema.Unit),
            action=pick(schema.Action),
        )

    def evidence() -> schema.Evidence:
        group = rng.choice(GROUPS)
        value, unit = rng.choice([(None, None), (rng.randint(300, 2000) / 10, pick(schema.Unit))])
        # foods that a text names are words of the diet already
        finding, last_s = rng.choice(PERCEIVED[group]), rng.choice([None, number(schema.SpanS)])
        return schema.Evidence(group=group, finding=finding, value=value, unit=unit, last_s=last_s)

    return schema.Plan(
        goal=pick(schema.Goal),
        exercise=some(session, most_items(schema.Plan, "exercise")),
        diet=schema.Diet(
            pattern=pick(schema.Pattern),
            energy_change_kcal=number(schema.EnergyChangeKcal),
            protein_g_per_kg=number(schema.ProteinGPerKg),
            emphasise=some(lambda: pick(schema.Food), most_items(schema.Diet, "emphasise")),
            limit=some(lambda: pick(schema.Food), MOST_LIMITED),
        ),
        sleep=schema.Sleep(hours=number(schema.SleepHours), practice=pick(schema.SleepPractice)),
        stress=schema.Stress(practice=pick(schema.StressPractice), minutes_a_day=number(schema.Minutes)),
        alerts=some(alert, most_items(schema.Plan, "alerts")),
        referral=pick(schema.Referral),
        because=some(evidence, most_items(schema.Plan, "because")),
    )


if __name__ == "__main__":
    trained = train_tokenizer()
    trained.save(str(PATH))
    print(f"{trained.get_vocab_size()} tokens written to {PATH.name}")
