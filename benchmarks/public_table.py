"""The table of the public sets, long for docs/public_sets.md and short for the README."""

from __future__ import annotations

SETS = (
    "dreaddit", "shanghai_dm", "pmdata", "lifesnaps", "stress_predict", "depresjon", "emodb", "esc10", "snoring_khan",
    "annomi", "seglearn_watch", "basicmotions", "ucr", "ecustfd", "food101_10", "grocery_store", "esc50_fold4",
    "tasteset", "recipedb_ner",
)  # fmt: skip
OURS = "this model"
BLOCK = "<!-- public sets: python -m benchmarks.public_sets --readme README.md -->"
HEADER = """# Public sets: our default beside humble baselines

Written by `python -m benchmarks.public_sets`; the json beside this page holds every number. Test people, speakers,
objects or dialogues of split 0, at the checkpoint chosen on validation; the seed stands in the command; one run each,
so differences of a few hundredths mean nothing on sets of few people. Classes: macro-F1 / balanced accuracy. Numbers:
RMSE in the target's unit. Tags: entity F1.
"""
ORDER = ("trivial", "person so far", "persistence", "usual tag", "linear", "boosted trees", "verbalised", OURS)
ALIAS = {"majority": "trivial", "train mean": "trivial", "logistic regression": "linear", "ridge": "linear"}
HUMBLE = ORDER[1:-1]
METRICS = {"macro_f1": "macro-F1", "rmse": "RMSE", "f1": "entity F1"}


def markdown(results: dict[str, dict]) -> str:
    """The page: one table, a row a head, and how each row came about."""
    lines = [HEADER, "| set, head | test | " + " | ".join(ORDER) + " |", "|---" * (len(ORDER) + 2) + "|"]
    for name, result in results.items():
        for head, scores in result["heads"].items():
            cells = {ALIAS.get(method, method): values for method, values in scores.items()}
            shown = [" / ".join(f"{v:.3g}" for v in cells[m].values()) if m in cells else "-" for m in ORDER]
            lines.append(f"| {name}, {head} | {result['about']['num_test']} | {' | '.join(shown)} |")
    missing = [name for name in SETS if name not in results]
    lines += ["", "Trivial: the most frequent class or the mean of train. Person so far: the same of the person's own"]
    lines += ["earlier labels. Persistence: what holds now goes on. Usual tag: of each word in train. Linear: logistic"]
    lines += ["regression or ridge; it and the trees read statistics of signals and sounds and mean frozen features of"]
    lines += ["texts and photos, for tags the word and its neighbours. Verbalised: linear, on the words and numbers of"]
    lines += ["signals said in words (datamodules/inspect/verbalise.py).", ""]
    lines += [f"* {name}: `{' '.join(r['about']['command'])}`, {_trained(r)}" for name, r in results.items()]
    lines += ["", f"Not run: {', '.join(missing) or 'none'}."]
    return "\n".join(lines) + "\n"


def _trained(result: dict) -> str:
    epochs, cpu_s = result["about"]["epochs"], result["about"]["cpu_s"]
    return f"{f'{epochs} epochs' if epochs else 'baselines only'}, {cpu_s} CPU-seconds in all"


def compact(results: dict[str, dict]) -> str:
    """A row a head: the first metric of the trivial answer, of the best humble baseline with its name, and ours."""
    lines = ["| set, head | metric | trivial | best humble baseline | this model |", "|---|---|---|---|---|"]
    for name, result in results.items():
        for head, scores in result["heads"].items():
            metric = next(iter(next(iter(scores.values()))))
            cells = {ALIAS.get(method, method): values[metric] for method, values in scores.items()}
            best = min if metric == "rmse" else max
            humble = best((method for method in HUMBLE if method in cells), key=cells.__getitem__)
            ours = f"{cells[OURS]:.3g}" if OURS in cells else "-"
            shown = f"{cells['trivial']:.3g} | {cells[humble]:.3g} ({humble}) | {ours}"
            lines.append(f"| {name}, {head} | {METRICS[metric]} | {shown} |")
    return "\n".join(lines) + "\n"


def replace_block(page: str, table: str) -> str:
    """``page`` with what stands between its two BLOCK marks replaced by ``table``; ValueError where they are not."""
    before, first, rest = page.partition(BLOCK)
    _, second, after = rest.partition(BLOCK)
    if not second:
        raise ValueError(
            f"the page has no two lines {BLOCK!r} between which the table goes; add them or leave --readme"
        )
    return f"{before}{first}\n\n{table}\n{second}{after}"
