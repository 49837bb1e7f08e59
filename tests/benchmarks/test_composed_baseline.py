"""Protects: the reference figures - the exact rule, pairing by record."""

import numpy as np
import pytest

from benchmarks.composed_baseline import by_rule, paired_draws
from datamodules.records import HealthRecord
from datamodules.rule import CELLS, LATENTS, STATES, prior, state_of
from fusion.evidence.intervals import central, source_weights, verdict


def test_certain_latents_give_the_state_of_the_rule():
    one_hot = {
        latent: np.eye(len(values))[[values.index(cell[latent]) for cell in CELLS]]
        for latent, values in LATENTS.items()
    }
    assert [STATES[i] for i in by_rule(one_hot).argmax(1)] == [state_of(cell) for cell in CELLS]


def test_nothing_known_gives_the_uniform_prior():
    stressed = sum(p for p, cell in zip(prior(), CELLS, strict=True) if cell["body"] == "stressed")
    np.testing.assert_allclose(by_rule({"body": np.array([[1 - stressed, stressed]])}), 1 / 6, atol=1e-6)


def test_one_certain_latent_excludes_states():
    snoring_or_not = by_rule({"sound": np.array([[0.0, 0.0, 1.0, 0.0]])})[0]
    assert snoring_or_not[STATES.index("balanced")] < 1e-6  # balanced people do not snore


def test_paired_difference_matches_records_by_name(tmp_path):
    records = [
        HealthRecord(
            record_id=f"r{i}", person_id="", parts={}, targets={"health_state": i % 6}, sources={"signals": f"S{i % 9}"}
        )
        for i in range(60)
    ]
    ids, right = np.array([r.record_id for r in records]), np.eye(6)[np.arange(60) % 6]
    np.savez(tmp_path / "run.npz", health_state__record_ids=ids[::-1], health_state__all=right[::-1])
    np.savez(tmp_path / "baseline.npz", health_state__record_ids=ids, health_state__all=np.roll(right, 1, axis=1))
    weights = list(source_weights([r.sources for r in records], 50, seed=0))
    value, draws = paired_draws(tmp_path / "run.npz", tmp_path / "baseline.npz", records, weights)
    assert value == pytest.approx(1.0) and verdict(*central(draws)) == "better"
    with pytest.raises(ValueError, match=r"run\.npz lacks 1 of 61 records, first 'new'"):
        extra = HealthRecord(record_id="new", person_id="", parts={}, targets={"health_state": 0})
        paired_draws(tmp_path / "run.npz", tmp_path / "baseline.npz", [*records, extra], weights)
