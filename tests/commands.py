"""Every command of the packages by the name that people type, found by its ``if __name__ == "__main__"``."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def _is_command(path: Path) -> bool:
    return path.name == "__main__.py" or 'if __name__ == "__main__":' in path.read_text()


def _short_name(path: Path) -> str:
    """fusion.export for fusion/apps/export.py, datamodules.fetch for datamodules/fetch/__main__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part not in ("apps", "inspect", "__main__"))


FILES = [path for room in ("fusion/apps", "datamodules") for path in (ROOT / room).rglob("*.py")]
COMMANDS = sorted(_short_name(path) for path in FILES if _is_command(path))
