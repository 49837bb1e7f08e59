"""Photos to pixels of one size."""

# Shapes: T photos, H = W = image_size.

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from datamodules.records import Photo
from datamodules.transforms.base import Augment, Prepare, Prepared

log = logging.getLogger(__name__)


class PreparePhoto(Prepare):
    """Decode, turn upright (EXIF), resize the shorter side and crop the centre square.

    Normalisation is not done here: it travels with the image encoder's weights. ``values``: (T, 3, H, W) uint8.
    """

    def __init__(self, *, image_size: int, max_photos: int, max_megabytes: float = 50.0):
        self.image_size = image_size
        self.max_photos = max_photos
        self.max_megabytes = max_megabytes

    def __call__(self, part: tuple[Photo, ...]) -> Prepared:
        if not part:
            raise ValueError("no photo in the record's photos; leave them out of its parts instead")
        photos = part[: self.max_photos]
        if len(part) > len(photos):
            log.warning("%d photos, only the first %d are read; raise max_photos", len(part), len(photos))
        values = np.stack([self._pixels(photo) for photo in photos])
        return Prepared(values, np.ones(len(photos), dtype=bool), np.array([photo.time_s for photo in photos]))

    def absent(self) -> Prepared:
        pixels = np.zeros((1, 3, self.image_size, self.image_size), dtype=np.uint8)
        return Prepared(pixels, np.zeros(1, dtype=bool), np.zeros(1))

    def _pixels(self, photo: Photo) -> np.ndarray:
        is_file = isinstance(photo.image, Path)
        if is_file and not photo.image.is_file():
            raise ValueError(f"photo {photo.key!r}: no file at {photo.image}")
        megabytes = (photo.image.stat().st_size if is_file else len(photo.image)) / 1e6
        if megabytes > self.max_megabytes:
            raise ValueError(
                f"photo {photo.key!r} has {megabytes:.0f} MB, expected at most {self.max_megabytes:.0f} MB; "
                f"shrink it or raise data.modalities.photo.prepare.max_megabytes"
            )
        try:
            with Image.open(photo.image if is_file else io.BytesIO(photo.image)) as image:
                image.draft("RGB", (2 * self.image_size, 2 * self.image_size))  # lets jpeg decode at a smaller scale
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"photo {photo.key!r} cannot be read as jpg or png: {error}") from error
        square = ImageOps.fit(upright, (self.image_size, self.image_size), Image.Resampling.BICUBIC)
        return np.asarray(square).transpose(2, 0, 1)


class AugmentPhoto(Augment):
    """Mirror half of the photos and crop each to a random square of at least ``min_scale`` of the side."""

    def __init__(self, *, min_scale: float):
        self.min_scale = min_scale

    def __call__(self, prepared: Prepared, generator: torch.Generator) -> Prepared:
        mirror, scale, x, y = torch.rand(4, generator=generator).tolist()
        pixels = torch.from_numpy(np.ascontiguousarray(prepared.values))
        size = pixels.shape[-1]
        side = max(1, round(size * (self.min_scale + (1 - self.min_scale) * scale)))
        left, top = round(x * (size - side)), round(y * (size - side))
        crop = pixels[..., top : top + side, left : left + side].float()
        crop = torch.nn.functional.interpolate(crop, size=(size, size), mode="bilinear", antialias=True)
        if mirror < 0.5:
            crop = crop.flip(-1)
        return prepared._replace(values=crop.round().clamp(0, 255).to(torch.uint8).numpy())
