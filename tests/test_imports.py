"""Who may import whom (DESIGN section 3, the map in README.md), read from the source itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    p.relative_to(ROOT).as_posix() for room in ("fusion", "datamodules") for p in (ROOT / room).rglob("*.py")
)
LARGEST_ROOM = 17  # python files; a table of like things (sets) may be longer


def imports(name: str, *, is_lazy: bool = True) -> set[str]:
    """Every module named in an import statement of a file; ``is_lazy``: inside functions and for types, too."""
    tree = ast.parse((ROOT / name).read_text())
    found = set()
    for node in ast.walk(tree) if is_lazy else tree.body:
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


APPS = inside("fusion/apps/")
COMMANDS = APPS | inside("datamodules/inspect/", "datamodules/fetch/") | {"fusion/training/run.py"}
# The rooms of fusion/, the lowest first: none imports one that stands below it in this list.
ROOMS = [
    ("fusion/plan/", ()),
    ("fusion/batch.py", ("fusion/plan/",)),
    ("fusion/targets.py", ("fusion/batch.py",)),
    ("fusion/masks.py", ("fusion/batch.py",)),
    ("fusion/layers.py", ("fusion/masks.py", "fusion/batch.py")),
    ("fusion/masked_cnn.py", ("fusion/layers.py", "fusion/masks.py", "fusion/batch.py")),
    ("fusion/weights.py", ()),
    ("fusion/construct.py", ()),
    ("fusion/encoders/", ("fusion/layers.py", "fusion/masked_cnn.py", "fusion/masks.py", "fusion/batch.py",
                          "fusion/targets.py", "fusion/weights.py")),
    ("fusion/fusions/", ("fusion/layers.py", "fusion/masks.py", "fusion/batch.py", "fusion/targets.py")),
    ("fusion/decoding/", ("fusion/plan/", "fusion/layers.py", "fusion/masks.py", "fusion/batch.py")),
    ("fusion/heads/", ("fusion/layers.py", "fusion/masks.py", "fusion/batch.py", "fusion/targets.py",
                       "fusion/weights.py", "fusion/beliefs.py", "fusion/decoding/", "fusion/plan/")),
    ("fusion/beliefs.py", ("fusion/heads/base.py", "fusion/batch.py", "fusion/targets.py", "fusion/plan/")),
    ("fusion/model.py", ("fusion/encoders/base.py", "fusion/fusions/base.py", "fusion/heads/base.py",
                         "fusion/batch.py", "fusion/targets.py", "fusion/masks.py")),
    ("fusion/pipeline.py", ("fusion/model.py", "fusion/heads/base.py", "fusion/batch.py", "fusion/targets.py",
                            "fusion/plan/")),
    ("fusion/objectives/", ("fusion/layers.py", "fusion/masks.py", "fusion/batch.py", "fusion/targets.py",
                            "fusion/heads/base.py", "fusion/model.py")),
    ("fusion/evidence/", ("fusion/batch.py", "fusion/targets.py", "fusion/plan/")),
    ("fusion/training/", ("fusion/model.py", "fusion/pipeline.py", "fusion/objectives/", "fusion/evidence/",
                          "fusion/batch.py", "fusion/targets.py", "fusion/heads/base.py", "fusion/encoders/base.py",
                          "fusion/layers.py", "fusion/weights.py")),
]  # fmt: skip


def room_of(module: str) -> str | None:
    """The file or folder of a module of fusion, as ROOMS names places."""
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path.rpartition('/')[0]}.py", f"{path}/__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


@pytest.mark.parametrize(("room", "allowed"), ROOMS, ids=[room for room, _ in ROOMS])
def test_rooms_import_only_what_lies_under_them(room, allowed):
    for name in inside(room):
        if name == "fusion/training/run.py":  # the bridge from configuration to data, model and report
            continue
        for module in (m for m in imports(name) if m and m.startswith("fusion.")):
            place = room_of(module)
            if place is None or place == "fusion/__init__.py":
                continue
            assert place.startswith((room, *allowed)), f"{name} imports {module}"


def test_every_file_of_the_model_stands_in_a_room():
    outside = inside("fusion/") - {name for room, _ in ROOMS for name in inside(room)} - APPS
    assert outside == {"fusion/__init__.py"}


def test_no_room_is_crowded():
    counts: dict[str, int] = {}
    for name in FILES:
        folder = name.rpartition("/")[0]
        counts[folder] = counts.get(folder, 0) + (not name.endswith("__init__.py"))
    del counts["datamodules/sets"]
    assert max(counts.values()) <= LARGEST_ROOM, {room: n for room, n in counts.items() if n > LARGEST_ROOM}


def test_the_model_never_imports_data():
    assert users("datamodules") & inside("fusion/") <= APPS | {"fusion/training/run.py"}


def test_data_reach_the_model_side_over_the_named_bridges_only():
    bridges = {
        "fusion.batch": inside("datamodules/"),
        "fusion.targets": inside("datamodules/"),
        # what a plan follows from (labels), and what code reads in a record (context.py and what carries it)
        "fusion.plan": {
            f"datamodules/{name}.py"
            for name in ("dataset", "rule", "context", "collate", "base", "preparation", "sets/diet_spans")
        }
        | inside("datamodules/simulate/"),
        "fusion.weights": {"datamodules/transforms/text.py"},
        "fusion.training.compose": inside("datamodules/inspect/"),
    }
    for name in inside("datamodules/"):
        for module in (m for m in imports(name) if m and m.startswith("fusion.")):
            allowed = [bridge for bridge, files in bridges.items() if module.startswith(bridge) and name in files]
            assert allowed, f"{name} imports {module}"


def test_the_core_of_the_data_imports_no_set_and_no_command():
    core = {name for name in inside("datamodules/") if name.count("/") == 1} | inside("datamodules/transforms/")
    above = ("datamodules.sets", "datamodules.own", "datamodules.simulate", "datamodules.fetch", "datamodules.inspect")
    for name in core:
        assert not [m for m in imports(name) if m and m.startswith(above)], name
    for name in inside("datamodules/sets/", "datamodules/own/", "datamodules/simulate/"):
        assert not [m for m in imports(name) if m and m.startswith("datamodules.inspect")], name


@pytest.mark.parametrize("library", ["hydra", "omegaconf"])
def test_only_commands_read_configuration(library):
    assert users(library) <= COMMANDS | {"fusion/training/compose.py", "fusion/training/resolvers.py"}


def test_the_plan_domain_needs_no_torch():
    learned = inside("fusion/plan/reading/finder")  # the learned reader of notes
    domain = inside("fusion/plan/") - learned
    for library in ("torch", "pytorch_lightning", "transformers", "numpy"):
        assert not users(library) & domain


def test_lightning_stays_in_what_trains():
    assert users("pytorch_lightning") <= inside("fusion/training/") | {"datamodules/base.py"}


def test_answering_never_imports_lightning():
    """``fusion.predict`` and ``fusion.load`` start in seconds: nothing they import at the top imports Lightning."""
    seen, waiting = set(), {"fusion/apps/predict.py", "fusion/apps/loaded.py"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        modules = imports(name, is_lazy=False)
        assert not [m for m in modules if m and m.startswith("pytorch_lightning")], name
        for module in (m for m in modules if m):
            path = module.replace(".", "/")
            for candidate in (f"{path}.py", f"{path.rpartition('/')[0]}.py", f"{path}/__init__.py"):
                if candidate in FILES and candidate not in seen:
                    waiting.add(candidate)


def test_each_big_library_has_one_home():
    homes = {
        "timm": {"fusion/encoders/timm_image.py"},
        "torchaudio": {"datamodules/transforms/audio.py"},
        "wandb": {"fusion/training/tracking.py"},
        "peft": {"fusion/heads/plan_lm.py"},
        "torchmetrics": inside("fusion/evidence/", "fusion/training/measurements.py"),
    }
    for library, home in homes.items():
        assert users(library) <= home, library
    language_models = {"fusion/encoders/bert_text.py", "fusion/heads/plan_lm.py"} | inside("fusion/plan/reading/finder")
    assert users("transformers") <= {"datamodules/transforms/text.py", *language_models, *APPS}


@pytest.mark.parametrize("room", ["encoders", "fusions", "heads", "objectives"])
def test_siblings_never_import_each_other(room):
    for name in inside(f"fusion/{room}/"):
        siblings = {m for m in imports(name) if m and m.startswith(f"fusion.{room}.")}
        assert {m for m in siblings if not m.startswith(f"fusion.{room}.base")} == set(), name


def test_nothing_imports_an_entry_point():
    """But ``fusion.load`` and its like, on first use; apps may use each other."""
    for entry in APPS - {"fusion/apps/__init__.py"}:
        module = entry.removesuffix(".py").replace("/", ".")
        assert users(module) <= APPS | {"fusion/__init__.py", "fusion/training/run.py"}, entry


# The plan domain, the lowest first: what stands on one line knows the lines above, and nothing else of the domain.
PLAN_ROOMS = [
    ("fusion/plan/knowledge/",),
    ("fusion/plan/findings.py",),
    ("fusion/plan/schema.py",),
    ("fusion/plan/facts.py",),
    ("fusion/plan/rules/",),
    ("fusion/plan/language/", "fusion/plan/reading/"),
    ("fusion/plan/context.py",),
    ("fusion/plan/scoring/",),
]


def test_the_rooms_of_the_plan_domain_stand_on_each_other_in_one_order():
    placed = inside(*(room for line in PLAN_ROOMS for room in line))
    assert inside("fusion/plan/") - placed == {"fusion/plan/__init__.py"}
    below: tuple[str, ...] = ()
    for line in PLAN_ROOMS:
        for room in line:
            for name in inside(room):
                for module in (m for m in imports(name) if m and m.startswith("fusion.plan.")):
                    place = room_of(module)  # None: a name that fusion.plan itself gives out, made of all rooms
                    assert place and place.startswith((room, *below)), f"{name} imports {module}"
        below += line
