"""The published rule: which health state follows from four latents, how often, and how well anyone can know it.

One rule serves the synthetic and the composed cohort. ``python -m datamodules.rule`` prints docs/cohorts.md.
"""

# Shapes: 64 cells = every combination of the latents, S = 6 states, O observations of a subset.

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import reduce
from itertools import combinations, product

import numpy as np

from fusion.plan.facts import Finding
from fusion.plan.findings import FINDING_OF, GROUP_OF_FINDING
from fusion.plan.rules.guidelines import STATES

# What a person's modalities show, one latent each, in the order of their groups: joined names need no sorting.
LATENTS: dict[str, tuple[str, ...]] = {latent: tuple(values) for latent, values in FINDING_OF.items()}
GROUP_OF = {latent: GROUP_OF_FINDING[next(iter(values.values()))] for latent, values in FINDING_OF.items()}

# Probability that a modality shows not its latent's value but one of the others, each equally likely.
NOISE: dict[str, dict[str, float]] = {
    "synthetic": {"words": 0.05, "body": 0.06, "meal": 0.05, "sound": 0.04},
    "composed": dict.fromkeys(LATENTS, 0.0),
}

# First match wins; s = number of {body stressed, voice distressed, words stressed}, a fine meal is lean or vegetable.
RULE = (
    ("snoring, and s = 0 or (s = 1 and fine meal)", "poor_sleep"),
    ("snoring", "overloaded"),
    ("meal not fine, s <= 1", "poor_fuelling"),
    ("meal not fine", "overloaded"),
    ("s = 0", "balanced"),
    ("s = 1 and it is the body", "masked_strain"),
    ("s = 1 (voice or words) or s = 2", "strained"),
    ("s = 3", "overloaded"),
)

Cell = dict[str, str]
CELLS: tuple[Cell, ...] = tuple(dict(zip(LATENTS, values, strict=True)) for values in product(*LATENTS.values()))


def state_of(cell: Mapping[str, str]) -> str:
    """The state that follows from one value per latent: the table RULE as code."""
    for latent, values in LATENTS.items():
        if cell.get(latent) not in values:
            raise ValueError(
                f"latent {latent!r} is {cell.get(latent)!r}, expected one of {values} (LATENTS of rule.py)"
            )
    body = cell["body"] == "stressed"
    s = body + (cell["sound"] == "distressed") + (cell["words"] == "stressed")
    is_fine = cell["meal"] in ("lean", "vegetable")
    cases = (
        cell["sound"] == "snoring" and (s == 0 or (s == 1 and is_fine)),
        cell["sound"] == "snoring",
        not is_fine and s <= 1,
        not is_fine,
        s == 0,
        s == 1 and body,
        s in (1, 2),
        s == 3,
    )
    return RULE[cases.index(True)][1]


def prior() -> np.ndarray:
    """(64,) probability of each cell: uniform over states; within a state x2 for a distressed voice, x1.5 for
    stressed words. Independent uniform latents would leave two states at 4 %."""
    states = np.array([state_of(cell) for cell in CELLS])
    weights = np.array([2.0 ** (c["sound"] == "distressed") * 1.5 ** (c["words"] == "stressed") for c in CELLS])
    for state in STATES:
        weights[states == state] /= weights[states == state].sum() * len(STATES)
    return weights


def sample_cells(num: int, generator: np.random.Generator) -> list[Cell]:
    """``num`` independent cells from the prior."""
    return [CELLS[i] for i in generator.choice(len(CELLS), size=num, p=prior())]


def findings(
    observed: Mapping[str, str], *, heart_rate_bpm: float | None = None, window_s: float, clip_s: float
) -> tuple[Finding, ...]:
    """What the present modalities show: ``observed`` has one value per latent whose modality is there.

    ``window_s``, ``clip_s``: seconds that the signals and the sound look back on.
    """
    spans = {"body": round(window_s), "sound": round(clip_s)}
    found = []
    for latent, group in GROUP_OF.items():
        if latent in observed:
            value = heart_rate_bpm if latent == "body" else None
            unit = "bpm" if value is not None else None
            finding = FINDING_OF[latent][observed[latent]]
            found.append(Finding(group=group, finding=finding, value=value, unit=unit, last_s=spans.get(latent)))
    return tuple(found)


