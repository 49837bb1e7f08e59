"""Greedy, beam and sampled writing: each against what it should find, free and within limits."""

from itertools import product
from types import SimpleNamespace

import pytest
import torch
from torch.testing import assert_close

from fusion.batch import TokenSet
from fusion.heads.plan import PlanHead
from fusion.plan import Plan, load_tokenizer, parse
from fusion.plan.rules.limits import NO_LIMITS, Limits, Measured

TINY = SimpleNamespace(bos_id=1, eos_id=2, pad_id=0, vocab_size=5, max_length=4)


def build(tokenizer=None, **changes) -> PlanHead:
    """An untrained decoder that reads people strongly, so that they get different plans."""
    torch.manual_seed(0)
    head = PlanHead(
        target="plan",
        loss_weight=10.0,
        dim=8,
        width=16,
        num_layers=2,
        num_heads=2,
        dropout=0.3,
        tokenizer=tokenizer,
        **changes,
    )
    for layer in head.layers:
        layer.read.out.weight.data *= 20
    head.embed.weight.data *= 20
    return head.eval()


def people(num_rows: int) -> TokenSet:
    tokens = torch.randn(num_rows, 3, 8, generator=torch.Generator().manual_seed(1))
    return TokenSet(tokens, torch.ones(num_rows, 3, dtype=torch.bool), torch.zeros(num_rows, 3))


def log_probability(head: PlanHead, fused: TokenSet, ids: torch.Tensor) -> torch.Tensor:
    """(B,): of ids (B, P) up to and with <eos>."""
    target = ids.masked_fill(ids == head.pad_id, -100)
    logits = head(fused, target).log_softmax(-1)
    said = logits.gather(2, ids[..., None])[..., 0]
    return said.masked_fill(target == -100, 0).sum(dim=1)


def every_text(head: PlanHead) -> torch.Tensor:
    """All texts of the tiny vocabulary: closed by <eos>, or cut at max_length. <pad> would be taken for the end."""
    texts = set()
    for tokens in product([1, 2, 3, 4], repeat=4):
        end = tokens.index(2) + 1 if 2 in tokens else 4
        texts.add(tokens[:end] + (0,) * (4 - end))
    return torch.tensor(sorted(texts))


def without_pad(head: PlanHead) -> PlanHead:
    """Make <pad> unlikely everywhere: the last feature of every position points away from it."""
    with torch.no_grad():
        head.norm.weight[-1], head.norm.bias[-1] = 0, 50.0
        head.embed.weight[:, -1] = 0
        head.embed.weight[head.pad_id, -1] = -1
    return head


def test_wide_beams_find_the_most_likely_of_all_texts():
    head, fused = without_pad(build(TINY)), people(6)
    texts = every_text(head)
    written = head.generate(fused, method="beam", num_beams=150)
    with torch.no_grad():
        for row in range(6):
            one = TokenSet(*(part[row : row + 1].expand(len(texts), *part.shape[1:]) for part in fused))
            best = texts[log_probability(head, one, texts).argmax()]
            assert written[row].tolist() == best[: written.shape[1]].tolist()
            assert not best[written.shape[1] :].any()
    assert len({tuple(row) for row in written.tolist()}) > 1


def test_one_beam_is_greedy_and_more_are_no_less_likely():
    head, fused = build(), people(4)
    limits = [NO_LIMITS, Limits(is_referral_only=True), Limits(measured=()), NO_LIMITS]
    greedy = head.generate(fused, limits=limits)
    assert torch.equal(head.generate(fused, limits=limits, method="beam", num_beams=1), greedy)
    wide = head.generate(fused, limits=limits, method="beam", num_beams=4)
    for row, allowed in zip(wide.tolist(), limits, strict=True):
        plan = parse(load_tokenizer().decode(row))
        assert isinstance(plan, Plan) and allowed.violations(plan) == []


def test_sampling_follows_the_probabilities():
    head, fused = without_pad(build(TINY)), people(1)
    many = TokenSet(*(part.expand(4000, *part.shape[1:]) for part in fused))
    generator = torch.Generator().manual_seed(0)
    first = head.generate(many, method="sample", generator=generator)[:, 0]
    with torch.no_grad():
        expected = head(fused, torch.tensor([[2]]))[0, 0].softmax(-1)
    assert_close(first.bincount(minlength=5) / 4000, expected, atol=0.03, rtol=0)


def test_top_p_and_temperature_narrow_the_choice_down_to_greedy():
    head, fused = build(TINY), people(6)
    greedy = head.generate(fused)
    assert torch.equal(head.generate(fused, method="sample", top_p=1e-6), greedy)
    assert torch.equal(head.generate(fused, method="sample", temperature=1e-4), greedy)
    a, b = (head.generate(fused, method="sample", generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(a, b)


@pytest.mark.parametrize(("method", "options"), [("greedy", {}), ("beam", {"num_beams": 3}), ("sample", {})])
def test_a_constrained_head_writes_plans_whatever_its_weights(method, options):
    head = build(is_constrained=True)
    for row in head.generate(people(5), method=method, **options).tolist():
        assert isinstance(parse(load_tokenizer().decode(row)), Plan)


def test_every_row_stays_within_its_own_limits_and_in_its_place():
    head, fused = build(), people(5)
    referral = Limits(is_referral_only=True, referrals=("crisis_support_now",))
    limits = [
        NO_LIMITS,
        referral,
        Limits(activities=("swimming",), gauges=("rpe",), required_limit=("nuts", "gluten")),
        Limits(measured=(Measured(group="audio", span_s=5),), lowest_energy_kcal=0),
        referral,
    ]
    together = head.predict(fused, limits)
    for row, allowed in enumerate(limits):
        alone = head.predict(TokenSet(*(part[row : row + 1] for part in fused)), [allowed])[0]
        assert together[row, : len(alone)].tolist() == alone.tolist(), "a row's plan depends on its batch mates"
        assert not together[row, len(alone) :].any()
        plan = parse(load_tokenizer().decode(alone.tolist()))
        assert allowed.violations(plan) == []


def test_writing_uses_no_dropout_and_leaves_ordinary_tensors():
    head, fused = build(), people(2)
    expected = head.generate(fused, limits=[NO_LIMITS] * 2)
    assert torch.equal(head.train().generate(fused, limits=[NO_LIMITS] * 2), expected)
    assert not expected.is_inference()


def test_mistakes_are_named():
    head, fused = build(), people(2)
    with pytest.raises(ValueError, match="decoding method 'best' is unknown, expected one of greedy, beam, sample"):
        head.generate(fused, method="best")
    with pytest.raises(ValueError, match="method='greedy' has no option num_beams, expected some of: none"):
        head.generate(fused, num_beams=2)
    with pytest.raises(ValueError, match="num_beams=0, expected at least 1"):
        head.generate(fused, method="beam", num_beams=0)
    with pytest.raises(ValueError, match="temperature=0, expected more than 0"):
        head.generate(fused, method="sample", temperature=0)
    with pytest.raises(ValueError, match=r"top_p=1.5, expected more than 0 and at most 1"):
        head.generate(fused, method="sample", top_p=1.5)
    with pytest.raises(ValueError, match="3 limits for 2 rows; give one a row"):
        head.generate(fused, limits=[NO_LIMITS] * 3)
    with pytest.raises(ValueError, match=r"max_length=5 tokens cut off a plan.*raise the plan head's max_length"):
        build(max_length=5).generate(fused, limits=[NO_LIMITS] * 2)
    with pytest.raises(ValueError, match=r"max_length=100 may cut plans off.*raise model.heads.plan.max_length"):
        build(max_length=100, is_constrained=True)
