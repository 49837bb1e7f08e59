"""The one way from prepared streams to answers: tests, predictions, exports and reports all come through here."""

# Shapes: B records, K classes, P numbers or plan tokens, T word pieces.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from fusion.batch import Fused, Stream
from fusion.model import FusionModel
from fusion.plan import Plan, load_tokenizer, parse
from fusion.plan.context import PlanContext


class Answer(NamedTuple):
    """What one head says of one record.

    ``values``: by name, the probability of every class, rank or label, or the number itself. ``tags``: one a word
    piece. ``plan_text`` is canonical; ``plan`` is what it says, or every reason why it says nothing.
    """

    kind: str
    target: str
    values: dict[str, float] = {}  # noqa: RUF012  (never changed)
    tags: tuple[str, ...] = ()
    plan_text: str | None = None
    plan: Plan | list[str] | None = None

    @property
    def is_probable(self) -> bool:
        """Whether ``values`` are probabilities."""
        return self.kind in ("classes", "ordinal", "multilabel")


class Pipeline:
    """Answer from prepared, scaled streams with a model that is being trained or was exported."""

    def __init__(self, model: FusionModel) -> None:
        self.model = model

    def read(self, streams: Mapping[str, Stream]) -> Fused:
        """Encode every stream and fuse the tokens."""
        return self.model.fuse(self.model.encode(dict(streams)))

    def answer(
        self, fused: Fused, contexts: Sequence[PlanContext] | None = None, *, is_generating: bool = True
    ) -> dict[str, Tensor]:
        """What every head says: probabilities (B, K), numbers (B, P), tags (B, T), plan token ids (B, P).

        ``contexts``: by row, what ``held_to`` gives: plans are held to it. ``is_generating`` False leaves out the heads
        that write token by token.
        """
        limits = None if contexts is None else [context.limits for context in contexts]
        answers = {}
        for name, head in self.model.heads.items():
            if not head.is_generative:
                answers[name] = head.predict(fused)
            elif is_generating:
                answers[name] = head.predict(fused, limits)
        return answers

    def held_to(self, fused: Fused, contexts: Sequence[PlanContext]) -> list[PlanContext]:
        """The contexts once the tagging heads have said which words of each text are food."""
        held = list(contexts)
        for head in self.model.heads.values():
            if head.kind == "spans":
                is_food = (head.predict(fused) != 0).tolist()  # class 0 is "O"
                held = [context.where_tagged(row) for context, row in zip(held, is_food, strict=True)]
        return held

    def typed(self, answers: Mapping[str, Tensor], row: int) -> dict[str, Answer]:
        """The answers of one row, by head."""
        said = {}
        for name, answer in answers.items():
            head, own = self.model.heads[name], answer[row].tolist()
            blank = Answer(head.kind, head.target)
            if head.kind == "plan":
                text = load_tokenizer().decode(own)
                said[name] = blank._replace(plan_text=text, plan=parse(text))
            elif head.kind == "spans":
                said[name] = blank._replace(tags=tuple(head.names[index] for index in own))
            else:
                said[name] = blank._replace(values=dict(zip(head.names, own, strict=True)))
        return said
