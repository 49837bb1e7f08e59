"""Write tokenizer.json: byte-level BPE over plans sampled from the schema, never from a dataset.

    python -m fusion.plan.train_tokenizer

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
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.language.text import to_text
from fusion.plan.language.tokenizer import BOS, EOS, PAD, PIECES

PATH = Path(__file__).with_name("tokenizer.json")
NUM_PLANS = 2000  # every word of the schema occurs dozens of times; more changes nothing
VOCAB_SIZE = 2048  # an upper bound: training ends when every word is one token


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

    def minutes() -> int:
        return rng.randrange(5, 121, 5)

    def session() -> schema.Session:
        return schema.Session(
            activity=pick(schema.Activity),
            times=rng.randint(1, 7),
            minutes=minutes(),
            effort=pick(schema.Effort),
            gauge=pick(schema.Gauge),
            moves=some(lambda: rng.choice(list(MOVES)), 2),
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
        group = rng.choice(schema.GROUPS)
        value, unit = rng.choice([(None, None), (rng.randint(300, 2000) / 10, pick(schema.Unit))])
        # foods that a text names are words of the diet already
        finding, last_s = rng.choice(schema.SENSED[group]), rng.choice([None, rng.randint(1, schema.MAX_SPAN_S)])
        return schema.Evidence(group=group, finding=finding, value=value, unit=unit, last_s=last_s)

    return schema.Plan(
        goal=pick(schema.Goal),
        exercise=some(session, 3),
        diet=schema.Diet(
            pattern=pick(schema.Pattern),
            energy_change_kcal=rng.randrange(-1000, 1001, 50),
            protein_g_per_kg=rng.randint(5, 30) / 10,
            emphasise=some(lambda: pick(schema.Food), 4),
            limit=some(lambda: pick(schema.Food), 8),
        ),
        sleep=schema.Sleep(hours=rng.randint(10, 24) / 2, practice=pick(schema.SleepPractice)),
        stress=schema.Stress(practice=pick(schema.StressPractice), minutes_a_day=minutes()),
        alerts=some(alert, 4),
        referral=pick(schema.Referral),
        because=some(evidence, 8),
    )


if __name__ == "__main__":
    trained = train_tokenizer()
    trained.save(str(PATH))
    print(f"{trained.get_vocab_size()} tokens written to {PATH.name}")
