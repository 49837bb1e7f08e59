"""The GPU benchmark goes its whole way on a CPU."""

import math

import pytest
import torch

from benchmarks.gpu import main


def test_everything_is_measured_on_a_tiny_model():
    sizes = ["--steps", "1", "--most", "2", "--people", "1", "3"]
    short = [
        "experiment=fusion_tiny",
        "data.batch_size=2",
        "data.cohort.window_s=20",
        "modality=[text,ppg,photo,audio]",
    ]
    found = main(["--device", "cpu", *short, *sizes])
    parts = {name.removeprefix("ms alone: ") for name in found if name.startswith("ms alone")}
    assert {"encoders.text", "encoders.photo", "fusion", "heads.plan"} <= parts
    assert found["largest batch, records"] == 2 and math.isnan(found["peak memory, GiB"])
    assert found["model FLOPs utilisation"] > 0
    assert sum(name.startswith("ms a step") for name in found) == 4
    assert min(found[f"plan tokens a second, batch {number}"] for number in (1, 3)) > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
def test_without_a_gpu_it_says_what_to_do():
    with pytest.raises(SystemExit, match=r"no GPU here; --device cpu experiment=fusion_tiny"):
        main(["experiment=fusion_large"])
