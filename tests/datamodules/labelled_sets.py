"""Tiny made-up copies of the other public sets in their own file layout, for tests without the real data."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from PIL import Image

ESC10 = ("dog", "rooster", "rain", "sea_waves")
GROCERIES = (("Golden-Delicious", "Apple"), ("Royal-Gala", "Apple"), ("Lemon", "Lemon"))
GLUCOSE_START = pd.Timestamp("2021-05-04 10:33")


def write_esc10(folder: Path, rng: np.random.Generator) -> None:
    rows = [(f"{f}-{c}{f}-A-{c}.ogg", f, c, name, f"{c}{f}", "A") for f in range(1, 6) for c, name in enumerate(ESC10)]
    _write_esc(folder, "esc10.csv", rows, rng)


def write_esc50_fold4(folder: Path, rng: np.random.Generator) -> None:
    names = enumerate(("coughing", "snoring"))
    rows = [(f"4-{c}{s}-A-{c}.ogg", 4, c, name, f"{c}{s}", "A") for c, name in names for s in range(5)]
    _write_esc(folder, "meta.csv", rows, rng)


def _write_esc(folder: Path, index: str, rows: list[tuple], rng: np.random.Generator) -> None:
    (folder / "audio").mkdir(parents=True)
    for name, *_ in rows:
        noise = rng.uniform(-0.5, 0.5, 16000)
        soundfile.write(folder / "audio" / name, noise, 16000, format="OGG", subtype="VORBIS")
    columns = ["filename", "fold", "target", "category", "src_file", "take"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / index, index=False)


def write_annomi(folder: Path, _: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    rows = []
    for dialogue in range(12):
        quality = "high" if dialogue < 8 else "low"
        rows.append((dialogue, quality, 0, "therapist", "How are you?", "question", None))
        rows.append((dialogue, quality, 1, "client", "I want to stop.", None, ("change", "neutral")[dialogue % 2]))
    columns = "transcript_id mi_quality utterance_id interlocutor utterance_text main_therapist_behaviour"
    table = pd.DataFrame(rows, columns=[*columns.split(), "client_talk_type"])
    table.iloc[::-1].to_csv(folder / "AnnoMI-simple.csv.gz", index=False)


def write_grocery_store(folder: Path, rng: np.random.Generator) -> None:
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for number, (fine, coarse) in enumerate(GROCERIES):
        for part, count in (("train", 14), ("val", 2)):
            for photo in range(count):
                name = f"{part}/Fruit/{coarse}/{fine}_{photo:03d}.jpg"
                _write_photo(folder / name, rng)
                lines[part].append(f"{name}, {number}, {0 if coarse == 'Apple' else 1}")
    for part, own in lines.items():
        (folder / f"{part}.txt").write_text("\n".join(own))
    columns = ["Class Name (str)", "Class ID (int)", "Coarse Class Name (str)"]
    rows = [(fine, i, coarse) for i, (fine, coarse) in enumerate(GROCERIES)]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "classes.csv", index=False)


def write_ecustfd(folder: Path, rng: np.random.Generator) -> None:
    kinds = ("apple", "banana")
    names = [f"{kind}{n:03d}{view}({k})" for kind in kinds for n in range(1, 8) for view in "ST" for k in (1, 2)]
    for name in [*names, "mix001s(1)"]:
        _write_photo(folder / "images" / f"{name}.jpg", rng)
    (folder / "trainval.txt").write_text("\n".join([*names, "mix001s(1)"]))
    rows = [(f"{kind}{n:03d}", kind, 100 + n, kind) for kind in kinds for n in range(1, 8)]
    rows += [("mix001", "apple", 150, "mix"), ("mix001", "banana", 160, "mix")]
    columns = ["id", "type", "weight(g)", "sheet"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "volume_weight.csv", index=False)


def _write_photo(path: Path, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)


def write_seglearn_watch(folder: Path, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    index = np.arange(24)
    series = {f"X_{i:03d}": rng.normal(size=(1200, 6)).astype(np.float32) for i in index}
    labels = np.array(["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"])
    np.savez(folder / "watch.npz", **series, index=index, y=index % 7, subject=index % 8 + 1, y_labels=labels)


def write_basicmotions(folder: Path, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    (folder / "BasicMotions_TRAIN.ts").write_text(ts_text(rng, ("Standing", "Running", "Walking", "Badminton"), 6, 100))


def write_ucr(folder: Path, rng: np.random.Generator) -> None:
    (folder / "GunPoint").mkdir(parents=True)
    for part in ("TRAIN", "TEST"):
        (folder / "GunPoint" / f"GunPoint_{part}.ts").write_text(ts_text(rng, ("1", "2"), 1, 30))


def ts_text(rng: np.random.Generator, classes: tuple[str, ...], num_channels: int, length: int) -> str:
    """Ten series a class in the archive's format; the first value of all is missing."""
    lines = ["# about", "@problemName Tiny", "@timeStamps false", "@data"]
    for number in range(10 * len(classes)):
        channels = [",".join(f"{x:.4f}" for x in rng.normal(size=length)) for _ in range(num_channels)]
        lines.append(":".join([*channels, classes[number % len(classes)]]))
    lines[4] = "?" + lines[4][lines[4].index(",") :]
    return "\n".join(lines)


