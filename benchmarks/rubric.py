"""Which of the 15 items that experts rated coaching answers by do our automatic metrics cover, and how were they rated?

    python -m benchmarks.rubric --data-dir DIR > docs/rubric.md

Ratings: Cosentino et al. 2024 (Towards a Personal Health Large Language Model), 1 to 5, of answers written by human
experts and by models. They say what an expert's answer scores; they are no ratings of our plans.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

DOMAINS = ("fitness", "sleep")
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


def markdown(table: pd.DataFrame) -> str:
    """docs/rubric.md: an item a row, mean rating and share of 4 and 5 by domain and source."""
    columns = [(domain, source) for domain in DOMAINS for source in ("human_expert", "phllm", "gemini_ultra")]
    groups = table.groupby(["principle", "domain", "conversation_source"]).rating
    mean, high = groups.mean(), groups.apply(lambda r: (r >= 4).mean())
    lines = [
        "# The expert rubric and our metrics",
        "",
        "Written by `python -m benchmarks.rubric --data-dir DIR > docs/rubric.md`; do not edit by hand.",
        "",
        "Mean rating (1 to 5) and share of ratings of 4 or 5 in the published expert ratings of coaching answers "
        f"(Cosentino et al. 2024; {len(table):,} ratings). No expert has rated our plans: the last columns say which "
        "automatic metric watches the same thing and where it is blind.",
        "",
        "| item | "
        + " | ".join(f"{domain}: {source.replace('_', ' ')}" for domain, source in columns)
        + " | ours | blind to |",
        "|---" * (len(columns) + 3) + "|",
    ]
    for item in sorted(table.principle.unique(), key=lambda name: (name not in COVERED, name)):
        cells = [f"{mean[item, d, s]:.2f} ({high[item, d, s]:.0%})" for d, s in columns]
        ours = COVERED.get(item, ("not covered", "-"))
        lines.append(f"| {' | '.join([item.replace('_', ' '), *cells, *ours])} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="holds phllm_ratings/")
    try:
        print(markdown(ratings(parser.parse_args().data_dir)))
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
