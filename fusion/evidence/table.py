"""The table a run ends with."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

COLUMNS = {
    "n": "health_state/num_records",
    "macro-F1": "health_state/macro_f1",
    "balanced acc.": "health_state/balanced_accuracy",
    "AUROC": "health_state/auroc",
    "ECE": "health_state/ece",
    "plan parse": "plan/parse_rate",
    "slot-F1": "plan/slot_f1",
    "exact": "plan/exact_match",
    "tags F1": "diet_tags/f1",
}
ERROR = "rmse"  # of regression heads: a column a target, in its unit; metrics.json has the others
WITH_INTERVAL = ("macro-F1", "balanced acc.")


def print_table(
    title: str, results: dict[str, dict[str, float]], rows: list[str], ceiling: dict, where: dict[str, object]
) -> None:
    """Print ``rows`` of ``results`` with 95 % intervals, the ceiling where it is known, and ``where`` things are."""
    keys = {key: None for row in rows for key in results[row]}
    errors = {key.partition("/")[2]: key for key in keys if key.endswith(ERROR)}
    shown = {label: key for label, key in COLUMNS.items() if key in keys} | errors
    table = Table(title=title)
    for label in ("modalities", *shown, *(["ceiling bal. acc."] if ceiling else [])):
        table.add_column(label, justify="left" if label == "modalities" else "right", no_wrap=True)
    for row in rows:
        cells = [_cell(results[row], label, key) for label, key in shown.items()]
        best = [f"{ceiling[row]['balanced_accuracy']:.3f}" if row in ceiling else "-"] if ceiling else []
        table.add_row(row, *cells, *best)
    console = Console(width=max(Console().width, 150))
    console.print(table)
    for name, place in where.items():
        console.print(f"{name:>10}  {place}", highlight=False, soft_wrap=True)


def _cell(values: dict[str, float], label: str, key: str) -> str:
    if key not in values:
        return "-"
    if label == "n":
        return f"{values[key]:.0f}"
    if (label in WITH_INTERVAL or key.endswith(ERROR)) and f"{key}_low" in values:
        return f"{values[key]:.3f} [{values[f'{key}_low']:.2f}, {values[f'{key}_high']:.2f}]"
    return f"{values[key]:.3f}"
