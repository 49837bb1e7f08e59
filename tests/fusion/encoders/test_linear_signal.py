"""linear_signal: a token a step, of the channels that count."""

import pytest
import torch
from torch.testing import assert_close

from fusion.batch import Stream
from fusion.encoders.linear_signal import LinearSignalEncoder


def build(num_skipped: int = 1) -> LinearSignalEncoder:
    torch.manual_seed(0)
    return LinearSignalEncoder(dim=8, channels=3, num_skipped=num_skipped, dropout=0.0).eval()


def stream(channels: int = 3) -> Stream:
    values = torch.randn(2, 4, channels, generator=torch.Generator().manual_seed(0))
    return Stream(values, torch.ones(2, 4, dtype=torch.bool), torch.arange(-4.0, 0).expand(2, -1))


def test_every_valid_step_is_a_token_at_its_time():
    raw = stream()
    raw.valid[0, 2:] = False
    tokens, valid, time_s = build()(raw)
    assert tokens.shape == (2, 4, 8)
    assert_close(valid, raw.valid)
    assert_close(time_s, raw.time_s)
    assert not tokens[0, 2:].any() and tokens[0, :2].any()


def test_skipped_channels_do_not_count_and_the_others_do():
    raw, encoder = stream(), build()
    for channel, counts in enumerate((False, True, True)):
        changed = raw.values.clone()
        changed[..., channel] += 1
        difference = (encoder(raw._replace(values=changed)).tokens - encoder(raw).tokens).abs().max()
        assert (difference > 1e-3) == counts


@pytest.mark.parametrize("num_skipped", [-1, 3])
def test_skipping_everything_is_named(num_skipped):
    with pytest.raises(ValueError, match=rf"num_skipped={num_skipped} leaves nothing of 3 channels"):
        build(num_skipped)


def test_a_wrong_channel_count_is_named_with_the_key_to_fix():
    with pytest.raises(ValueError, match=r"has channels=2, its encoder expects channels=3; .*prepare.channels"):
        build()(stream(channels=2))
