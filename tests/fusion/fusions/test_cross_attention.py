"""cross_attention: what the fused tokens depend on."""

import pytest
import torch
from torch.testing import assert_close

from fusion.batch import TokenSet
from fusion.fusions.concat import ConcatFusion
from fusion.fusions.cross_attention import CrossAttentionFusion

NAMES = ["a", "b"]


def build(kind: str):
    torch.manual_seed(0)
    if kind == "concat":
        return ConcatFusion(dim=8, modalities=NAMES, dropout=0.0)
    return CrossAttentionFusion(
        dim=8, modalities=NAMES, num_queries=3, num_own=2, num_layers=2, num_heads=2, dropout=0.0
    )


def tokens(num: int, seed: int) -> TokenSet:
    generator = torch.Generator().manual_seed(seed)
    return TokenSet(
        torch.randn(2, num, 8, generator=generator), torch.ones(2, num, dtype=torch.bool), -torch.ones(2, num)
    )


@pytest.mark.parametrize(("kind", "queries"), [("cross_attention", 3 + 2 * len(NAMES)), ("concat", 1)])
def test_fused_tokens_are_all_valid_and_at_the_moment_of_prediction(kind, queries):
    fused = build(kind)({"a": tokens(4, 0), "b": tokens(5, 1)})
    assert fused.tokens.shape == (2, queries, 8)
    assert fused.valid.all()
    assert not fused.time_s.any()


@pytest.mark.parametrize("kind", ["cross_attention", "concat"])
def test_the_same_tokens_mean_something_else_in_another_modality(kind):
    fuse, a, b = build(kind), tokens(4, 0), tokens(4, 1)
    assert (fuse({"a": a, "b": b}).tokens - fuse({"a": b, "b": a}).tokens).abs().max() > 1e-3


def test_order_of_tokens_within_a_modality_is_known_by_their_time_only():
    fuse, a, b = build("cross_attention"), tokens(4, 0), tokens(4, 1)
    flipped = TokenSet(*(x.flip(1) for x in a))
    assert_close(fuse({"a": flipped, "b": b}), fuse({"a": a, "b": b}), atol=1e-5, rtol=0)


def test_a_modality_the_fusion_was_not_built_for_is_refused():
    with pytest.raises(KeyError, match="b"):
        build("cross_attention")({"a": tokens(4, 0)})
