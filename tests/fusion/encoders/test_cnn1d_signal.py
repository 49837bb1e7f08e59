"""cnn1d_signal: tokens where and when the signal is, and nothing from where it is not."""

import pytest
import torch
from torch.testing import assert_close

from fusion.batch import Stream
from fusion.encoders.cnn1d_signal import CNN1DEncoder


def build(**changes) -> CNN1DEncoder:
    torch.manual_seed(0)
    arguments = dict(dim=8, channels=2, rate_hz=4.0, width=8, num_blocks=2, patch_s=2.0, dropout=0.0)
    return CNN1DEncoder(**arguments | changes).eval()


def stream(steps: int, channels: int = 2) -> Stream:
    generator = torch.Generator().manual_seed(0)
    time_s = (torch.arange(steps) - steps) / 4.0
    values = torch.randn(1, steps, channels, generator=generator)
    return Stream(values, torch.ones(1, steps, dtype=torch.bool), time_s[None])


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("steps", [1, 7, 16, 41])
def test_there_is_a_token_for_every_patch_and_a_summary(steps, stride):
    encoder = build(stride=stride)
    patch = encoder.cnn.stride * encoder.cnn.patch
    tokens, valid, time_s = encoder(stream(steps))
    assert tokens.shape == (1, -(-steps // patch) + 1, 8)
    assert valid.all()
    assert (time_s < 0).all()


def test_a_token_has_the_mean_time_of_its_measured_steps():
    raw = stream(16)
    raw.valid[0, :4] = False
    raw.valid[0, 8:] = False
    _, valid, time_s = build()(raw)
    assert valid.tolist() == [[True, False, True]]
    assert_close(time_s[0, 0], raw.time_s[0, 4:8].mean())
    assert_close(time_s[0, -1], raw.time_s[0, 4:8].mean())


def test_missingness_is_seen():
    raw = stream(16)
    quiet = raw._replace(values=torch.zeros_like(raw.values))
    with_hole = quiet._replace(valid=quiet.valid.clone())
    with_hole.valid[0, 3] = False
    encoder = build()
    assert (encoder(quiet).tokens - encoder(with_hole).tokens).abs().max() > 1e-4


def test_the_summary_sees_a_level_that_the_tokens_of_one_patch_cannot():
    encoder, raw = build(), stream(400)
    moved = raw._replace(values=raw.values.clone())
    moved.values[0, :8] += 5
    difference = (encoder(raw).tokens - encoder(moved).tokens).abs().amax(dim=-1)[0]
    assert difference[0] > 1e-3
    assert difference[-1] > 1e-3
    assert difference[-2] == 0  # far outside the receptive field of the changed steps


def test_a_wrong_channel_count_is_named_with_the_key_to_fix():
    with pytest.raises(ValueError, match=r"has channels=3, its encoder expects channels=2; .*prepare.channels"):
        build()(stream(8, channels=3))


def test_a_width_that_scales_do_not_divide_is_named():
    with pytest.raises(ValueError, match="width=10 is not a multiple of the 4 kernel sizes"):
        build(width=10)
