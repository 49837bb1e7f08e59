"""Levers that change speed and memory, and nothing else: each against the plain step, to the tolerance it states."""

from pathlib import Path

import pytest
import torch
from ddp_job import SMALL, run
from torch import Tensor, nn

from fusion.model import FusionModel
from fusion.training import run as train
from fusion.training.callbacks.journal import read_journal
from fusion.training.compose import compose_config
from fusion.training.execution import execute
from fusion.training.optim import AdamW

DOCUMENTED = "execution.compiled=[fusion, heads.plan.layers.*]"  # in docs/scaling.md
LAYERS = ["encoders.text.backbone.encoder.layer", "encoders.*.cnn.blocks", "fusion.layers", "heads.plan.layers"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three trainings of one process: plain, in two halves of a batch, in half precision."""
    folder = tmp_path_factory.mktemp("execution")
    run(folder / "plain", ["data.batch_size=4"], is_tested=False)
    halves = ["data.batch_size=2", "trainer.accumulate_grad_batches=2"]
    run(folder / "halves", halves, is_tested=False)
    half = ["data.batch_size=4", "trainer.precision=bf16-mixed", "+trainer.max_steps=2"]  # slow where emulated
    run(folder / "bf16", half, is_tested=False)
    return folder


@pytest.fixture(scope="module")
def batch():
    data, _ = train.build(config())
    data.setup()
    return next(iter(data.train_dataloader()))


def config(*overrides: str):
    return compose_config([*SMALL, *overrides])


def step(batch, *overrides: str) -> tuple[Tensor, dict[str, Tensor], int]:
    """Loss and gradients of a step as configured, and the bytes that were kept for the backward pass."""
    _, module = train.build(config(*overrides))
    model, kept = module.model.train(), {}
    torch.manual_seed(1)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.update({t.data_ptr(): t.nbytes}) or t, lambda t: t):
        fused, outputs = model(batch, with_tokens=True)
        loss = module.objective(model, batch, fused, outputs)["loss"]
    loss.backward()
    return loss, {name: p.grad for name, p in model.named_parameters()}, sum(kept.values())


def assert_equal_gradients(got: dict[str, Tensor], wanted: dict[str, Tensor], tolerance: float) -> None:
    """``tolerance``: of a difference, relative to the norm of all gradients."""
    assert got.keys() == wanted.keys()
    norm = torch.cat([g.flatten() for g in wanted.values()]).norm()
    for name in wanted:
        assert (got[name] - wanted[name]).abs().max() <= tolerance * norm, name


def test_recomputed_layers_keep_less_and_change_no_bit(batch):
    """Tolerance 0, with dropout: its draws are repeated."""
    loss, gradients, kept = step(batch, "size.dropout=0.2")
    again, recomputed, kept_of_recomputed = step(batch, "size.dropout=0.2", f"execution.recomputed={LAYERS}")
    assert torch.equal(again, loss)
    assert_equal_gradients(recomputed, gradients, tolerance=0)
    assert kept_of_recomputed < 0.8 * kept


def test_compiled_modules_change_no_gradient(batch):
    """Tolerance 1e-6. By dynamo and autograd's tracer; the inductor's kernels would take a CPU minutes."""
    torch._dynamo.reset()
    _, gradients, _ = step(batch)
    _, compiled, _ = step(batch, DOCUMENTED, "execution.compile.backend=aot_eager")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1
    assert_equal_gradients(compiled, gradients, tolerance=1e-6)


def compiled(model: FusionModel, patterns: list[str]) -> set[str]:
    execute(model, recomputed=[], compiled=patterns, compile={"backend": "aot_eager"})
    return {name for name, module in model.named_modules() if module._compiled_call_impl is not None}


def test_a_star_stands_for_one_part_of_a_name():
    """The pattern of docs/scaling.md: the layers of the plan head, and no norm or product inside them."""
    _, module = train.build(config("size.plan.num_layers=2"))
    assert compiled(module.model, ["fusion", "heads.plan.layers.*"]) == {
        "fusion", "heads.plan.layers.0", "heads.plan.layers.1",
    }  # fmt: skip


def test_what_lies_inside_another_match_is_left_to_it():
    """Two patterns may name one module, or one in another: recomputed or compiled twice, it would be twice the work."""
    _, module = train.build(config())
    assert compiled(module.model, ["fusion.layers.*", "fusion", "fusion", "heads.*.layers"]) == {
        "fusion", "heads.plan.layers.0",
    }  # fmt: skip


def test_accumulated_halves_of_a_batch_give_its_gradients(folder):
    """Tolerance 1e-6, with different numbers of labels and plan tokens in the halves, and an odd one at the end."""
    steps = sorted((folder / "plain").glob("gradients.*"))
    assert len(steps) >= 5 and len(list((folder / "halves").glob("gradients.*"))) == len(steps)
    for path in steps:
        assert_equal_gradients(torch.load(folder / "halves" / path.name), torch.load(path), tolerance=1e-6)


def test_half_precision_gives_the_losses_to_its_three_digits(folder):
    """Tolerance 1 %: bf16 keeps 8 bits. The weights do not move, so every step compares anew. Gradients are clipped."""
    plain, half = (
        [float.fromhex(x["loss"]) for x in read_journal(folder / f / "journal.jsonl.0")] for f in ("plain", "bf16")
    )
    assert half != plain[:2]
    assert half == pytest.approx(plain[:2], rel=1e-2)


def test_fused_optimiser_takes_the_steps_of_the_loop():
    """Tolerance 1e-6 after 20 steps."""
    weights = []
    for is_fused in (True, False):
        torch.manual_seed(0)
        model, x = nn.Linear(8, 8), torch.randn(20, 8)
        recipe = AdamW(
            lr=1e-2, weight_decay=0.05, betas=(0.9, 0.98), backbone_lr_scale=1.0, warmup_fraction=0.1,
            final_fraction=0.01, is_fused=is_fused,
        )  # fmt: skip
        optimizer, schedule = recipe.build(model, num_steps=20)
        assert optimizer.defaults["fused"] is is_fused
        for row in x:
            optimizer.zero_grad()
            model(row).square().sum().backward()
            optimizer.step()
            schedule.step()
        weights.append(model.weight.detach())
    torch.testing.assert_close(*weights, rtol=0, atol=1e-6)


@pytest.mark.parametrize("key", ["recomputed", "compiled"])
def test_a_module_that_is_not_there_is_named(key):
    _, module = train.build(config())
    with pytest.raises(ValueError, match=rf"execution.{key} names 'fusoin', .* its parts are \['encoders.text', "):
        execute(module.model, **{"recomputed": [], "compiled": [], "compile": {}, key: ["fusoin"]})
