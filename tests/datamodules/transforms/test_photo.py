"""Photos become upright squares of pixels; what is not a photo is named."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.records import Photo
from datamodules.transforms.base import Prepared
from datamodules.transforms.photo import AugmentPhoto, PreparePhoto

PREPARE = PreparePhoto(image_size=32, max_photos=2)
ORIENTATION = 0x0112  # EXIF tag
RIGHT_TOP = 6  # stored lying on its side: shown turned by 90 degrees clockwise


def encoded(image: Image.Image, **settings) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", **settings)
    return buffer.getvalue()


def photo(image: bytes, time_s: float = 0.0) -> Photo:
    return Photo(key="lunch", image=image, time_s=time_s)


def half_red() -> Image.Image:
    """Red above, black below."""
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    pixels[:32, :, 0] = 255
    return Image.fromarray(pixels)


def test_pixels_are_raw_bytes_of_the_size_asked_for():
    values, valid, time_s = PREPARE((photo(encoded(half_red()), -5.0), photo(encoded(half_red()))))
    assert values.shape == (2, 3, 32, 32) and values.dtype == np.uint8
    assert valid.all() and time_s.tolist() == [-5, 0]
    assert (values[0, 0, 4:12] == 255).all() and (values[0, 0, 20:28] == 0).all() and (values[0, 1:] == 0).all()


def test_the_middle_of_an_oblong_photo_is_kept():
    pixels = np.zeros((40, 120, 3), dtype=np.uint8)
    pixels[:, 40:80] = 255
    values, _, _ = PREPARE((photo(encoded(Image.fromarray(pixels))),))
    assert values[..., 2:-2].min() > 200


def test_a_photo_lying_on_its_side_is_turned_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = RIGHT_TOP
    values, _, _ = PREPARE((photo(encoded(half_red(), exif=exif)),))
    red = values[0, 0]
    assert (red[:, 20:28] == 255).all() and (red[:, 4:12] == 0).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_any_colour_mode_becomes_rgb(mode):
    values, _, _ = PREPARE((photo(encoded(half_red().convert(mode))),))
    assert values.shape == (1, 3, 32, 32)


def test_more_photos_than_are_read_is_a_warning(caplog):
    values, _, _ = PREPARE((photo(encoded(half_red())),) * 3)
    assert len(values) == 2
    assert "3 photos, only the first 2 are read" in caplog.text


@pytest.mark.parametrize("content", [b"", b"not a photo", encoded(half_red())[:90]])
def test_an_unreadable_photo_is_named(content):
    with pytest.raises(ValueError, match=r"photo 'lunch' cannot be read as jpg or png"):
        PREPARE((photo(content),))


def test_a_missing_photo_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"photo 'lunch': no file at .*none.jpg"):
        PREPARE((Photo(key="lunch", image=tmp_path / "none.jpg"),))


def test_a_photo_of_200_megabytes_is_refused_unread(tmp_path):
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(ValueError, match=r"photo 'lunch' has 200 MB, expected at most 50 MB; shrink it or raise"):
        PREPARE((Photo(key="lunch", image=tmp_path / "huge.jpg"),))


def test_a_decompression_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"cannot be read as jpg or png: .*decompression bomb"):
        PREPARE((photo(encoded(half_red())),))


def test_no_photo_at_all_is_named():
    with pytest.raises(ValueError, match="no photo in the record's photos"):
        PREPARE(())


def test_augmenting_follows_the_generator_and_keeps_the_shape():
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)
    prepared = Prepared(noise, np.ones(2, dtype=bool), np.zeros(2))
    augment = AugmentPhoto(min_scale=0.5)
    one, same, other = (augment(prepared, torch.Generator().manual_seed(seed)).values for seed in (1, 1, 2))
    assert one.shape == noise.shape and one.dtype == np.uint8
    np.testing.assert_array_equal(one, same)
    assert (one != other).any() and (one != noise).any()
