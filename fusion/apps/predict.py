"""Say states, numbers and plan from one person's files: ``python -m fusion.predict model=<dir> --text ...``."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

import fusion
from datamodules.own.files import read_clip, read_note, read_photos, read_signal
from datamodules.records import HealthRecord, Part, Signal
from fusion.apps.command_line import run_command
from fusion.plan import to_display
from fusion.plan.language.display import DISCLAIMER

if TYPE_CHECKING:  # slow to import
    from collections.abc import Mapping

    from datamodules.transforms.signal import PrepareSignal
    from fusion.apps.loaded import LoadedModel, Prediction
    from fusion.pipeline import Answer
    from fusion.targets import Target

MOST_SHOWN = 6  # answers of a head; all of them are in Prediction.answers
SIGNAL = re.compile(r"(?P<name>\w+)=(?P<file>.+?)(?::(?P<rate_hz>[-+.\deE]+)(?::(?P<unit>[^:]+))?)?")


def command_line() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fusion.predict",
        description="States, numbers and plan of one person from any subset of text, signals, photos and sound.",
        epilog=DISCLAIMER,
    )
    parser.add_argument("model", metavar="model=DIR", help="folder written by python -m fusion.export")
    parser.add_argument("--text", metavar="TEXT", help="diary, goal, constraints; @FILE reads them from a file")
    parser.add_argument(
        "--signal", metavar="NAME=FILE:RATE_HZ[:UNIT]", nargs="+", action="extend", default=[],
        help="csv, a column a channel, ending now, e.g. ppg=pulse.csv:64. A column time_s may give the rate instead. "
        "Without UNIT the numbers must be in the model's own.",
    )  # fmt: skip
    parser.add_argument(
        "--rest", metavar="NAME=FILE", nargs="+", action="extend", default=[],
        help="the same signal of the same person at rest, for models that read signals against it",
    )  # fmt: skip
    parser.add_argument("--photo", metavar="FILE", nargs="+", action="extend", default=[], help="jpg or png")
    parser.add_argument("--audio", metavar="FILE", help="wav, flac, ogg or mp3")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status. What is wrong with a file is one line on stderr and status 2."""
    options = command_line().parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    return run_command(_predict, options)


def _predict(options: argparse.Namespace) -> int:
    loaded = fusion.load(options.model.removeprefix("model="))
    (prediction,) = loaded.predict([read_record(options, loaded)])
    show(prediction, loaded.targets)
    return 0


def read_record(options: argparse.Namespace, loaded: LoadedModel) -> HealthRecord:
    """The record of the files named on the command line; ValueError where the model could not read one of them."""
    parts: dict[str, Part] = dict(_read_signals(options.signal, options.rest, loaded))
    if options.text is not None:
        parts["text"] = read_note(options.text)
    if options.photo:
        parts["photo"] = read_photos(options.photo)
    if options.audio is not None:
        parts["audio"] = read_clip(options.audio)
    known = {modality.source for modality in loaded.preparation.modalities.values()}
    if unknown := sorted(parts.keys() - known):
        raise ValueError(f"the model does not read {unknown}, expected some of {sorted(known)}")
    return HealthRecord(record_id="you", person_id="you", parts=parts, targets={})


def show(prediction: Prediction, targets: Mapping[str, Target]) -> None:
    """Print what was read, every answer, and the plan with what it follows from; ``targets``: for their units."""
    console = Console(highlight=False, markup=False)  # a class may be called [a]
    console.print(f"read: {', '.join(prediction.read) or 'nothing, so this is only what is usual: the prior'}")
    for name, answer in prediction.answers.items():
        if answer.is_probable:
            console.print(_probabilities(name, answer))
        elif answer.kind == "numbers":
            unit = targets[answer.target].unit
            table = Table(name, f"answer ({unit})" if unit else "answer")
            for number, value in answer.values.items():
                table.add_row(number, f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}")
            console.print(table)
    for name, found in prediction.tagged.items():
        named = ", ".join(f"{words} ({label})" for words, label in found)
        console.print(f"{name}: {named or 'nothing found in the text'}", soft_wrap=True)
    if isinstance(prediction.plan, list):
        console.print(f"the model wrote no valid plan: {'; '.join(prediction.plan)}", soft_wrap=True)
    if prediction.plan is None or isinstance(prediction.plan, list):
        console.print(DISCLAIMER)
    else:
        console.print(to_display(prediction.plan, prediction.follows), soft_wrap=True)


def _probabilities(name: str, answer: Answer) -> Table:
    """The likeliest answers first; of many, the first few."""
    table = Table(name, "probability")
    likeliest = sorted(answer.values.items(), key=lambda item: -item[1])
    for said, probability in likeliest[:MOST_SHOWN]:
        table.add_row(said, f"{probability:.3f}")
    if len(likeliest) > MOST_SHOWN:
        table.add_row(f"{len(likeliest) - MOST_SHOWN} others", f"{sum(p for _, p in likeliest[MOST_SHOWN:]):.3f}")
    return table


def _read_signals(signals: list[str], rests: list[str], loaded: LoadedModel) -> dict[str, Signal]:
    """--signal and --rest as recordings by source."""
    prepares: dict[str, list[PrepareSignal]] = {}
    for modality in loaded.preparation.modalities.values():
        if modality.group == "signals":
            prepares.setdefault(modality.source, []).append(modality.prepare)
    rest_files: dict[str, list[str]] = {}
    for name, _, file in (text.partition("=") for text in rests):
        rest_files.setdefault(name, []).append(file)
    read: dict[str, Signal] = {}
    for text in signals:
        match = SIGNAL.fullmatch(text)
        if match is None:
            raise ValueError(f"--signal is {text!r}, expected NAME=FILE:RATE_HZ[:UNIT]")
        name, rate_hz = match["name"], match["rate_hz"]
        if name not in prepares:
            raise ValueError(f"the model does not read a signal {name!r}, expected some of {sorted(prepares)}")
        if name in read:
            raise ValueError(f"--signal {name!r} is given twice; join its channels in one csv")
        needs_rest = any(prepare.baseline == "rest_reference" for prepare in prepares[name])
        rest = rest_files.pop(name, [])
        if needs_rest != bool(rest):
            need = "reads" if needs_rest else "does not read"
            raise ValueError(f"the model {need} {name!r} against the person's rest, but --rest gives {rest or 'none'}")
        unit = match["unit"] or prepares[name][0].unit
        read[name] = read_signal(match["file"], rate_hz=rate_hz and float(rate_hz), unit=unit, rest=rest)
    if rest_files:
        raise ValueError(f"--rest names {sorted(rest_files)}, which no --signal gives")
    return read


if __name__ == "__main__":
    sys.exit(main())
