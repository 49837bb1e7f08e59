"""Which of the 15 items that experts rated coaching answers by do our automatic metrics cover, and how were they rated?

    python -m benchmarks.rubric --data-dir DIR --run outputs/latest > docs/rubric.md

Ratings: Cosentino et al. 2024 (Towards a Personal Health Large Language Model), 1 to 5, of answers written by human
experts and by models. They say what an expert's answer scores; they are no ratings of our plans.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

DOMAINS = ("fitness", "sleep")
SOURCES = ("human_expert", "phllm", "gemini_ultra")
# Rubric item -> the metric of ours (plan/... in metrics.json) that watches the same thing, and what it does not see.
COVERED = {
    "important_user_data": ("evidence_recall", "which finding is cited, not how it is put"),
    "no_incorrect_user_data": ("numeric_faithfulness", "numbers, units and spans, not the words around them"),
    "no_unimportant_user_data": ("evidence_precision", "a finding that calls for nothing counts as wrong"),
    "no_hallucinations": ("evidence_precision, numeric_faithfulness", "claims about the record only"),
    "important_interpretations": ("slot_recall", "against one reference plan"),
    "no_incorrect_important_interpretations": ("slot_precision", "against one reference plan"),
    "non_harmful": ("violations_per_1000", "written rules only"),
    "no_incorrect_domain_knowledge": ("parse_rate", "closed words whose entries are cited; not their use"),
    "no_assumptions": ("over_refusal, evidence_precision", "assumed danger and assumed findings only"),
}


def ratings(data_dir: Path) -> pd.DataFrame:
    """One row a rating. ValueError where the set is missing."""
    tables = []
    for domain in DOMAINS:
        path = data_dir / "phllm_ratings" / f"{domain}_human_expert_ratings.tsv.gz"
        if not path.is_file():
            raise ValueError(f"no ratings at {path}; expected the set phllm_ratings under --data-dir")
        tables.append(pd.read_csv(path, sep="\t").assign(domain=domain))
    return pd.concat(tables, ignore_index=True)


def values_of(run_dir: Path) -> dict[str, float]:
    """Plan metrics of a finished run, all modalities shown. ValueError where there are none."""
    path = run_dir / "metrics.json"
    if not path.is_file():
        raise ValueError(f"no {path}; expected the directory of a finished train.py run as --run")
    row = json.loads(path.read_text(encoding="utf-8"))["test"]["all"]
    return {key.removeprefix("plan/"): value for key, value in row.items() if key.startswith("plan/")}


def markdown(table: pd.DataFrame, values: Mapping[str, float]) -> str:
    """docs/rubric.md: an item a row, its ratings by domain and source, and ``values`` of the metrics of ours."""
    columns = [(domain, source) for domain in DOMAINS for source in SOURCES]
    groups = dict(list(table.groupby(["principle", "domain", "conversation_source"]).rating))
    lines = [
        "# The expert rubric and our metrics",
        "",
        "Written by `python -m benchmarks.rubric --data-dir DIR --run outputs/latest > docs/rubric.md`; do not edit by "
        "hand.",
        "",
        "Mean rating, and per cent of ratings of 1, 2, 3, 4 and 5, in the published expert ratings of coaching answers "
        f"(Cosentino et al. 2024; {len(table):,} ratings). No expert has rated our plans: the last columns say which "
        "automatic metric watches the same thing, its value on the test people of `python train.py` (seed 0, all "
        "modalities), and where it is blind.",
        "",
        "| item | "
        + " | ".join(f"{domain}: {source.replace('_', ' ')}" for domain, source in columns)
        + " | ours | blind to |",
        "|---" * (len(columns) + 3) + "|",
    ]
    for item in sorted(table.principle.unique(), key=lambda name: (name not in COVERED, name)):
        cells = [_distribution(groups[item, domain, source]) for domain, source in columns]
        metrics, blind = COVERED.get(item, ("", "-"))
        ours = ", ".join(f"{name} {values[name]:.3f}" for name in metrics.split(", ") if name) or "not covered"
        lines.append(f"| {' | '.join([item.replace('_', ' '), *cells, ours, blind])} |")
    return "\n".join(lines)


def _distribution(ratings: pd.Series) -> str:
    shares = [f"{100 * (ratings == stars).mean():.0f}" for stars in range(1, 6)]
    return f"{ratings.mean():.2f} ({' '.join(shares)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="holds phllm_ratings/")
    parser.add_argument("--run", type=Path, required=True, help="directory of a finished run, e.g. outputs/latest")
    options = parser.parse_args()
    try:
        print(markdown(ratings(options.data_dir), values_of(options.run)))
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
