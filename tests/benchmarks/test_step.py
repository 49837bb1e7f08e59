"""The step benchmark compares like with like, and its variants differ in what they are named after."""

import pytest
import torch

from benchmarks.naive_step import TEXT_TOKENS, Savings
from benchmarks.step import draws_of, main, switched_step
from fusion.training.compose import compose_config

TINY = ["experiment=fusion_tiny", "data.cohort.missing_rate=0.3", "size.text.max_tokens=64"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return f"paths.cache_dir={tmp_path_factory.mktemp('cache')}"


@pytest.fixture(scope="module")
def step(cache):
    cfg = compose_config([*TINY, cache])
    return switched_step(cfg)


def test_the_naive_version_computes_what_the_fast_one_does(step):
    draws = next(draws_of(step.data, 8))
    step.model.eval()  # no dropout
    naive, fast = Savings(), Savings(skips_absent=True, is_trimmed=True, is_prepared=True)
    losses = [step.loss(step.batch(draws, savings), savings).item() for savings in (naive, fast)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    step.model.train()


def test_every_saving_does_what_its_name_says(step):
    draws = next(draws_of(step.data, 8))
    seen = {}
    hook = step.model.encoders["text"].backbone.register_forward_hook(
        lambda _, __, kwargs, out: seen.update(ids=kwargs["input_ids"].shape, dtype=out.last_hidden_state.dtype),
        with_kwargs=True,
    )
    step.learn(step.batch(draws, Savings()), Savings())
    assert seen["ids"] == (8, TEXT_TOKENS)
    assert step.model.heads["plan"].embed.num_embeddings == 30_522
    every = Savings(skips_absent=True, is_trimmed=True, is_fused=True, has_own_vocabulary=True, is_prepared=True)
    batch = step.batch(draws, every)
    before = step.model.fusion.queries.detach().clone()
    step.learn(batch, every)
    hook.remove()
    text = batch.streams["text"]
    assert seen["ids"] == (text.valid.any(1).sum(), text.valid.shape[1])
    assert step.model.heads["plan"].embed.num_embeddings < 4096
    assert not torch.equal(before, step.model.fusion.queries)
    fused = {key: optimizer.param_groups[0]["fused"] for key, optimizer in step.optimizers.items()}
    assert fused == {(False, False): False, (True, True): True}


def test_both_parts_print_a_ratio_for_every_variant(cache, capsys):
    few = ["--rounds", "1", *TINY, cache, "data.batch_size=4", "data.cohort.num_people=60"]
    ratios = main(["overhead", *few, "logger=csv"])
    assert set(ratios) == {"bare", "lightning"} and ratios["lightning"] == 1
    ratios = main(["naive", *few, "finetune=full"])
    assert set(ratios) == {"naive", "all", *Savings._fields} - {"is_cached"} and ratios["naive"] == 1
    assert "quartiles" in capsys.readouterr().out
