"""Convert a declared unit to the one a model expects: g is standard gravity, bpm beats per minute, a.u. nothing else.

Units are pint's; only what a wearable writes differently from a physicist is renamed first.
"""

from __future__ import annotations

from functools import lru_cache
from tokenize import TokenError

import numpy as np
import pint

ARBITRARY = "a.u."  # converts to nothing: two devices' arbitrary units have no common scale
SPELLINGS = {"g": "g_0", "m/s2": "m/s**2", "bpm": "count/minute", "%": "percent", "°C": "degC", "°F": "degF"}
# g/mol, IUPAC standard atomic weights 2021: glucose C6H12O6, lactate C3H5O3-, cholesterol C27H46O
MOLAR_MASS_G_MOL = {"glucose": 180.156, "lactate": 89.070, "cholesterol": 386.664}


def convert(values: np.ndarray, unit: str, to: str, *, of: str = "") -> np.ndarray:
    """Give ``values`` in ``unit`` as float64 in ``to``; NaN stays NaN.

    ``of``: what is measured, e.g. "glucose": mmol/L and mg/dL differ by its molar mass. ValueError where a unit is
    unknown or the two do not measure the same thing.
    """
    values = np.asarray(values, dtype=np.float64)
    check_unit(unit)
    check_unit(to)
    if unit == to:
        return values
    if ARBITRARY in (unit, to):
        raise ValueError(f"unit {unit!r} cannot become {to!r}: arbitrary units have no scale; declare the true unit")
    quantity, molar_mass = _registry().Quantity(values, _parsed(unit)), _bridge(unit, to, of)
    if molar_mass is not None:
        quantity = quantity * molar_mass
    return quantity.to(_parsed(to)).magnitude


def check_unit(unit: str) -> None:
    """Refuse a unit nobody knows."""
    if unit != ARBITRARY:
        _parsed(unit)


def _bridge(unit: str, to: str, of: str) -> pint.Quantity | None:
    """The molar mass (or its inverse) that leads from amount to mass of a substance; None where none is needed."""
    have, want = (dict(_parsed(u).dimensionality) for u in (unit, to))
    if have == want:
        return None
    amount, mass = ({kind: 1, "[length]": -3} for kind in ("[substance]", "[mass]"))
    if (have, want) not in ((amount, mass), (mass, amount)):
        raise ValueError(f"unit {unit!r} cannot become {to!r}: they measure different things; fix the declared unit")
    if of not in MOLAR_MASS_G_MOL:
        raise ValueError(
            f"unit {unit!r} becomes {to!r} only with a molar mass, and of {of!r} none is known; name the signal one of "
            f"{sorted(MOLAR_MASS_G_MOL)} or add it to MOLAR_MASS_G_MOL"
        )
    molar_mass = _registry().Quantity(MOLAR_MASS_G_MOL[of], "g/mol")
    return molar_mass if have == amount else 1 / molar_mass


@lru_cache(maxsize=256)
def _parsed(unit: str) -> pint.Unit:
    try:
        if not unit.strip():
            raise ValueError("it is empty")
        return _registry().Unit(SPELLINGS.get(unit, unit))
    except (pint.errors.PintError, AssertionError, ValueError, TypeError, TokenError) as error:  # pint has many ways
        raise ValueError(
            f"unit {unit!r} is not known ({error}); say e.g. g, m/s2, bpm, uS, degC, mmol/L, mg/dL, a.u."
        ) from error


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry:
    return pint.UnitRegistry()
