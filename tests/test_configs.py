"""Every experiment composes and builds; a misspelt key is an error."""

import re

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
MODALITIES = sorted(
    path.relative_to(CONF / "modality").with_suffix("").as_posix() for path in CONF.rglob("modality/**/*.yaml")
)
TINY = ["experiment=fusion_tiny", "head=[health_state]"]
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
    assert {head.target for head in model.heads.values()} <= set(cfg.data.targets)
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


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["modality=[text,ppg]", "+model.encoders.photo={_target_: x}"],
            r"modality 'photo' is set in model\.encoders\.photo, with no _target_ in data\.modalities\.photo; .*"
            r"drop model\.encoders\.photo",
        ),
        (
            ["modality=[text]", "+data.modalities.ppg={_target_: x}"],
            r"'ppg' is set in data\.modalities\.ppg, with no _target_ in model\.encoders\.ppg;",
        ),
        (  # the data set's settings of a stream that the command line leaves out
            ["data=basicmotions", "modality=[acc_axes]"],
            r"'series' is set in data\.modalities\.series and model\.encoders\.series, with no _target_ in .*series;",
        ),
    ],
)
def test_a_modality_without_stream_or_encoder_is_named_with_the_key_to_drop(overrides, message, tmp_path):
    cfg = composed(*overrides, f"paths.run_dir={tmp_path}")
    for start in (train.build, train.run):  # a run resolves the encoder's interpolations, which would hide the reason
        with pytest.raises(ValueError, match=message):
            start(cfg)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_modality_builds_alone_on_both_sides(modality, tmp_path):
    """Templates, resolvers and the sizes that an encoder reads from the data side fit one another."""
    cfg = composed(*TINY, f"modality=[{modality}]", f"paths.cache_dir={tmp_path}")
    for name, encoder in cfg.model.encoders.items():
        if "weights" in encoder:  # a pretrained backbone may belong to an optional package
            cfg.model.encoders[name].weights = "random"
    data, module = train.build(cfg)
    assert list(data.modalities) == list(module.model.encoders) == list(module.model.groups) != []


def test_the_encoder_follows_the_stream():
    """Nobody writes a number of channels: what a stream emits is counted, also where a setting changes it."""
    cfg = composed(*TINY, "modality=[eda]", "data.modalities.eda.prepare.rate_hz=8.0")
    assert (cfg.model.encoders.eda.channels, cfg.model.encoders.eda.rate_hz) == (4, 8.0)
    cfg.data.modalities.eda.prepare.baseline = "rest_reference"
    assert cfg.model.encoders.eda.channels == 16


def test_a_number_of_channels_that_does_not_fit_is_named_before_any_data_are_read():
    cfg = composed(*TINY, "modality=[eda]", "model.encoders.eda.channels=3")
    message = (
        r"stream 'eda' has channels=4, its encoder expects channels=3; set data\.modalities\.eda\.prepare\.channels or "
        r"model\.encoders\.eda\.channels"
    )
    with pytest.raises(ValueError, match=message):
        train.build(cfg)


def test_an_unknown_derivation_is_named_with_its_stream_and_the_known_ones(tmp_path):
    cfg = composed(*TINY, "modality=[eda]", "data.modalities.eda.prepare.derive=mood", f"paths.run_dir={tmp_path}")
    with pytest.raises(InstantiationException, match="mood") as raised:
        train.run(cfg)
    assert "expected none or one of ['eda_tonic_phasic', 'heart_rate', " in str(raised.value)
    assert str(raised.value).endswith("full_key: data.modalities.eda.prepare")


def test_the_readme_s_new_modality_works_to_the_letter(tmp_path):
    text = (CONF.parent / "README.md").read_text(encoding="utf-8")
    name, recipe = re.search(r"`conf/modality/(\w+)\.yaml`.*?```yaml\n(.*?)```", text, re.DOTALL).groups()
    (tmp_path / "modality").mkdir()
    (tmp_path / "modality" / f"{name}.yaml").write_text(recipe)
    cfg = composed(*TINY, f"modality=[{name}]", f"hydra.searchpath=[file://{tmp_path}]", f"paths.cache_dir={tmp_path}")
    data, module = train.build(cfg)
    assert data.modalities[name].source == name
    assert module.model.encoders[name].channels == 1
    assert module.model.groups == {name: "signals"}
