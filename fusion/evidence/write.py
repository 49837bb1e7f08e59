"""Everything a finished run writes into its directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fusion.batch import GROUPS
from fusion.evidence.kinds import kind_of
from fusion.evidence.plans import deletion, sample_plans, to_markdown
from fusion.evidence.plots import plot_answers, plot_curves, plot_subsets
from fusion.evidence.provenance import cost
from fusion.evidence.results import Predictions, add_intervals, save_metrics, save_predictions
from fusion.evidence.table import print_tables
from fusion.targets import Target


def write_report(
    run_dir: Path, results: dict[str, dict[str, float]], predictions: Predictions, *, asked: Mapping[str, Target],
    main: Sequence[str], groups: Sequence[str], val: dict[str, float], ceiling: Mapping[str, dict],
    sources: dict[str, dict[str, str]], inputs: dict[str, str], about: dict[str, object], checkpoint: str,
    num_plans: int, num_bootstraps: int,
) -> list[list[str]]:  # fmt: skip
    """Write metrics.json, predictions.npz, plots/ and plans.md, print the closing tables; gives the sample plans.

    ``results`` gets its intervals. ``asked``: by head, the target it answers; ``main``: heads that are not there for
    the sake of others. ``groups``: of the model's modalities. ``ceiling``: by head, subset -> the best
    reachable metrics. ``sources``, ``inputs``: by record id, what to bootstrap over and what the person gave, in words.
    """
    groups = [group for group in GROUPS if group in groups]
    everything = "+".join(groups)
    ceiling = {
        head: {"all" if subset == everything else subset: best for subset, best in of_head.items()}
        for head, of_head in ceiling.items()
    }
    add_intervals(results, predictions, asked, sources, num_bootstraps)
    plan_head = next((head for head, target in asked.items() if target.kind == "plan"), None)
    plans: list[list[str]] = []
    if plan_head:
        results.get("all", {}).update(deletion(predictions, plan_head, groups))
        plans = sample_plans(predictions["as_recorded"].get(plan_head, []), inputs, num_plans)
    save_predictions(run_dir / "predictions.npz", predictions, asked)
    save_metrics(run_dir / "metrics.json", results, val, ceiling, {**about, **cost(), "checkpoint": checkpoint})
    if plans:
        (run_dir / "plans.md").write_text(to_markdown(plans))

    plots = run_dir / "plots"
    plots.mkdir(exist_ok=True)
    if (run_dir / "csv" / "metrics.csv").is_file():
        headlines = [f"val/{head}/{metric}" for head in main for metric in kind_of(asked[head]).headline]
        plot_curves(
            run_dir / "csv" / "metrics.csv", plots / "curves.png", [["train/loss", "val/total/loss"], headlines]
        )
    plot_answers(predictions, {head: asked[head] for head in main}, plots)
    for head in main:
        plot_subsets(results, head, asked[head], ceiling.get(head, {}), plots / f"{head}_subsets.png")
    where = {"run": run_dir, "checkpoint": checkpoint, "plots": plots, "plans": run_dir / "plans.md" if plans else "-"}
    rows = [row for row in ("as_recorded", "all", *groups, "prior") if row in results]
    print_tables(results, asked, main=main, rows=rows, ceiling=ceiling, where=where)
    return plans
