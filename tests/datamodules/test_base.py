"""From records to batches: order, dropout, targets, rows and the errors a user can reach."""

import numpy as np
import pytest
import torch

from datamodules.base import HealthDataModule
from datamodules.modality import Modality
from datamodules.records import HealthRecord, Signal
from datamodules.sampler import CountedSampler
from datamodules.transforms.audio import AugmentMel
from datamodules.transforms.signal import PrepareSignal
from fusion.batch import check_batch
from fusion.plan import Facts, Finding, load_tokenizer, parse
from fusion.targets import Target


class TwoGroups:
    """Twelve people; "eda" poses as signals, "hum" as audio, which every third lacks."""

    name = "two_groups"
    targets = {"health_state": Target("classes", ("balanced", "strained")), "plan": Target("plan")}  # noqa: RUF012
    fingerprint = "1"

    def records(self, split):
        first = {"train": 0, "val": 100, "test": 200}[split]
        return [self.record(first + i) for i in range(12)]

    def record(self, i):
        parts = {"eda": signal(f"{i}/eda", 8 + i % 5, i)}
        if i % 3:
            parts["hum"] = signal(f"{i}/hum", 6, -i)
        findings = (Finding(group="signals", finding="raised_arousal", value=90, unit="bpm"),
                    Finding(group="audio", finding="snoring"))  # fmt: skip
        facts = Facts(state="strained", goal="maintain", findings=findings if i % 3 else findings[:1])
        return HealthRecord(
            record_id=f"r{i}", person_id=f"p{i}", parts=parts, targets={"health_state": i % 2, "plan": facts}
        )

    def ceiling(self):
        return {}


def signal(key, length, level):
    return Signal(key=key, values=np.full((length, 1), level, np.float32), rate_hz=4.0, unit="uS", start_s=-length / 4)


def modality(source, group, augment=None):
    prepare = PrepareSignal(
        rate_hz=4.0, channels=["level"], unit="uS", derive="none", baseline="none", is_scaled=False
    )  # fmt: skip
    return Modality(source=source, group=group, prepare=prepare, augment=augment)


def module(tmp_path, **changes):
    settings = {
        "cohort": TwoGroups(), "targets": {name: target._asdict() for name, target in TwoGroups.targets.items()},
        "modalities": {"eda": modality("eda", "signals"), "hum": modality("hum", "audio")},
        "answered": ["health_state", "plan"], "batch_size": 4, "eval_batch_size": 5, "num_workers": 0,
        "modality_dropout": 0.5, "is_testing_streams": False, "cache_dir": str(tmp_path), "seed": 0, **changes,
    }  # fmt: skip
    return HealthDataModule(**settings)


@pytest.fixture
def data(tmp_path):
    data = module(tmp_path)
    data.setup()
    return data


def test_batches_fit_the_contract(data):
    for batch in (*data.train_dataloader(), *data.val_dataloader()):
        check_batch(batch, ["eda", "hum"], {"health_state": "health_state", "plan": "plan"})


def test_padded_steps_are_invalid_and_lengths_are_kept(data):
    batch = next(iter(data.val_dataloader()))
    assert batch.streams["eda"].valid.sum(1).tolist() == [8 + (100 + i) % 5 for i in range(5)]
    assert batch.streams["hum"].valid.any(1).tolist() == [(100 + i) % 3 > 0 for i in range(5)]


def test_dropout_is_drawn_before_the_plan_is_rendered(data):
    tokenizer, hidden = load_tokenizer(), 0
    for batch in data.train_dataloader():
        for row, target in enumerate(batch.targets["plan"]):
            plan = parse(tokenizer.decode(target[target >= 0].tolist()))
            shown = {g for g, n in (("signals", "eda"), ("audio", "hum")) if batch.streams[n].valid[row].any()}
            assert {claim.group for claim in plan.because} == shown
            assert shown
            hidden += len(shown) < 2
    assert hidden > 4


def test_epochs_differ_and_repeat_exactly(data):
    def epoch(number):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(number)
        return [(b.record_ids, b.streams["eda"].valid) for b in loader]

    first, again, other = epoch(0), epoch(0), epoch(1)
    assert all(a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert [ids for ids, _ in first] != [ids for ids, _ in other]


def test_few_train_records_come_in_every_epoch_as_they_are_and_statistics_stay(tmp_path, data):
    few = module(
        tmp_path, num_train_records=3, is_augmented=False, modality_dropout=0.0,
        modalities={"eda": modality("eda", "signals", augment=lambda stream, generator: 1 / 0)},
    )  # fmt: skip
    few.setup()
    loader = few.train_dataloader()
    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        (batch,) = loader
        assert sorted(batch.record_ids) == ["r0", "r1", "r2"]
    assert few.class_counts("health_state") == data.class_counts("health_state")


@pytest.mark.parametrize("number", [0, 1000])
def test_more_or_fewer_train_records_than_there_are_is_an_error(tmp_path, number):
    with pytest.raises(ValueError, match=rf"data.num_train_records is {number}, but .* has \d+ train records; set"):
        module(tmp_path, num_train_records=number).setup()


def test_ranks_share_evaluation_records_without_repeats_and_training_records_evenly():
    def dealt(is_train):
        return [
            [d.index for d in CountedSampler(num_records=11, seed=0, is_train=is_train, rank=r, world_size=3)]
            for r in range(3)
        ]

    assert sorted(index for part in dealt(False) for index in part) == list(range(11))
    train = dealt(True)
    assert [len(part) for part in train] == [3, 3, 3] and len({index for part in train for index in part}) == 9


def test_rows_score_records_that_have_every_group_they_show(data):
    rows = {row.name: row for row in data.test_rows()}
    assert list(rows) == ["as_recorded", "prior", "all", "signals", "audio"]
    assert [len(row.records) for row in rows.values()] == [12, 12, 8, 12, 8]
    loader = data.test_dataloader()[list(rows).index("signals")]
    assert not any(batch.streams["hum"].valid.any() for batch in loader)


def test_features_replace_the_stream_but_never_under_augmentation(data, tmp_path):
    data.cache_features("eda", "twice", lambda s: s._replace(values=torch.cat([s.values, s.values], dim=-1)))
    batch = next(iter(data.val_dataloader()))
    assert batch.streams["eda"].values.shape[-1] == 2
    assert batch.streams["eda"].values[0, 0].tolist() == [100.0, 100.0]
    augmented = module(
        tmp_path, modalities={"eda": modality("eda", "signals", AugmentMel(max_mels=1, max_time_fraction=0))}
    )
    augmented.setup()
    with pytest.raises(ValueError, match="features of 'eda' cannot be cached while it is augmented"):
        augmented.cache_features("eda", "twice", lambda s: s)


def test_wrong_set_ups_name_what_to_fix(tmp_path):
    with pytest.raises(ValueError, match=r"a head answers 'diet', but data 'two_groups' label only"):
        module(tmp_path, answered=["diet"])
    with pytest.raises(
        ValueError, match=r"target 'health_state': the data yaml says Target\(kind='classes', names=\('x',\)"
    ):
        module(tmp_path, targets={"health_state": {"kind": "classes", "names": ["x"]}, "plan": {"kind": "plan"}})
    with pytest.raises(ValueError, match="modalities is empty"):
        module(tmp_path, modalities={})
    with pytest.raises(ValueError, match="no record of 'two_groups' has 'ecg'"):
        module(tmp_path, modalities={"ecg": modality("ecg", "signals")}).setup()
    with pytest.raises(ValueError, match="group 'sensors' must be one of"):
        modality("eda", "sensors")
