"""Write a trained model into one folder without pickles: ``python -m fusion.export run=outputs/latest to=my_model``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fusion.apps.command_line import named_words, run_command


def command_line() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fusion.export",
        usage="%(prog)s [-h] run=DIR to=DIR",
        description="Write the best checkpoint of a run into one folder: weights, configuration, preprocessing.",
    )
    parser.add_argument(
        "words", nargs="*", metavar="run=DIR to=DIR", help="a run directory that train.py wrote, and a new folder"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command(_export, command_line().parse_args(arguments))


def _export(options: argparse.Namespace) -> int:
    given, others = named_words(options.words, ("run", "to"), command_line())
    if others:
        raise ValueError(f"arguments are {options.words}; {command_line().format_usage()}")
    from fusion.apps.exporter import export  # torch and transformers take seconds

    export(Path(given["run"]), Path(given["to"]))
    print(f"{given['to']}: fusion.load({given['to']!r}), or python -m fusion.predict model={given['to']} --text ...")
    return 0


if __name__ == "__main__":
    sys.exit(main())
