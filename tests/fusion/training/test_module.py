"""Steps of the Lightning module that no metric would betray."""

from types import SimpleNamespace

import pytest

from fusion.training.module import FusionModule


@pytest.mark.parametrize(("fn", "is_generating"), [("fit", False), ("validate", True)])
def test_plans_are_not_written_after_every_epoch(fn, is_generating):
    """Lightning says ``trainer.training`` is False while fit validates."""
    asked = []
    module = SimpleNamespace(
        trainer=SimpleNamespace(state=SimpleNamespace(fn=fn), sanity_checking=False, training=False),
        _measure=lambda batch, row, *, is_generating: asked.append(is_generating),
    )
    FusionModule.validation_step(module, None, 0)
    assert asked == [is_generating]
