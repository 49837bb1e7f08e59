"""What plain code reads in a record's recordings: how long they are, the heart rate, and what the text says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from datamodules.modality import Modality
from datamodules.records import Clip, HealthRecord, Note, Part, Signal
from datamodules.transforms.base import Prepared
from fusion.plan import Facts
from fusion.plan.context import Offsets, PlanContext, read_context
from fusion.plan.rules.limits import Measured
from fusion.plan.schema import as_evidence

HEART_RATE = "heart_rate"  # the channel, in bpm


def context_of(
    record: HealthRecord,
    shown: Iterable[str],
    modalities: Mapping[str, Modality],
    prepared: Callable[[str], Prepared | None],
) -> PlanContext:
    """What is known of ``record`` from the modalities ``shown``; ``prepared``: a modality's stream, unscaled."""
    shown = [modalities[name] for name in shown]
    by_group: dict[str, Part] = {m.group: record.parts[m.source] for m in shown if m.source in record.parts}
    measured = [
        Measured(
            group=group,
            span_s=_span_s(part),
            **(_heart_rate(shown, modalities, prepared) if group == "signals" else {}),
        )
        for group, part in by_group.items()
    ]
    text = by_group.get("text")
    facts = next((target for target in record.targets.values() if isinstance(target, Facts)), None)
    return read_context(
        text.text if isinstance(text, Note) else None,
        tuple(measured),
        facts.seen_by(set(by_group)) if facts else None,
        _offsets(text, shown) if isinstance(text, Note) else (),
    )


def _offsets(note: Note, shown: list[Modality]) -> Offsets:
    """Where the word pieces of the note stand, for the first modality that reads it as such."""
    return next((m.prepare.offsets(note) for m in shown if m.group == "text"), ())


def _span_s(part: Part) -> int | None:
    """Whole seconds that a recording looks back on; None for what has no length."""
    if isinstance(part, Signal):
        return round(len(part.values) / part.rate_hz)
    return max(1, round(-part.start_s)) if isinstance(part, Clip) else None


def _heart_rate(
    shown: list[Modality], modalities: Mapping[str, Modality], prepared: Callable[[str], Prepared | None]
) -> dict[str, object]:
    """The mean heart rate as a plan writes it, if a shown modality has that channel."""
    for name, modality in modalities.items():
        channels = modality.prepare.channels
        stream = prepared(name) if modality in shown and HEART_RATE in channels else None
        if stream is not None and stream.valid.any():
            bpm = float(stream.values[stream.valid, channels.index(HEART_RATE)].mean())
            return {"value": as_evidence(bpm, "bpm"), "unit": "bpm"}
    return {}