def write_shanghai_dm(folder: Path, _: np.random.Generator) -> None:
    """Six people of each type; glucose rises by 1 mg/dL a reading from 60 to 260, a meal and insulin at reading 40."""
    for kind, first in (("T1DM", 1000), ("T2DM", 2000)):
        (folder / f"Shanghai_{kind}").mkdir(parents=True)
        for person in range(first, first + 6):
            glucose = np.arange(60.0, 260.0)
            table = pd.DataFrame({"Date": GLUCOSE_START + pd.to_timedelta(15 * np.arange(200), "min")})
            table["CGM (mg / dl)"] = glucose
            table["Dietary intake"] = None
            table["Insulin dose - s.c."] = None
            table["Dietary intake"] = table["Dietary intake"].astype(object)
            table["Insulin dose - s.c."] = table["Insulin dose - s.c."].astype(object)
            table.loc[40, ["Dietary intake", "Insulin dose - s.c."]] = ["Rice 75 g\nEgg 50 g", "Novolin R, 5 IU"]
            table.loc[50, "Dietary intake"] = "data not available"
            table = table.drop(index=[100])  # a gap of half an hour
            table.to_csv(folder / f"Shanghai_{kind}" / f"{person}_0_20210504.csv.gz", index=False)


def write_pmdata(folder: Path, rng: np.random.Generator) -> None:
    """Eight people, thirty days; person 3 has no diary, person 5 no resting heart rate."""
    days = pd.date_range("2019-11-01", periods=30)
    for person in range(1, 9):
        fitbit, reports, diary = (folder / f"p{person:02d}" / name for name in ("fitbit", "pmsys", "googledocs"))
        for path in (fitbit, reports, diary):
            path.mkdir(parents=True)
        for name in ("lightly_active", "moderately_active", "very_active", "sedentary"):
            _write_json(fitbit / f"{name}_minutes.json.gz", [_dated(day, str(10 * i)) for i, day in enumerate(days)])
        zones = {"BELOW_DEFAULT_ZONE_1": 1300.0, **{f"IN_DEFAULT_ZONE_{i}": 10.0 * i for i in (1, 2, 3)}}
        _write_json(
            fitbit / "time_in_heart_rate_zones.json.gz", [_dated(day, {"valuesInZones": zones}) for day in days]
        )
        if person != 5:
            rows = [_dated(day, {"value": 0.0 if i == 3 else 55.0}) for i, day in enumerate(days)]
            _write_json(fitbit / "resting_heart_rate.json.gz", rows)
        nights = [{"dateOfSleep": f"{day:%Y-%m-%d}", "minutesAsleep": 400, "minutesAwake": 40} for day in days]
        _write_json(fitbit / "sleep.json.gz", nights)
        run = {"activityName": "Run", "activeDuration": 3_000_000, "averageHeartRate": 135, "startTime": f"{days[9]}"}
        _write_json(fitbit / "exercise.json.gz", [run])
        scores = rng.integers(1, 6, (30, 5))
        table = pd.DataFrame(scores, columns=["fatigue", "mood", "readiness", "sleep_quality", "stress"])
        table.insert(0, "effective_time_frame", [f"{day:%Y-%m-%d}T08:00:00.000Z" for day in days])
        table.loc[4, "stress"] = 0
        table.to_csv(reports / "wellness.csv", index=False)
        if person != 3:
            columns = ["date", "meals", "glasses_of_fluid", "alcohol_consumed"]
            rows = [(f"{day:%d/%m/%Y}", "Breakfast, Dinner", 7, "No") for day in days]
            pd.DataFrame(rows, columns=columns).to_csv(diary / "reporting.csv", index=False)


def _dated(day: pd.Timestamp, value: object) -> dict:
    return {"dateTime": f"{day:%Y-%m-%d %H:%M:%S}", "value": value}


def _write_json(path: Path, rows: list) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump(rows, file)


def write_lifesnaps_daily(folder: Path, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    days = pd.date_range("2021-05-24", periods=20)
    numbers = [
        "minutesAsleep", "minutesAwake", "lightly_active_minutes", "moderately_active_minutes", "very_active_minutes",
        "resting_hr", "bpm", "rmssd", "nightly_temperature",
    ]  # fmt: skip
    people = []
    for person in range(8):
        table = pd.DataFrame(rng.uniform(30, 60, (20, len(numbers))), columns=numbers)
        table.insert(0, "id", f"person{person}")
        table.insert(1, "date", days)
        table["sedentary_minutes"] = np.where(np.arange(20) == 7, 1440.0, 700.0)
        table["stress_score"] = np.where(np.arange(20) % 2, 70.0, 0.0)
        table["TIRED"] = np.where(np.arange(20) % 3, np.nan, 1.0)
        table["TENSE/ANXIOUS"] = np.where(np.arange(20) % 3, np.nan, 0.0)
        people.append(table)
    pd.concat(people).to_csv(folder / "daily_fitbit_sema.csv.gz", index=False)


def write_depresjon(folder: Path, rng: np.random.Generator) -> None:
    """Six patients and six controls; three full days begun at noon, so that two are whole."""
    folder.mkdir(parents=True)
    names = [f"{group}_{n}" for group in ("condition", "control") for n in range(1, 7)]
    for name in names:
        activity = rng.integers(0, 500, 3 * 1440).astype(np.int32)
        minutes = np.arange(len(activity), dtype=np.int32)
        np.savez(folder / f"{name}.npz", activity=activity, start="2003-05-07 12:00:00", minutes_from_start=minutes)
    madrs = [20.0 if name.startswith("condition") else None for name in names]
    pd.DataFrame({"number": names, "madrs1": madrs}).to_csv(folder / "scores.csv", index=False)


WRITERS = {
    "esc10": write_esc10,
    "esc50_fold4": write_esc50_fold4,
    "annomi": write_annomi,
    "grocery_store": write_grocery_store,
    "ecustfd": write_ecustfd,
    "seglearn_watch": write_seglearn_watch,
    "basicmotions": write_basicmotions,
    "ucr": write_ucr,
    "shanghai_dm": write_shanghai_dm,
    "pmdata": write_pmdata,
    "lifesnaps_daily": write_lifesnaps_daily,
    "depresjon": write_depresjon,
}
