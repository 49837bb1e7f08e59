"""What every encoder promises to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from fusion.batch import Stream, TokenSet


class Encoder(nn.Module, ABC):
    """Turn one stream into tokens of width ``dim``.

    The model calls an encoder only with the rows that have the modality. An encoder

    * ignores steps with ``valid`` False, whatever their values;
    * gives every token a real ``time_s``;
    * never mixes rows (no batch statistics);
    * names in ``check`` a stream that is not of the size it was built for.

    ``is_cacheable`` encoders have a frozen backbone: ``features`` runs it once, and ``forward`` accepts either raw
    values or those features (told apart by dtype or rank, as each file documents).
    """

    dim: int
    stream_name: str = "<name>"  # whose stream it reads, for messages; the model says so
    is_cacheable: bool = False
    backbone_identity: dict[str, str]  # of a cacheable encoder: what decides its features, beside the prepared stream

    @abstractmethod
    def forward(self, stream: Stream) -> TokenSet:
        """``stream`` (B, T, ...) -> tokens (B, N, dim)."""

    def check(self, values: Tensor) -> None:
        """ValueError unless the raw ``values`` (B, T, ...) of a stream have the size this encoder was built for."""

    def misfit(self, key: str, got: object, expected: object) -> ValueError:
        """What ``check`` raises: ``key`` is the setting about which the two sides disagree."""
        name = self.stream_name
        return ValueError(
            f"stream {name!r} has {key}={got}, its encoder expects {key}={expected}; set "
            f"data.modalities.{name}.prepare.{key} or model.encoders.{name}.{key} (templates of conf/encoder read it "
            f"from the data side)"
        )

    def features(self, stream: Stream) -> Stream:
        """Run the frozen backbone only: raw stream -> (B, T', F) features that ``forward`` also accepts."""
        raise TypeError(f"{type(self).__name__} has no frozen backbone to cache; set its is_frozen or drop the cache")

    def dummy(self, like: Stream) -> Stream:
        """One row of harmless values with every step valid, so that an absent modality still touches every weight."""
        ones: Tensor = like.valid.new_ones((1, like.valid.shape[1]))
        return Stream(like.values.new_zeros((1, *like.values.shape[1:])), ones, like.time_s.new_zeros(ones.shape))
