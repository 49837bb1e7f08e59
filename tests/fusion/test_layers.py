"""layers.py against reference implementations."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from fusion import layers
from fusion.layers import Attention, Dropout, KeysValues, TimeEncoding, attend, drop


def test_attention_agrees_with_torch_multihead_attention():
    torch.manual_seed(0)
    attention = Attention(dim=16, num_heads=4, dropout=0.0).eval()
    reference = nn.MultiheadAttention(16, 4, batch_first=True).eval()
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([attention.query.weight, attention.key_value.weight]))
        reference.in_proj_bias.copy_(torch.cat([attention.query.bias, attention.key_value.bias]))
        reference.out_proj.load_state_dict(attention.out.state_dict())
    x, context = torch.randn(3, 5, 16), torch.randn(3, 7, 16)
    valid = torch.rand(3, 7) > 0.4
    valid[:, 0] = True
    expected, _ = reference(x, context, context, key_padding_mask=~valid)
    assert_close(attention(x, context, valid), expected, atol=1e-6, rtol=1e-5)


def test_kept_keys_and_values_give_what_causal_attention_gives():
    torch.manual_seed(0)
    attention = Attention(dim=8, num_heads=2, dropout=0.0).eval()
    x = torch.randn(2, 4, 8)
    expected = attention(x, x, is_causal=True)
    kept = attention.read(x)
    for step in range(4):
        past = KeysValues(*(part[:, :, : step + 1] for part in kept))
        assert_close(attention(x[:, step : step + 1], past)[:, 0], expected[:, step])


@pytest.mark.parametrize("kind", ["plain", "masked", "causal"])
def test_attention_with_dropout_is_torchs_but_for_the_draw(kind, monkeypatch):
    torch.manual_seed(0)
    query, keys, values = (torch.randn(2, 3, 5, 8, requires_grad=True) for _ in range(3))
    mask = torch.tensor([[True, True, False, True, False], [True] * 5])[:, None, None] if kind == "masked" else None
    monkeypatch.setattr(layers, "drop", lambda x, p: x)  # attend without the draw
    ours = attend(query, keys, values, mask=mask, dropout=0.5, is_causal=kind == "causal")
    theirs = attend(query, keys, values, mask=mask, dropout=0.0, is_causal=kind == "causal")
    assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_attention_drops_what_it_reads_only_while_it_trains():
    attention, x = Attention(dim=8, num_heads=2, dropout=0.5), torch.randn(2, 4, 8)
    assert not torch.equal(attention(x, x), attention(x, x))
    attention.eval()
    assert torch.equal(attention(x, x), attention(x, x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_keeps_the_mean_and_passes_gradients_where_it_kept(dtype):
    torch.manual_seed(0)
    x = torch.ones(300, 401, dtype=dtype, requires_grad=True)
    y = drop(x, 0.1)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
    assert (y == 0).float().mean().item() == pytest.approx(26 / 256, abs=0.004)
    assert set(y.unique().tolist()) == {0.0, torch.tensor(256 / 230, dtype=dtype).item()}
    torch.manual_seed(0)
    assert torch.equal(drop(x, 0.1), y) and not torch.equal(drop(x, 0.1), y)


def test_dropout_does_nothing_outside_training():
    x = torch.randn(9, 7)
    assert torch.equal(Dropout(0.5).eval()(x), x) and torch.equal(Dropout(0.0)(x), x)


def test_a_width_that_heads_do_not_divide_is_named():
    with pytest.raises(ValueError, match="width 10 is not a multiple of num_heads=4"):
        Attention(dim=10, num_heads=4, dropout=0.0)


@pytest.mark.parametrize("shift_s", [-1.0, -60.0, -3600.0, -86_400.0])
@pytest.mark.parametrize("time_s", [0.0, -1.0, -180.0, -7 * 86_400.0])
def test_times_apart_are_told_apart(time_s, shift_s):
    torch.manual_seed(0)
    encode = TimeEncoding(dim=16)
    near, far = encode(torch.tensor([[time_s, time_s + shift_s]]))[0]
    assert (near - far).abs().max() > 1e-4
    assert torch.isfinite(near).all()
