"""Every experiment composes and builds; a misspelt key is an error."""

import pytest
import torch
from hydra.errors import ConfigCompositionException, InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from pytorch_lightning.callbacks import EMAWeightAveraging

from fusion.training import run as train
from fusion.training.compose import CONF, compose_config

EXPERIMENTS = sorted(
    p.relative_to(CONF / "experiment").with_suffix("").as_posix() for p in CONF.rglob("experiment/**/*.yaml")
)
ON_META = ("fusion_base", "fusion_large")  # too large or too remote to build for real here
EXTRAS = {"composed_voice": ["model.encoders.voice.weights=random"]}  # their packages are optional
OFFLINE = ["size.text.weights=random", "size.photo.weights=random"]


def composed(*overrides: str):
    return compose_config([*overrides])


def test_every_experiment_is_counted():
    assert len(EXPERIMENTS) == len(list((CONF / "experiment").rglob("*.yaml"))) >= 5


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment_builds(experiment, tmp_path):
    on_meta = experiment in ON_META
    cfg = composed(
        f"experiment={experiment}",
        f"paths.cache_dir={tmp_path}",
        f"paths.data_dir={tmp_path}",
        *(OFFLINE if on_meta else EXTRAS.get(experiment, [])),
    )
    OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    with torch.device("meta" if on_meta else "cpu"):
        model = instantiate(cfg.model, _convert_="all")
    assert set(model.encoders) == set(cfg.data.modalities)
    assert set(model.heads) == set(cfg.objective.weights) == set(cfg.metrics)
    instantiate(cfg.optim)
    instantiate(cfg.objective)
    train.build_callbacks(cfg, has_log=True)
    if not on_meta:
        instantiate(cfg.trainer, logger=False)


@pytest.mark.parametrize("debug", ["fast", "overfit", "profile"])
def test_debug_wins_over_the_experiment(debug):
    assert composed(f"debug={debug}", "experiment=fusion_tiny").trainer.max_epochs == {"overfit": 100}.get(debug, 1)


@pytest.mark.parametrize(
    ("finetune", "fusion"), [("frozen", "cross_attention"), ("full", "cross_attention"), ("top", "concat")]
)
def test_ways_of_training_and_fusing_build(finetune, fusion):
    cfg = composed(f"finetune={finetune}", f"fusion={fusion}")
    trainable = sum(p.numel() for p in instantiate(cfg.model, _convert_="all").parameters() if p.requires_grad)
    assert (trainable > 20e6) == (finetune == "full")


def test_a_modality_list_gives_exactly_these_streams_and_encoders():
    cfg = composed("modality=[text,ppg]")
    assert list(cfg.model.encoders) == list(cfg.data.modalities) == ["text", "ppg"]


@pytest.mark.parametrize("callbacks", sorted(path.stem for path in (CONF / "callbacks").glob("*.yaml")))
@pytest.mark.parametrize(("averaging", "decay"), [("none", None), ("ema", 0.99), ("ema_short", 0.98)])
def test_callbacks_of_any_kind_go_with_averaging_of_any_kind(callbacks, averaging, decay):
    """A run that may be preempted, or writes a journal, averages the weights as the experiment says."""
    cfg = composed(f"callbacks={callbacks}", f"averaging={averaging}")
    with_log = train.build_callbacks(cfg, has_log=True)
    assert sum(isinstance(one, EMAWeightAveraging) for one in with_log) == (decay is not None)
    assert OmegaConf.select(cfg, "callbacks.ema.decay") == decay
    assert len(train.build_callbacks(cfg, has_log=False)) == len(with_log) - 1  # rates of learning go to no log


def test_a_setting_of_a_callback_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"callbacks\.ema is \{'decay': 0\.98\}, expected a callback with a _target_"):
        train.build_callbacks(composed("averaging=none", "+callbacks.ema.decay=0.98"), has_log=True)


@pytest.mark.parametrize("override", ["sed=1", "monitor.metrik=x", "optimm.lr=1", "size.dropot=1", "paths.cach_dir=x"])
def test_a_misspelt_key_of_the_schema_is_an_error(override):
    with pytest.raises(ConfigCompositionException, match=override.split("=")[0].split(".")[0]):
        composed(override)


@pytest.mark.parametrize("key", ["sed", "size.dropot", "size.text.lenght", "finetune.is_frozn"])
def test_a_key_that_was_added_and_is_read_by_nothing_is_an_error(key):
    with pytest.raises(ValueError, match=f"no key {key} is read by anything"):
        train.build(composed("experiment=fusion_tiny", f"+{key}=1"))


@pytest.mark.parametrize(
    "override",
    ["+optim.learning_rate=1", "+model.fusion.num_layer=2", "+data.batchsize=4", "+data.modalities.ppg.grup=x"],
)
def test_a_misspelt_deeper_key_is_an_error(override, tmp_path):
    cfg = composed(override, "experiment=fusion_tiny", f"paths.cache_dir={tmp_path}")
    with pytest.raises(InstantiationException, match="unexpected keyword"):
        train.build(cfg)


def test_one_sided_modality_is_an_error():
    cfg = composed("modality=[text,ppg]", "+model.encoders.photo={}")
    with pytest.raises(ValueError, match=r"\['photo'\] is configured on one side only"):
        train.build(cfg)
