"""Tables of one row a day as signals of the last days before a prediction."""

# Shapes: D days, C channels.

from __future__ import annotations

import numpy as np
import pandas as pd

from datamodules.records import Signal

DAY_S = 86_400.0


def last_days(key: str, table: pd.DataFrame, day: pd.Timestamp, num_days: int, unit: str) -> Signal | None:
    """The ``num_days`` up to and including ``day``, whose end is the moment of prediction; None if nothing is known.

    ``table``: one row a day, indexed by date; its columns are the channels, all in ``unit``.
    """
    wanted = pd.date_range(end=day, periods=num_days)
    values = table.reindex(wanted).to_numpy(np.float32)
    if not np.isfinite(values).all(axis=1).any():
        return None
    return Signal(key=key, values=values, rate_hz=1 / DAY_S, unit=unit, start_s=-num_days * DAY_S)
