"""speaker_audio: a token a window, blind to padding, the published network where its package is there."""

from importlib.util import find_spec

import pytest
import torch
from torch.testing import assert_close

from fusion.batch import Stream
from fusion.encoders.speaker_audio import HIDDEN, WINDOW, SpeakerAudioEncoder


def build(weights: str = "random") -> SpeakerAudioEncoder:
    torch.manual_seed(0)
    return SpeakerAudioEncoder(dim=8, name="resemblyzer", weights=weights).eval()


def stream(frames: int, mels: int = 40) -> Stream:
    return Stream(
        torch.randn(1, frames, mels),
        torch.ones(1, frames, dtype=torch.bool),
        torch.arange(-frames, 0)[None] * 0.01,
    )


@pytest.mark.parametrize(("frames", "tokens"), [(98, 1), (160, 1), (161, 2), (500, 4)])
def test_there_is_a_token_every_window(frames, tokens):
    answer = build()(stream(frames))
    assert answer.tokens.shape == (1, tokens, 8) and answer.valid.all()
    assert (answer.time_s.diff() > 0).all()


@pytest.mark.parametrize("extra", [30, WINDOW])
def test_padding_is_invisible(extra):
    short = stream(98)
    noise = torch.full((1, extra, 40), 9.0)
    longer = Stream(
        torch.cat([short.values, noise], 1),
        torch.cat([short.valid, torch.zeros(1, extra, dtype=torch.bool)], 1),
        torch.cat([short.time_s, torch.zeros(1, extra)], 1),
    )
    encoder = build()
    assert_close(encoder(longer).tokens[:, :1], encoder(short).tokens, atol=1e-5, rtol=0)
    assert encoder(longer).valid.sum() == 1


def test_cached_features_give_the_same_tokens_and_the_network_stays_frozen():
    encoder, clip = build(), stream(200)
    features = encoder.features(clip)
    assert features.values.shape == (1, 2, 2 * HIDDEN)
    assert_close(encoder(features).tokens, encoder(clip).tokens)
    encoder.train()(clip).tokens.sum().backward()
    assert all(weight.grad is None for weight in encoder.lstm.parameters())


def test_wrong_bands_and_missing_weights_are_named():
    with pytest.raises(ValueError, match="num_mels=64, the speaker network reads 40"):
        build()(stream(98, mels=64))
    with pytest.raises(ValueError, match=r"'nowhere\.pt' not found"):
        SpeakerAudioEncoder(dim=8, name="nowhere.pt", weights="pretrained")


@pytest.mark.skipif(find_spec("resemblyzer") is None, reason="the extra `voice` (package resemblyzer) is not installed")
def test_the_published_embedding_is_a_unit_vector():
    embedding = build("pretrained").features(stream(160)).values[0, 0, :HIDDEN]
    assert_close(embedding.norm(), torch.tensor(1.0)) and (embedding >= 0).all()
