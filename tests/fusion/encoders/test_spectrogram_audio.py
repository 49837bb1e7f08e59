"""spectrogram_audio: tokens over time for a recording of any length."""

import pytest
import torch
from scipy.fft import dct
from torch.testing import assert_close

from fusion.batch import Stream
from fusion.encoders.spectrogram_audio import SpectrogramAudioEncoder


def build() -> SpectrogramAudioEncoder:
    torch.manual_seed(0)
    return SpectrogramAudioEncoder(
        dim=8, num_mels=5, num_cepstra=4, hop_s=0.02, width=8, num_blocks=1, patch_s=0.5, dropout=0.0
    ).eval()


def stream(frames: int, mels: int = 5) -> Stream:
    time_s = torch.arange(-frames, 0)[None] * 0.02
    return Stream(torch.randn(1, frames, mels), torch.ones(1, frames, dtype=torch.bool), time_s)


@pytest.mark.parametrize(("seconds", "tokens"), [(0.02, 1), (1.0, 2), (5.0, 10)])
def test_there_are_about_two_tokens_a_second_and_a_summary(seconds, tokens):
    answer = build()(stream(round(seconds / 0.02)))
    assert answer.tokens.shape[1] - 1 == pytest.approx(tokens, abs=1)
    assert answer.valid.all()
    assert (answer.time_s.diff()[0, :-1] > 0).all()


def test_a_wrong_number_of_mel_bands_is_named_with_the_key_to_fix():
    with pytest.raises(ValueError, match=r"has num_mels=6, its encoder expects num_mels=5; .*num_mels"):
        build()(stream(10, mels=6))


def test_cepstra_are_those_of_scipy():
    frames = torch.randn(3, 5)
    expected = torch.from_numpy(dct(frames.numpy(), type=2, norm="ortho")[:, :4])
    assert_close(frames @ build().cosines, expected)
