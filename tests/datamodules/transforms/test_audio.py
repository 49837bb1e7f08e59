"""Sound becomes log-mel frames that lie wholly inside the recording."""

import numpy as np
import pytest
import soundfile
import torch

from datamodules.records import Clip
from datamodules.transforms.audio import AugmentMel, PrepareAudio
from datamodules.transforms.base import Prepared

SETTINGS = {
    "rate_hz": 16_000, "max_s": 2.0, "num_mels": 40, "window_s": 0.025, "hop_s": 0.01, "low_hz": 50.0,
    "high_hz": 7600.0, "is_equal_loudness": False,
}  # fmt: skip


def prepare(**changes) -> PrepareAudio:
    return PrepareAudio(**SETTINGS | changes)


def tone(hz: float, length_s: float = 1.0, rate_hz: int = 16_000, gain: float = 0.3) -> np.ndarray:
    return (gain * np.sin(2 * np.pi * hz * np.arange(round(length_s * rate_hz)) / rate_hz)).astype(np.float32)


def clip(samples: np.ndarray, rate_hz: float | None = 16_000) -> Clip:
    return Clip(key="voice", sound=samples, rate_hz=rate_hz, start_s=-5.0)


def test_frames_lie_inside_and_carry_the_time_of_their_centre():
    values, valid, time_s = prepare()(clip(tone(440)))
    assert values.shape == (98, 40)  # (1.0 - 0.025) / 0.01, rounded down, + 1
    assert valid.all()
    np.testing.assert_allclose(time_s[[0, 1, -1]], [-4.9875, -4.9775, -4.0175])


def test_log_mel_is_that_of_librosas_definition():
    """Against the textbook: windowed power spectrum times the filterbank, natural log."""
    samples = np.random.default_rng(0).normal(0, 0.1, 1600).astype(np.float32)
    transform = prepare()
    frame = samples[160:560] * np.hanning(401)[:400]
    power = np.abs(np.fft.rfft(frame)) ** 2
    expected = np.log(power @ transform.to_mel.mel_scale.fb.numpy() + 1e-6)
    np.testing.assert_allclose(transform(clip(samples)).values[1], expected, atol=1e-4)


def test_a_longer_clip_is_cut_and_its_later_part_changes_nothing():
    samples = tone(440, 3.0)
    louder = np.concatenate([samples[:32_000], 3 * samples[32_000:]])
    one, other = (prepare()(clip(x)).values for x in (samples, louder))
    assert len(one) == 198
    np.testing.assert_array_equal(one, other)


def test_another_rate_gives_the_same_frames():
    here, there = (prepare()(clip(tone(440, rate_hz=hz), hz)).values for hz in (16_000, 48_000))
    strong = here > here.max() - 5
    np.testing.assert_allclose(here[strong], there[strong], atol=0.05)


def test_equal_loudness_hides_the_gain():
    quiet, loud = (prepare(is_equal_loudness=True)(clip(tone(440, gain=gain))).values for gain in (0.01, 0.9))
    np.testing.assert_allclose(quiet, loud, atol=1e-3)


def test_a_stereo_file_is_its_mean(tmp_path):
    left, right = tone(440), tone(2000)
    soundfile.write(tmp_path / "s.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    got = prepare()(Clip(key="s", sound=tmp_path / "s.wav", rate_hz=None, start_s=-5.0)).values
    np.testing.assert_allclose(got, prepare()(clip((left + right) / 2)).values, atol=1e-4)


def test_scaled_train_frames_have_mean_0_and_spread_1_and_statistics_travel():
    one, other = prepare(), prepare()
    prepared = [one(clip(np.random.default_rng(i).normal(0, 0.1, 8000).astype(np.float32))) for i in range(4)]
    one.fit(prepared)
    scaled = np.concatenate([one.scale(p).values for p in prepared])
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(0), 1, atol=0.01)
    other.load_state(one.state())
    np.testing.assert_allclose(other.scale(prepared[0]).values, one.scale(prepared[0]).values, atol=1e-6)


