"""The planner counts what a real step takes."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from fusion.apps.plan_run import GIB, HARDWARE, main, memory_gib, step_s
from fusion.apps.step_cost import flop_counter, full_batch, measure
from fusion.batch import Batch, Stream
from fusion.training import run as train
from fusion.training.compose import compose_config


def composed(*overrides: str):
    settings = ["experiment=fusion_tiny", "finetune=full", "data.batch_size=2"]
    return compose_config([*settings, *overrides])


@pytest.fixture(scope="module")
def counted():
    """(cost on meta, real model, real batch of the same sizes)."""
    cfg = composed()
    model = train.instantiate(cfg.model, _convert_="all").train()
    batch = full_batch(cfg, model)
    valid = {name: stream._replace(values=torch.zeros_like(stream.values)) for name, stream in batch.streams.items()}
    return measure(cfg), model, Batch({n: Stream(*s) for n, s in valid.items()}, *batch[1:])


def test_operations_and_parameters_are_those_of_a_real_step(counted):
    cost, model, batch = counted
    objective = train.instantiate(composed().objective, _convert_="all")
    # the CPU's fused attention is not in the counter's table, the plain one is
    with sdpa_kernel(SDPBackend.MATH), flop_counter() as counter:
        fused, outputs = model(batch, with_tokens=True)
        loss = objective(model, batch, fused, outputs)["loss"]
        parts = counter.get_flop_counts()
        loss.backward()
    for part, flops in cost.forward_flops.items():
        assert part == "other heads" or flops == sum(parts.get(f"FusionModel.{part}", {}).values()), part
    assert 0 <= cost.forward_flops["other heads"] < 0.1 * sum(cost.forward_flops.values())
    assert cost.step_flops == counter.get_total_flops() > 0
    assert cost.num_parameters == sum(p.numel() for p in model.parameters())


def test_a_stream_has_the_channels_that_its_prepare_emits():
    """Four for each one named, where they are set against the person's rest."""
    cfg = composed("modality=[vs_rest/eda]", "head=[health_state]", "data.cohort.window_s=20")
    assert full_batch(cfg, train.instantiate(cfg.model, _convert_="all")).streams["eda"].values.shape == (2, 80, 16)
    assert measure(cfg).step_flops > 0


@pytest.mark.parametrize("groups", [1, 4, 8])
def test_the_gradients_of_a_convolution_take_twice_its_forward_pass(groups):
    conv, x = torch.nn.Conv1d(8, 8, 3, groups=groups), torch.randn(2, 8, 10, requires_grad=True)
    with flop_counter() as forward:
        y = conv(x)
    with flop_counter() as backward:
        y.sum().backward()
    assert forward.get_total_flops() == 2 * 2 * 8 * 8 * (8 // groups) * 3  # 2 x rows x steps x out x in / groups x size
    assert backward.get_total_flops() == 2 * forward.get_total_flops()


def test_activations_are_those_that_autograd_keeps(counted):
    cost, model, batch = counted
    ours = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in ours:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        fused, outputs = model(batch, with_tokens=True)
        train.instantiate(composed().objective, _convert_="all")(model, batch, fused, outputs)
    assert cost.activation_bytes == pytest.approx(sum(kept.values()), rel=0.1)


def test_sharding_divides_the_states_and_nothing_else(counted):
    cost, *_ = counted
    ddp, fsdp = (memory_gib(cost, strategy, 4, 1.0) for strategy in ("ddp", "fsdp2"))
    assert ddp["parameters"] == 4 * fsdp["parameters"] == 4 * cost.num_parameters / GIB
    assert ddp["optimiser state"] == 8 * cost.num_trainable / GIB and ddp["activations"] == fsdp["activations"]
    alone = step_s(cost, "ddp", {**HARDWARE, "gpus": 1.0})
    assert alone["communication"] == 0 and alone["arithmetic"] == step_s(cost, "fsdp2", HARDWARE)["arithmetic"]


def test_the_plan_of_the_large_model_is_printed(capsys):
    assert main(["experiment=fusion_large", "gpus=8", "memory_gib=10"]) == 0
    said = capsys.readouterr().out
    assert "8 GPUs" in said and "NO (" in said and "encoders.text" in said


def test_hardware_that_is_no_number_is_named(capsys):
    assert main(["gpus=eight"]) == 2
    assert capsys.readouterr().err == "error: gpus is 'eight', expected a number such as gpus=8\n"


def test_a_stream_of_unknown_length_is_named():
    with pytest.raises(ValueError, match=r"modality 'ppg': no longest length .*give data.cohort.window_s"):
        measure(composed("data.cohort.window_s=null"))
