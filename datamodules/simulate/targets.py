"""What people composed or simulated by the rule are labelled with."""

from __future__ import annotations

from datamodules.rule import LATENTS, STATES
from datamodules.simulate.profile import GOALS
from fusion.targets import Target

RULE_TARGETS: dict[str, Target] = {
    "health_state": Target("classes", STATES),
    **{latent: Target("classes", values) for latent, values in LATENTS.items()},
    "goal": Target("classes", tuple(GOALS)),
    "plan": Target("plan"),
}
