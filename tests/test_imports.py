"""Who may import whom (the map in README.md), read from the source itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENTRY_POINTS = {
    "fusion/evaluate.py",
    "fusion/export.py",
    "fusion/predict.py",
    "fusion/red_team.py",
    "fusion/sweep.py",
    "fusion/plan_run.py",
    "datamodules/audit.py",
}
FILES = sorted(
    p.relative_to(ROOT).as_posix() for room in ("fusion", "datamodules") for p in (ROOT / room).rglob("*.py")
)


def imports(name: str) -> set[str]:
    """Every module named in an import statement of a file, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def users(module: str) -> set[str]:
    """Files that import ``module`` or something in it."""
    return {name for name in FILES if any(i == module or i.startswith(f"{module}.") for i in imports(name))}


def inside(*places: str) -> set[str]:
    return {name for name in FILES if name.startswith(places)}


def test_the_map_covers_the_packages():
    assert len(FILES) > 40


def test_the_model_never_imports_data():
    reads_recordings = {"fusion/loaded.py"}  # behind fusion.load: an exported model brings its preprocessing
    assert users("datamodules") & inside("fusion/") <= ENTRY_POINTS | reads_recordings


def test_data_reach_the_model_side_over_the_named_bridges_only():
    bridges = {
        "fusion.batch": inside("datamodules/"),
        # what a plan follows from (labels), and what code knows of a record (known.py and what carries it)
        "fusion.plan": {
            f"datamodules/{name}.py"
            for name in ("dataset", "synthetic", "rule", "known", "collate", "base", "diet_spans")
        }
        | inside("datamodules/composed", "datamodules/simulate/"),
        "fusion.weights": {"datamodules/transforms/text.py"},
        "fusion.config": {"datamodules/audit.py"},
    }
    for name in inside("datamodules/"):
        for module in (m for m in imports(name) if m and m.startswith("fusion.")):
            allowed = [bridge for bridge, files in bridges.items() if module.startswith(bridge) and name in files]
            assert allowed, f"{name} imports {module}"


@pytest.mark.parametrize("library", ["hydra", "omegaconf"])
def test_only_entry_points_read_configuration(library):
    assert users(library) <= ENTRY_POINTS


def test_the_plan_domain_needs_no_torch():
    domain = inside("fusion/plan/")
    for library in ("torch", "pytorch_lightning", "transformers", "numpy"):
        assert not users(library) & domain


def test_lightning_stays_in_what_trains():
    training = {"fusion/module.py", "fusion/ranks.py", "fusion/sharding.py"}
    allowed = training | {"fusion/report/write.py", "datamodules/base.py", "fusion/tracking.py"}
    assert users("pytorch_lightning") <= allowed | inside("fusion/callbacks/")


def test_each_big_library_has_one_home():
    homes = {
        "timm": {"fusion/encoders/timm_image.py"},
        "torchaudio": {"datamodules/transforms/audio.py"},
        "wandb": {"fusion/wandb_reader.py", "fusion/tracking.py"},
        "peft": {"fusion/heads/plan_lm.py"},
        "torchmetrics": {"fusion/metrics.py", "fusion/measurements.py", "fusion/regression_metrics.py"},
    }
    for library, home in homes.items():
        assert users(library) <= home, library
    language_models = {"fusion/encoders/bert_text.py", "fusion/heads/plan_lm.py"}
    readers = {"datamodules/transforms/text.py", *language_models, *ENTRY_POINTS}
    assert users("transformers") <= readers


@pytest.mark.parametrize("room", ["encoders", "fusions", "heads"])
def test_siblings_never_import_each_other(room):
    for name in inside(f"fusion/{room}/"):
        siblings = {m for m in imports(name) if m and m.startswith(f"fusion.{room}.")}
        assert {m for m in siblings if not m.startswith(f"fusion.{room}.base")} == set(), name


def test_the_model_names_no_concrete_part():
    concrete = {
        m for m in imports("fusion/model.py") if m.startswith(("fusion.encoders", "fusion.fusions", "fusion.heads"))
    }
    assert all(m.split(".")[2] == "base" for m in concrete)


def test_nothing_imports_an_entry_point():
    for entry in ENTRY_POINTS:
        assert not users(entry.removesuffix(".py").replace("/", "."))
