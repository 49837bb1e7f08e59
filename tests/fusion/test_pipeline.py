"""One way from streams to answers: which words count as food, and what an answer of each kind is."""

from types import SimpleNamespace

import torch
from small import draw_batch, small_model

from fusion.pipeline import Pipeline
from fusion.plan.context import read_context
from fusion.plan.rules.limits import Measured


class Tagger:
    kind = "spans"

    def predict(self, fused):
        return torch.tensor([[0, 1], [0, 0]])


def test_a_tagger_says_which_foods_count():
    read = read_context("An orange", (Measured(group="text"),), offsets=[(0, 2), (3, 9)])
    mine, theirs = Pipeline(SimpleNamespace(heads={"foods": Tagger()})).held_to(None, [read, read])
    assert mine == read and theirs.limits.required_findings == ()
    assert Pipeline(SimpleNamespace(heads={})).held_to(None, [read, read]) == [read, read]


@torch.no_grad()
def test_every_head_answers_and_what_it_says_is_typed():
    model = small_model()
    del model.heads["plan"]  # its toy vocabulary has no words
    pipeline, batch = Pipeline(model), draw_batch(0)
    answers = pipeline.answer(pipeline.read(batch.streams))
    for row in range(3):
        for name, answer in pipeline.typed(answers, row).items():
            head = model.heads[name]
            assert (answer.kind, answer.target) == (head.kind, head.target)
            assert set(answer.tags) <= set(head.names) if answer.kind == "spans" else tuple(answer.values) == head.names
            if answer.kind in ("classes", "ordinal"):
                assert abs(sum(answer.values.values()) - 1) < 1e-5


@torch.no_grad()
def test_a_head_that_others_build_on_is_computed_once_in_evaluation():
    model = small_model()
    head, calls = model.heads["classify"], []
    hook = head.register_forward_hook(lambda *_: calls.append(1))
    fused = model.fuse(model.encode(draw_batch(0).streams))
    head.predict(fused)
    model.answer(fused, draw_batch(0).targets)
    hook.remove()
    assert len(calls) == 1
