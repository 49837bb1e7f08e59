"""Everything a finished run writes into its directory."""

from __future__ import annotations

from pathlib import Path

from pytorch_lightning.loggers import WandbLogger

from fusion.batch import GROUPS
from fusion.evidence.intervals import confusion
from fusion.evidence.plans import COLUMNS, deletion, sample_plans, to_markdown
from fusion.evidence.plots import plot_confusion, plot_curves, plot_subsets
from fusion.evidence.provenance import cost
from fusion.evidence.results import STATE, add_intervals, collect, save_metrics, save_predictions
from fusion.evidence.table import print_table
from fusion.training.module import FusionModule

CURVES = [
    ["train/loss", "val/total/loss"],
    [f"val/{STATE}/{score}" for score in ("macro_f1", "balanced_accuracy", "accuracy", "auroc")],
]


def write_report(
    run_dir: Path, module: FusionModule, *, val: dict[str, float], ceiling: dict, classes: list[str],
    sources: dict[str, dict[str, str]], inputs: dict[str, str], about: dict[str, object], checkpoint: str,
    num_plans: int, num_bootstraps: int, loggers: list,
) -> None:  # fmt: skip
    """Write metrics.json, predictions.npz, plots/ and plans.md, log pictures and plans, and print the closing table.

    ``ceiling``: subset -> metrics (Cohort.ceiling). ``sources``, ``inputs``: by record id, what to bootstrap over and
    what the person gave, in words.
    """
    results, predictions = module.results, module.predictions
    groups = [group for group in GROUPS if group in module.model.groups.values()]
    ceiling = {"all" if key == "+".join(groups) else key: value for key, value in ceiling.items()}
    add_intervals(results, predictions, sources, num_bootstraps)
    results.get("all", {}).update(deletion(predictions, groups))
    save_predictions(run_dir / "predictions.npz", predictions)
    save_metrics(run_dir / "metrics.json", results, val, ceiling, {**about, **cost(), "checkpoint": checkpoint})

    plots = run_dir / "plots"
    plots.mkdir(exist_ok=True)
    if (run_dir / "csv" / "metrics.csv").is_file():
        plot_curves(run_dir / "csv" / "metrics.csv", plots / "curves.png", CURVES)
    if STATE in module.model.heads:
        _, probabilities, labels = collect(predictions, STATE)["as_recorded"]
        matrix = confusion(labels, probabilities.argmax(1), len(classes))
        plot_confusion(matrix, classes, plots / "confusion.png")
        plot_subsets(results, ceiling, plots / "subsets.png")
    plans = sample_plans(predictions["as_recorded"].get("plan", []), inputs, num_plans)
    if plans:
        (run_dir / "plans.md").write_text(to_markdown(plans))

    for logger in loggers:
        logger.log_metrics({f"test/{row}/{name}": v for row, values in results.items() for name, v in values.items()})
        if isinstance(logger, WandbLogger):
            for picture in sorted(plots.glob("*.png")):
                logger.log_image(f"plots/{picture.stem}", [str(picture)])
            if plans:
                logger.log_text("plans", columns=COLUMNS, data=plans)
    where = {"run": run_dir, "checkpoint": checkpoint, "plots": plots, "plans": run_dir / "plans.md" if plans else "-"}
    rows = [row for row in ("as_recorded", "all", *groups, "prior") if row in results]
    print_table("test, at the checkpoint chosen on validation", results, rows, ceiling, where)