def test_without_statistics_nothing_is_passed_raw():
    transform = prepare()
    with pytest.raises(ValueError, match="audio has no statistics"):
        transform.scale(transform(clip(tone(440))))
    assert transform.state() == {}


@pytest.mark.parametrize("state", [{}, {"mean": [0.0] * 40}, {"mean": [0.0] * 39, "std": [1.0] * 39}])
def test_statistics_of_other_frames_are_refused(state):
    with pytest.raises(ValueError, match="expected mean and std of 40 mel bands each"):
        prepare().load_state(state)


@pytest.mark.parametrize(
    ("samples", "rate_hz", "message"),
    [
        (np.zeros(0, np.float32), 16_000, r"clip 'voice' has no samples"),
        (tone(440, 0.01), 16_000, r"clip 'voice' has 160 samples at 16000 Hz, expected at least one frame of 400"),
        (np.full(16_000, np.nan, np.float32), 16_000, r"clip 'voice' has NaN or inf samples"),
        (tone(440), None, r"clip 'voice' has rate_hz None, expected a positive rate"),
        (tone(440), -16_000, r"clip 'voice' has rate_hz -16000, expected a positive rate"),
        (np.zeros((16_000, 2), np.float32), 16_000, r"clip 'voice' has shape \(16000, 2\), expected \(samples,\)"),
    ],
)
def test_bad_samples_are_named(samples, rate_hz, message):
    with pytest.raises(ValueError, match=message):
        prepare()(clip(samples, rate_hz))


def test_a_text_file_as_wav_is_named(tmp_path):
    (tmp_path / "voice.wav").write_text("not a sound")
    with pytest.raises(ValueError, match=r"clip 'v' cannot be read as wav, flac, ogg or mp3"):
        prepare()(Clip(key="v", sound=tmp_path / "voice.wav", rate_hz=None, start_s=0.0))


def test_a_missing_sound_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"clip 'v': no file at"):
        prepare()(Clip(key="v", sound=tmp_path / "none.wav", rate_hz=None, start_s=0.0))


def test_a_sound_of_300_megabytes_is_refused_unread(tmp_path):
    with (tmp_path / "huge.wav").open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(ValueError, match=r"clip 'v' has 300 MB, expected at most 200 MB"):
        prepare()(Clip(key="v", sound=tmp_path / "huge.wav", rate_hz=None, start_s=0.0))


@pytest.mark.parametrize("band", [{"high_hz": 9000.0}, {"low_hz": -1.0}, {"low_hz": 8000.0}])
def test_a_band_the_rate_cannot_hold_is_refused(band):
    with pytest.raises(ValueError, match=r"must lie within 0-8000.0 Hz"):
        prepare(**band)


def test_augmenting_blanks_one_band_and_one_stretch_at_most():
    ones = Prepared(np.ones((100, 40), np.float32), np.ones(100, dtype=bool), np.zeros(100))
    augment = AugmentMel(max_mels=8, max_time_fraction=0.2)
    one, same = (augment(ones, torch.Generator().manual_seed(0)).values for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert 0 < (one == 0).all(axis=0).sum() <= 8
    assert 0 < (one == 0).all(axis=1).sum() <= 20
    assert (ones.values == 1).all(), "the cached frames must not change"


def test_augmenting_moves_what_is_in_a_band_by_the_shift_at_most():
    ramp = np.tile(np.arange(40, dtype=np.float32), (3, 1))
    augment = AugmentMel(max_mels=0, max_time_fraction=0.0, max_shift=5.0)
    given = Prepared(ramp, np.ones(3, dtype=bool), np.zeros(3))
    moved = [augment(given, torch.Generator().manual_seed(i)).values - ramp for i in range(50)]
    middle = np.array([m[0, 5:35] for m in moved])
    assert np.ptp(middle, axis=1).max() < 1e-4  # away from the edges, all bands by the same
    assert -5 <= middle.min() < -3 and 3 < middle.max() <= 5
    assert all(np.abs(ramp + m).max() <= 39 for m in moved)