def confusion(latent: str, noise: float | np.ndarray) -> np.ndarray:
    """(k, k) probability of showing column where row is true; a flip probability spreads over the other values."""
    k = len(LATENTS[latent])
    matrix = np.asarray(noise, float)
    if matrix.ndim == 0:
        matrix = np.full((k, k), matrix / (k - 1))
        np.fill_diagonal(matrix, 1 - float(noise))
    if matrix.shape != (k, k) or (matrix < 0).any() or not np.allclose(matrix.sum(1), 1):
        raise ValueError(
            f"noise of {latent!r} is {noise}, expected a flip probability in 0..1 or a ({k}, {k}) matrix "
            f"whose rows sum to 1; fix data.cohort.noise.{latent}"
        )
    return matrix


def bayes_ceiling(noise: Mapping[str, float | np.ndarray], *, missing_rate: float = 0.0) -> dict[str, dict[str, float]]:
    """The best any model can do on each of the 15 subsets of groups, by enumeration of cells and observations.

    ``missing_rate``: probability that a modality of the subset is absent from a record, which the model then knows.

    The decision is the most probable state given what the subset shows. States are equally probable a priori, so it
    is also the best balanced decision: accuracy and balanced accuracy are true ceilings and equal. ``macro_f1`` is
    that decision's; on partial subsets spreading guesses can score higher, which is why those go by balanced accuracy.
    """
    if set(noise) != set(LATENTS):
        raise ValueError(f"noise names {sorted(noise)}, expected exactly {sorted(LATENTS)}; fix data.cohort.noise")
    state_index = np.array([STATES.index(state_of(cell)) for cell in CELLS])
    joint = prior()[:, None] * np.eye(len(STATES))[state_index]  # (64, S)
    ceiling = {}
    for size in range(1, len(LATENTS) + 1):
        for subset in combinations(LATENTS, size):
            shown = []  # one (k, observations) matrix per latent; the first column is "absent"
            for latent, values in LATENTS.items():
                absent = missing_rate if latent in subset else 1.0
                seen = (1 - absent) * confusion(latent, noise[latent])
                shown.append(np.hstack([np.full((len(values), 1), absent), seen]))
            table = reduce(np.kron, shown).T @ joint  # (O, S); kron and CELLS both count the last latent fastest
            ceiling["+".join(GROUP_OF[latent] for latent in subset)] = _scores(table)
    return ceiling


def _scores(table: np.ndarray) -> dict[str, float]:
    """Scores of the most probable state under ``table`` (O, S), the joint probability; ties go to the first state."""
    decided = np.eye(table.shape[1])[table.argmax(1)]  # (O, S)
    matrix = table.T @ decided  # (true, decided)
    hit = np.diag(matrix)
    return {
        "accuracy": float(hit.sum()),
        "balanced_accuracy": float((hit / matrix.sum(1)).mean()),
        "macro_f1": float((2 * hit / (matrix.sum(0) + matrix.sum(1))).mean()),
    }


def markdown() -> str:
    """docs/cohorts.md: the rule, the prior, the noise and the ceilings as tables."""
    lines = [
        "# The cohorts: rule, noise and ceilings",
        "",
        "Written by `python -m datamodules.rule > docs/cohorts.md`; do not edit by hand.",
        "",
        "| Latent | Group | Values |",
        "|---|---|---|",
        *(f"| {latent} | {GROUP_OF[latent]} | {', '.join(values)} |" for latent, values in LATENTS.items()),
        "",
        "## Rule",
        "",
        "s = number of {body stressed, voice distressed, words stressed}; a fine meal is lean or vegetable; "
        "the first match wins.",
        "",
        "| | If | State |",
        "|---|---|---|",
        *(f"| {i} | {case} | `{state}` |" for i, (case, state) in enumerate(RULE, 1)),
        "",
        "Prior: the six states are equally frequent; within a state a cell weighs x2 if the voice is distressed and "
        "x1.5 if the words are stressed.",
    ]
    for cohort, noise in NOISE.items():
        partial = bayes_ceiling(noise, missing_rate=0.1)  # the default of data=synthetic
        shown = ", ".join(f"{latent} {flip:.0%}" for latent, flip in noise.items())
        lines += [
            "",
            f"## Bayes ceiling, {cohort}",
            "",
            f"Probability that a modality shows another value than the latent: {shown}.",
            "",
            "| Groups | Balanced accuracy | Macro-F1 of that decision | Macro-F1, each group missing from 10 % |",
            "|---|---|---|---|",
            *(
                f"| {k} | {v['balanced_accuracy']:.3f} | {v['macro_f1']:.3f} | {partial[k]['macro_f1']:.3f} |"
                for k, v in bayes_ceiling(noise).items()
            ),
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m datamodules.rule", description="Print docs/cohorts.md.").parse_args()
    print(markdown())
