"""What commands share: words such as run=DIR in any order, and what people can mend said in one line.

A command file imports what is slow (torch, Lightning) when it works, so that --help answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence


def run_command(work: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """The exit status of ``work``; 2 where it raised what people can mend, said in one line on stderr."""
    try:
        return work(options)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def named_words(
    words: Sequence[str], names: Sequence[str], parser: argparse.ArgumentParser
) -> tuple[dict[str, str], list[str]]:
    """The values of name=value for each of ``names``, and all other words in order.

    ValueError with the usage where one of ``names`` is missing, empty or there twice.
    """
    given = [word.partition("=")[::2] for word in words if word.partition("=")[0] in names]
    if sorted(name for name, _ in given) != sorted(names) or not all(value for _, value in given):
        raise ValueError(f"arguments are {list(words)}; {parser.format_usage()}")
    return dict(given), [word for word in words if word.partition("=")[0] not in names]
