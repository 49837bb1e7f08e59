"""The two tables a run ends with: every head on all that was recorded, and the headlines by what was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from fusion.evidence.kinds import kind_of
from fusion.targets import Target

WIDTH = 150  # at least: tables are for logs too


def print_tables(
    results: dict[str, dict[str, float]], asked: Mapping[str, Target], *, main: Sequence[str], rows: Sequence[str],
    ceiling: Mapping[str, dict], where: Mapping[str, object],
) -> None:  # fmt: skip
    """Print both tables with 95 % intervals, and ``where`` things are.

    ``asked``: by head, the target it answers; ``main``: the heads of the second table; ``rows``: its rows; ``ceiling``:
    by head, by row, the best reachable metrics.
    """
    console = Console(width=max(Console().width, WIDTH))
    console.print(_by_head(results["as_recorded"], asked))
    console.print(_by_row(results, {head: asked[head] for head in main}, rows, ceiling))
    for name, place in where.items():
        console.print(f"{name:>10}  {place}", highlight=False, soft_wrap=True)


def _by_head(values: dict[str, float], asked: Mapping[str, Target]) -> Table:
    table = Table(title="test, as recorded, at the checkpoint chosen on validation")
    for column in ("head", "kind", "n", "headline", "value [95 %]", "beside it"):
        table.add_column(column, justify="right" if column == "n" else "left")
    for head, target in asked.items():
        kind = kind_of(target)
        unit = f" ({target.unit})" if target.unit else ""
        about = (head, target.kind, f"{values.get(f'{head}/num_records', 0):.0f}")
        for metric in kind.headline:
            beside = {name: values.get(f"{head}/{name}") for name in kind.beside(metric)}
            said = ", ".join(f"{name} {value:.3f}" for name, value in beside.items() if value is not None)
            table.add_row(*about, f"{metric}{unit}", cell(values, f"{head}/{metric}"), said)
            about = ("", "", "")
    return table


def _by_row(
    results: dict[str, dict[str, float]], asked: Mapping[str, Target], rows: Sequence[str], ceiling: Mapping[str, dict]
) -> Table:
    keys = {(head, metric): f"{head}/{metric}" for head, target in asked.items() for metric in kind_of(target).headline}
    table = Table(title="test, by what was shown")
    table.add_column("modalities", no_wrap=True)
    for head, metric in keys:
        table.add_column(f"{head}\n{metric}", justify="right", no_wrap=True)
        if head in ceiling:
            table.add_column(f"{head}\nbal. acc. of ceiling", justify="right", no_wrap=True)
    for row in rows:
        cells = []
        for (head, _), key in keys.items():
            cells.append(cell(results[row], key))
            if head in ceiling:
                best = ceiling[head].get(row, {}).get("balanced_accuracy")
                own = results[row].get(f"{head}/balanced_accuracy")
                cells.append(f"{own:.3f} of {best:.3f}" if best and own is not None else "-")
        table.add_row(row, *cells)
    return table


def cell(values: dict[str, float], key: str) -> str:
    """A metric with its interval where it has one; "-" where it is not defined."""
    if key not in values or values[key] != values[key]:
        return "-"
    if f"{key}_low" in values:
        return f"{values[key]:.3f} [{values[f'{key}_low']:.2f}, {values[f'{key}_high']:.2f}]"
    return f"{values[key]:.3f}"
