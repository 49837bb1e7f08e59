"""Two processes train and measure what one does. Processes are forked and talk over gloo, as on any CPU machine."""

import json
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir

import train
from fusion.callbacks.journal import read_journal

CONF = Path(train.__file__).parent / "conf"
SMALL = [
    "experiment=fusion_tiny", "callbacks=journal", "logger=none", "modality=[text,ppg,photo,audio]",
    "data.cohort.num_people=40", "data.cohort.window_s=20", "data.cohort.missing_rate=0.4", "data.modality_dropout=0.4",
    "trainer.max_epochs=1", "size.feature_dropout=0", "+size.text.config.hidden_dropout_prob=0.0",
    "+size.text.config.attention_probs_dropout_prob=0.0", "report.generated_rows=[as_recorded]",
    "optim.lr=1e-12", "class_weights=balanced", "finetune=full",
]  # fmt: skip
TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true"]


class Record(pl.Callback):
    """Save the gradients of every step, as the optimiser sees them, and the test results."""

    def __init__(self, folder: Path):
        self.folder = folder

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        gradients = {name: p.grad for name, p in pl_module.named_parameters() if p.grad is not None}
        torch.save(gradients, self.folder / f"gradients.{trainer.global_step}.{trainer.global_rank}.pt")

    def on_test_end(self, trainer, pl_module):
        results = {"results": pl_module.results, "ids": {
            row: sorted(i for batch in heads["health_state"] for i in batch[0])
            for row, heads in pl_module.predictions.items()
        }}  # fmt: skip
        (self.folder / f"results.{trainer.global_rank}.json").write_text(json.dumps(results))


def fit_and_test(folder: Path, *overrides: str) -> Path:
    folder.mkdir()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", [*SMALL, *overrides, f"paths.run_dir={folder}", f"paths.output_dir={folder}"])
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    module.row_names = [row.name for row in data.test_rows()]
    callbacks = [train.instantiate(cfg.callbacks.journal), Record(folder)]
    for do in ("test", "fit"):  # test first: forked processes do not give the fitted weights back
        trainer = train.instantiate(cfg.trainer, callbacks=callbacks, logger=False, enable_checkpointing=False)
        getattr(trainer, do)(module, datamodule=data)
    return folder


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Path:
    """One process with the global batch."""
    return fit_and_test(tmp_path_factory.mktemp("ddp") / "one", "data.batch_size=4")


@pytest.fixture(scope="module")
def two(one) -> Path:
    """Two processes with half of it each."""
    return fit_and_test(one.parent / "two", *TWO, "trainer.strategy=ddp_fork", "data.batch_size=2")


def gradients(folder: Path, step: int, rank: int = 0) -> dict[str, torch.Tensor]:
    return torch.load(folder / f"gradients.{step}.{rank}.pt")


def test_ranks_read_different_records_and_lack_different_modalities(one, two):
    ranks = [read_journal(two / f"journal.jsonl.{rank}") for rank in range(2)]
    together = [sorted(a["records"] + b["records"]) for a, b in zip(*ranks, strict=True)]
    assert together == [sorted(line["records"]) for line in read_journal(one / "journal.jsonl.0")][: len(together)]
    absent = [[not any(line["present"][name]) for line in rank] for name in ("text", "photo") for rank in ranks]
    assert any(a != b for a, b in zip(absent[0] + absent[2], absent[1] + absent[3], strict=True))


def test_gradients_equal_those_of_one_process(one, two):
    num_steps = len(list(two.glob("gradients.*.0.pt")))
    assert num_steps >= 5
    for step in range(num_steps):
        wanted, got, other = gradients(one, step), gradients(two, step), gradients(two, step, rank=1)
        assert wanted.keys() == got.keys()
        norm = torch.cat([g.flatten() for g in wanted.values()]).norm()
        for name in wanted:
            assert (got[name] - wanted[name]).abs().max() <= 1e-6 * norm, (step, name)
            assert torch.equal(got[name], other[name])


def test_results_equal_those_of_one_process_and_no_record_counts_twice(one, two):
    wanted, got, other = (json.loads(p.read_text()) for p in (one / "results.0.json", *sorted(two.glob("results.*"))))
    assert got == other
    assert got["ids"] == wanted["ids"] and all(len(ids) == len(set(ids)) for ids in got["ids"].values())
    assert got["results"].keys() == wanted["results"].keys()
    for row, values in wanted["results"].items():
        assert got["results"][row] == pytest.approx(values, abs=1e-5, nan_ok=True), row
