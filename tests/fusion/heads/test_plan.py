"""plan: the decoder is causal, its cache changes nothing, its loss counts plan tokens only."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from fusion.batch import TokenSet
from fusion.heads.plan import PlanHead
from fusion.plan import load_tokenizer

TOKENIZER = SimpleNamespace(bos_id=1, eos_id=2, pad_id=0, vocab_size=12, max_length=10)


def build(**changes) -> PlanHead:
    torch.manual_seed(0)
    sizes = dict(dim=8, width=16, num_layers=2, num_heads=2, dropout=0.0, tokenizer=TOKENIZER)
    return PlanHead(target="plan", loss_weight=1.0, **sizes | changes).eval()


@pytest.fixture
def fused() -> TokenSet:
    torch.manual_seed(1)
    return TokenSet(torch.randn(6, 3, 8), torch.ones(6, 3, dtype=torch.bool), torch.zeros(6, 3))


def test_cached_generation_equals_uncached_argmax(fused):
    head = build()
    for layer in head.layers:
        layer.read.out.weight.data *= 20  # an untrained decoder would otherwise write one plan for everyone
    ids = torch.zeros(6, 0, dtype=torch.long)
    for _ in range(TOKENIZER.max_length):
        target = torch.cat([ids, torch.full((6, 1), -100)], dim=1)
        ids = torch.cat([ids, head(fused, target)[:, -1:].argmax(-1)], dim=1)
    head.eos_id = int(ids[0, 2])  # so that one plan ends early and the others are still being written
    written = head.generate(fused)
    for row in range(6):
        expected = ids[row].tolist()
        length = expected.index(head.eos_id) + 1 if head.eos_id in expected else len(expected)
        assert written[row, :length].tolist() == expected[:length]
        assert not written[row, length:].any()
    assert len({tuple(row) for row in written.tolist()}) > 1, "one plan for everyone: the fused tokens are not read"


def test_half_precision_writes_by_the_exact_logits_of_its_weights(fused):
    """On a CPU the writer widens the weights once: no rounding between layers, and faster (benchmarks/decode.py)."""
    head, wide = build().to(torch.bfloat16), build()
    wide.load_state_dict(head.state_dict())
    half = fused._replace(tokens=fused.tokens.to(torch.bfloat16))
    memory = head.memory(half.tokens).float()
    wide.memory = torch.nn.Identity()
    expected = wide(half._replace(tokens=memory), torch.full((6, 1), -100))[:, 0]
    with torch.inference_mode():
        assert_close(head._writer(half).step(torch.full((6,), head.bos_id)), expected)


def test_generation_stops_when_every_row_has_ended(fused):
    head = build()
    with torch.no_grad():
        head.norm.weight.zero_()
        head.norm.bias.copy_(head.embed.weight[2] * 10)  # <eos> wins everywhere
    assert head.generate(fused).tolist() == [[2]] * 6


def test_a_position_never_sees_its_own_or_later_tokens(fused):
    head = build()
    target = torch.randint(3, 12, (6, 8))
    changed = target.clone()
    changed[:, 4:] = 3
    a, b = head(fused, target), head(fused, changed)
    assert_close(a[:, :5], b[:, :5])
    assert (a[:, 5:] - b[:, 5:]).abs().max() > 1e-3


def test_the_loss_is_the_mean_over_labelled_tokens(fused):
    head = build()
    target = torch.randint(3, 12, (6, 8))
    target[0] = -100
    target[1, 3:] = -100
    logits = head(fused, target)
    kept = target != -100
    assert_close(head.loss(logits, target), F.cross_entropy(logits[kept], target[kept]))
    assert head.is_labelled(target).tolist() == [False] + [True] * 5


def test_without_plans_the_loss_is_zero_and_gradients_are_zeros(fused):
    head = build()
    target = torch.full((6, 4), -100)
    loss = head.loss(head(fused, target), target)
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


def test_the_vocabulary_is_that_of_the_plan_tokenizer():
    tokenizer = load_tokenizer()
    head = PlanHead(target="plan", loss_weight=10.0, dim=8, width=16, num_layers=1, num_heads=2, dropout=0.0)
    assert head.embed.num_embeddings == tokenizer.vocab_size
    assert head.max_length == tokenizer.max_length


def test_mistakes_are_named(fused):
    with pytest.raises(ValueError, match="taught by its target, got None"):
        build()(fused)
    with pytest.raises(ValueError, match="plan target has 11 tokens, the head writes at most 10"):
        build()(fused, torch.zeros(6, 11, dtype=torch.long))
