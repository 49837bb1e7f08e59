"""Protects: an installed wheel is enough. conf/ and every data file are in it, and commands run in an empty folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fusion.training.compose import CONF
from tests.commands import COMMANDS, ROOT
from tests.datamodules.public_sets import write_emodb

pytestmark = pytest.mark.slow
DATA = (".yaml", ".json")
TINY = ["experiment=fusion_tiny", "debug=fast", "data.cohort.num_people=20"]


def run(*arguments: str, cwd: Path, packages: Path | None = None) -> str:
    """Standard output of python with these ``arguments``, the packages of the checkout out of sight."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "HEALTH_"))}
    if packages is not None:
        environment["PYTHONPATH"] = str(packages)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "uv", "build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def packages(wheel, tmp_path_factory) -> Path:
    """A folder with nothing but what the wheel installs."""
    folder = tmp_path_factory.mktemp("packages")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel), cwd=folder)
    return folder


@pytest.fixture(scope="module")
def trained(packages, tmp_path_factory) -> Path:
    """A folder that was empty, with a tiny run in outputs/latest and what it exports in model."""
    folder = tmp_path_factory.mktemp("empty")
    run("-m", "fusion.training.run", *TINY, cwd=folder, packages=packages)
    run("-m", "fusion.export", "run=outputs/latest", "to=model", cwd=folder, packages=packages)
    return folder


def test_the_wheel_holds_every_data_file_and_nothing_of_the_checkout_beside(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    rooms = {"fusion": ROOT / "fusion", "datamodules": ROOT / "datamodules", "fusion/conf": CONF}
    for room, folder in rooms.items():
        files = {f"{room}/{p.relative_to(folder).as_posix()}" for p in folder.rglob("*") if p.suffix in (".py", *DATA)}
        assert files and files <= names, sorted(files - names)
    assert "hydra_plugins/slurm_sweep/__init__.py" in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"fusion", "datamodules", "hydra_plugins"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_to_its_short_name(command, packages, tmp_path):
    assert run("-m", command, "--help", cwd=tmp_path, packages=packages).startswith("usage: ")


def test_the_packages_are_those_of_the_wheel_and_compose_its_configuration(packages, tmp_path):
    where = "import fusion, datamodules; print(fusion.__file__, datamodules.__file__)"
    assert run("-c", where, cwd=tmp_path, packages=packages).count(str(packages)) == 2
    told = run("-m", "fusion.training.run", "--cfg", "job", *TINY, cwd=tmp_path, packages=packages)
    assert "num_people: 20" in told and "name: fusion_tiny" in told


def test_a_run_is_trained_exported_asked_and_tested_again(trained, packages):
    said = run("-m", "fusion.predict", "model=model", "--text", "I sleep badly.", cwd=trained, packages=packages)
    assert said.startswith("read: text") and "Not medical advice" in said
    run("-m", "fusion.evaluate", "run=outputs/latest", cwd=trained, packages=packages)
    assert (trained / "outputs" / "latest" / "evaluated" / "metrics.json").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("fusion.plan_run experiment=fusion_tiny", "GiB a GPU"),
        ("fusion.red_team --every 400", "violations: "),
        ("fusion.sweep --cfg job", "study: fusion_small"),
        ("datamodules.cards", "# The public sets"),
        ("datamodules.fetch list", "licences: read them"),
        ("datamodules.rule", "# The cohorts"),
    ],
)
def test_other_commands_work(words, said, packages, tmp_path):
    assert said in run("-m", *words.split(), cwd=tmp_path, packages=packages)


def test_data_are_checked_and_audited(packages, tmp_path):
    (tmp_path / "records.csv").write_text("person,note\na,I slept well.\n")
    told = run("-m", "datamodules.check", "records.csv", cwd=tmp_path, packages=packages)
    assert "1 records usable, 0 errors" in told
    write_emodb(tmp_path / "emodb", np.random.default_rng(0))
    words = ("data=emodb", f"paths.data_dir={tmp_path}")
    assert "56 records usable, 0 errors" in run("-m", "datamodules.check", *words, cwd=tmp_path, packages=packages)
    assert "inflation" in run("-m", "datamodules.audit", *words, cwd=tmp_path, packages=packages)
