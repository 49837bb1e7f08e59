"""Protects: every command answers to its short name, and to --help at once: without torch, which takes seconds."""

import re
import subprocess
import sys

import pytest

from tests.commands import COMMANDS

SLOW = ("torch", "pytorch_lightning")


def test_commands_are_found():
    assert {"fusion.export", "datamodules.check", "datamodules.fetch", "datamodules.rule"} <= {*COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_a_usage_and_imports_nothing_slow(command):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", command, "--help"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(f"usage: python -m {command} ")
    imported = re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)
    assert "argparse" in imported and not {*SLOW} & {*imported}
