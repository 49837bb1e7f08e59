"""A small model of every part that conf/ names - encoders, fusions, heads - and batches for it.

Parts are found, not listed: a new file under conf/ is in here, and so in the invariants, without another edit.
"""

from functools import cache
from types import SimpleNamespace

import torch
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf

from fusion.batch import Batch, Stream
from fusion.heads.plan import PlanHead
from fusion.model import FusionModel
from fusion.targets import UNLABELLED
from fusion.training.compose import CONF, compose_config

DIM, VOCABULARY = 16, 50
FUSIONS = sorted(path.stem for path in (CONF / "fusion").glob("*.yaml"))
HEADS = sorted(path.stem for path in (CONF / "head" / "of").glob("*.yaml"))  # templates, one a class
NAMES_OF = {
    "spans": ("O", "B-VEG", "I-VEG"),
    "numbers": ("x", "y"),
}  # by kind; others: a, b, c
TOKENIZER = SimpleNamespace(bos_id=1, eos_id=2, pad_id=0, vocab_size=20, max_length=12)


def composed(*overrides: str) -> DictConfig:
    return compose_config(["experiment=fusion_tiny", "head=none", "finetune=full", *overrides])


@cache
def encoder_nodes() -> dict[str, tuple[DictConfig, DictConfig]]:
    """By modality, one for every encoder class of conf/modality: its encoder and its data side."""
    found, seen = {}, set()
    places = {path.relative_to(CONF / "modality") for path in (CONF / "modality").rglob("*.yaml")}
    for place in sorted(places):
        if place.parts[0] == "of":  # templates, not modalities
            continue
        cfg = composed(f"modality=[{place.with_suffix('').as_posix()}]")
        for name, node in cfg.model.encoders.items():
            if node._target_ not in seen:
                seen.add(node._target_)
                found[name] = (node, cfg.data.modalities[name])
    return found


def modalities() -> dict[str, str]:
    """Modality -> group of the small model."""
    return {name: data.group for name, (_, data) in encoder_nodes().items()}


@cache
def head_nodes() -> dict[str, DictConfig]:
    """By template of conf/head/of, a head that answers a target of its kind under the template's name."""
    overrides = []
    for name in HEADS:
        kind = get_class(OmegaConf.load(CONF / "head" / "of" / f"{name}.yaml")._target_).kind
        names = ",".join(NAMES_OF.get(kind, ("a", "b", "c")))
        overrides += [f"+head/of@model.heads.{name}={name}", f"+data.targets.{name}={{kind: {kind}, names: [{names}]}}"]
    return dict(composed(*overrides).model.heads)


def small_model(fusion: str = "cross_attention") -> FusionModel:
    """Random weights at a fixed seed, in evaluation mode."""
    torch.manual_seed(0)
    node = composed(f"fusion={fusion}").model.fusion
    joined = instantiate(node, dim=DIM, modalities=list(modalities()), dropout=0.1)
    encoders = {}
    for name, (own, _) in encoder_nodes().items():
        untrained = {"weights": "random"} if "weights" in own else {}
        encoders[name] = instantiate(own, dim=DIM, **untrained, _convert_="all")
    heads = {name: instantiate(own, dim=DIM, dropout=0.1, _convert_="all") for name, own in head_nodes().items()}
    for head in heads.values():
        head.fit(torch.randn(8, len(head.names)))
    sizes = {"width": 16, "num_layers": 1, "num_heads": 2, "tokenizer": TOKENIZER}
    heads["plan"] = PlanHead(target="plan", loss_weight=1.0, dim=DIM, dropout=0.1, **sizes)
    return FusionModel(encoders=encoders, groups=modalities(), fusion=joined, heads=heads).eval()


def draw_values(name: str, shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    """What a stream of the modality holds before any scaling, at random."""
    data = encoder_nodes()[name][1]
    if data.group == "text":
        return torch.randint(VOCABULARY, shape, generator=generator)
    if data.group == "photo":
        size = data.prepare.image_size
        return torch.randint(256, (*shape, 3, size, size), generator=generator, dtype=torch.uint8)
    width = data.prepare.num_mels if data.group == "audio" else len(data.prepare.channels)
    if "statistics" in data.prepare._target_:  # one step of statistics a channel
        width = encoder_nodes()[name][0].channels
    return torch.randn(*shape, width, generator=generator)


def draw_batch(seed: int, *, rows: int = 3, present: float = 1.0) -> Batch:
    """``rows`` records of unequal length with holes in them; a modality is there with probability ``present``."""
    generator = torch.Generator().manual_seed(seed)
    streams = {}
    for name, group in modalities().items():
        steps = int(torch.randint(2, 4 if group == "photo" else 40, (), generator=generator))
        length = torch.randint(1, steps + 1, (rows, 1), generator=generator)
        valid = (torch.arange(steps) < length) & (torch.rand(rows, steps, generator=generator) > 0.2)
        valid[:, 0] = True
        valid &= torch.rand(rows, 1, generator=generator) < present
        time_s = torch.arange(-steps, 0).float().expand(rows, -1) * 0.5
        streams[name] = Stream(draw_values(name, (rows, steps), generator), valid, time_s)
    targets = {name: draw_target(name, streams, rows, generator) for name in HEADS}
    targets["plan"] = torch.randint(2, TOKENIZER.vocab_size, (rows, 6), generator=generator)
    names = [f"r{i}" for i in range(rows)]
    return Batch(streams, targets, names, names)


def draw_target(name: str, streams: dict[str, Stream], rows: int, generator: torch.Generator) -> torch.Tensor:
    """Labels for the head of a template, by the kind it answers."""
    kind, names = get_class(head_nodes()[name]._target_).kind, head_nodes()[name].names
    if kind == "spans":
        return torch.where(streams["text"].valid, streams["text"].values % len(names), UNLABELLED)
    if kind == "numbers":
        return torch.randn(rows, len(names), generator=generator)
    if kind == "multilabel":
        return torch.randint(2, (rows, len(names)), generator=generator)
    return torch.randint(len(names), (rows,), generator=generator)
