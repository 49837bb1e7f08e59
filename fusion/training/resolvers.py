"""What templates of conf/ may ask of the place they are put in."""

from __future__ import annotations

from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf


def own_name(levels: int = 0, *, _parent_: DictConfig) -> str:
    """The key under which a template's mapping stands: "tired" in model.heads.tired; ``levels``: of one further out."""
    for _ in range(int(levels)):
        _parent_ = _parent_._get_parent()
    return _parent_._key()


def length(items: ListConfig) -> int:
    """How many: the channels of a stream are counted, never written a second time."""
    return len(items)


def num_channels(prepare: DictConfig) -> int:
    """How many numbers a step of a signal has once it is prepared, asked of the class that prepares it."""
    return instantiate(prepare).absent().values.shape[-1]


def groups_of(modalities: DictConfig) -> DictConfig:
    """By modality, its group, as the data side names it."""
    return OmegaConf.create({name: modality.group for name, modality in modalities.items()})


def answered_by(heads: DictConfig) -> ListConfig:
    """The targets that heads answer, each once: what the data have to serve."""
    return OmegaConf.create(list(dict.fromkeys(head.target for head in heads.values())))


def register() -> None:
    """Make ``${own_name:}`` and the others known to OmegaConf; again is no error."""
    for resolver in (own_name, length, num_channels, groups_of, answered_by):
        OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)
