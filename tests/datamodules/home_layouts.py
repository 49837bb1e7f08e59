"""Rewrite the made-up copies of the public sets into the layout in which their homes publish them."""

from __future__ import annotations

import gzip
import json
import pickle
import shutil
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import soundfile

EMODB_CODES = {
    "neutral": "N", "boredom": "L", "happiness": "F", "fear": "A", "anger": "W", "sadness": "T", "disgust": "E",
}  # fmt: skip
ESC10_FOLDERS = {
    "dog": "001 - Dog bark",
    "rooster": "009 - Rooster",
    "rain": "002 - Rain",
    "sea_waves": "003 - Sea waves",
}


def unzip(ours: Path, home: Path) -> None:
    """Every file as it is, the gzipped ones plain."""
    for path in (path for path in ours.rglob("*") if path.is_file()):
        to = home / path.relative_to(ours)
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".gz":
            to.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        else:
            shutil.copy(path, to)


def lifesnaps(ours: Path, home: Path) -> None:
    unzip(ours, home)
    (home / "daily_fitbit_sema.csv").rename(home / "daily_fitbit_sema_df_unprocessed.csv")


def food101_10(ours: Path, home: Path) -> None:
    unzip(ours, home)
    (home / "meta").mkdir()
    (home / "train.txt").rename(home / "meta" / "train.txt")


def depresjon(ours: Path, home: Path) -> None:
    for path in ours.glob("*.npz"):
        with np.load(path) as file:
            time = pd.Timestamp(str(file["start"])) + pd.to_timedelta(file["minutes_from_start"], "min")
            table = pd.DataFrame({"timestamp": time, "date": time.date, "activity": file["activity"]})
        folder = home / path.stem.partition("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        table.to_csv(folder / f"{path.stem}.csv", index=False)
    shutil.copy(ours / "scores.csv", home)


def stress_predict(ours: Path, home: Path) -> None:
    for path in (ours / "raw").iterdir():
        folder = home / "Raw_data" / path.stem
        folder.mkdir(parents=True)
        with np.load(path) as file:
            for name in ("BVP", "EDA", "TEMP", "ACC"):
                values = file[name].reshape(len(file[name]), -1) / (100 if name == "BVP" else 1)
                head = np.tile([[float(file[f"{name}_start"])], [float(file[f"{name}_hz"])]], values.shape[1])
                np.savetxt(folder / f"{name}.csv", np.vstack([head, values]), delimiter=",", fmt="%.8g")
    (home / "Processed_data").mkdir()
    labels = gzip.decompress((ours / "labels_hr_rsp_binary.csv.gz").read_bytes())
    (home / "Processed_data" / "Improved_All_Combined_hr_rsp_binary.csv").write_bytes(labels)


def emodb(ours: Path, home: Path) -> None:
    (home / "wav").mkdir(parents=True)
    for row in pd.read_csv(ours / "meta.csv", dtype=str).itertuples():
        name = f"{row.speaker}a01{EMODB_CODES[row.emotion]}a.wav"
        soundfile.write(home / "wav" / name, *soundfile.read(ours / "wav" / row.filename))


def snoring_khan(ours: Path, home: Path) -> None:
    for path in ours.glob("*/*.ogg"):
        (home / path.parent.name).mkdir(parents=True, exist_ok=True)
        soundfile.write(home / path.parent.name / f"{path.stem}.wav", *soundfile.read(path))


def esc10(ours: Path, home: Path) -> None:
    for row in pd.read_csv(ours / "esc10.csv").itertuples():
        folder = home / ESC10_FOLDERS[row.category]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(ours / "audio" / row.filename, folder / f"{row.fold}-{row.src_file}-{row.take}.ogg")


def esc50_fold4(ours: Path, home: Path) -> None:
    table = pd.read_csv(ours / "meta.csv").assign(esc10=False)
    other = table.iloc[:1].assign(filename="4-x-A-0.wav", category="dog", esc10=True)  # not unpacked and not asked for
    elsewhere = table.iloc[:1].assign(filename="1-x-A-0.wav", fold=1)
    (home / "meta").mkdir(parents=True)
    pd.concat([table, other, elsewhere]).to_csv(home / "meta" / "esc50.csv", index=False)
    shutil.copytree(ours / "audio", home / "audio")


def seglearn_watch(ours: Path, home: Path) -> None:
    with np.load(ours / "watch.npz") as file:
        series = np.empty(len(file["index"]), dtype=object)
        series[:] = [file[f"X_{i:03d}"].astype(float) for i in file["index"]]
        said = {"X": series, "y": file["y"], "subject": file["subject"], "y_labels": file["y_labels"]}
    home.mkdir(parents=True)
    np.save(home / "watch_dataset.npy", said, allow_pickle=True)


def shanghai_dm(ours: Path, home: Path) -> None:
    for number, path in enumerate(sorted(ours.glob("*/*.csv.gz"))):
        (home / path.parent.name).mkdir(parents=True, exist_ok=True)
        name = path.name.replace(".csv.gz", ".xlsx" if number % 2 else ".xls")
        write_workbook(home / path.parent.name / name, {"Sheet1": pd.read_csv(path)})


def ecustfd(ours: Path, home: Path) -> None:
    (home / "JPEGImages").mkdir(parents=True)
    for path in (ours / "images").iterdir():
        shutil.copy(path, home / "JPEGImages" / f"{path.stem}.JPG")
    (home / "ImageSets" / "Main").mkdir(parents=True)
    shutil.copy(ours / "trainval.txt", home / "ImageSets" / "Main")
    sheets = {
        name: table.drop(columns="sheet") for name, table in pd.read_csv(ours / "volume_weight.csv").groupby("sheet")
    }
    write_workbook(home / "density.xls", sheets)


def tasteset(ours: Path, home: Path) -> None:
    recipes = [json.loads(line) for line in (ours / "recipes.jsonl").read_text().splitlines()]
    rows = [(recipe["ingredients"], json.dumps(recipe["entities"])) for recipe in recipes]
    home.mkdir(parents=True)
    pd.DataFrame(rows, columns=["ingredients", "ingredients_entities"]).to_csv(home / "TASTEset.csv", index=False)


def write_workbook(path: Path, sheets: dict[str, pd.DataFrame]) -> None:
    """The least that is an xlsx: numbers as numbers, everything else as text, nothing for what is missing."""
    main, rel = (f"http://schemas.openxmlformats.org/{end}" for end in ("spreadsheetml/2006/main", "package/2006"))
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    places = [(i, escape(name)) for i, name in enumerate(sheets, 1)]
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in places)
    links = "".join(
        f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/s{i}.xml"/>' for i, _ in places
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    types = "".join(
        f'<Override PartName="/xl/worksheets/s{i}.xml" ContentType="{kind}.worksheet+xml"/>' for i, _ in places
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{rel}/content-types"><Default Extension="rels" ContentType="application/vnd.'
            f'openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="{kind}.sheet.main+xml"/>{types}</Types>',
        )
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{rel}/relationships"><Relationship Id="w" Type="{office}/officeDocument" '
            f'Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{rel}/relationships">{links}</Relationships>'
        )
        for (i, _), table in zip(places, sheets.values(), strict=True):
            rows = [list(table.columns), *table.itertuples(index=False)]
            cells = ["".join(_cell(value) for value in row) for row in rows]
            body = "".join(f"<row>{row}</row>" for row in cells)
            file.writestr(
                f"xl/worksheets/s{i}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
            )


def _cell(value: object) -> str:
    if pd.isna(value):
        return "<c/>"
    if isinstance(value, int | float | np.number):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def write_wicked_pickle(path: Path) -> None:
    """A .npy whose pickle would run a program."""

    class Wicked:
        def __reduce__(self) -> tuple:
            return eval, ("1 + 1",)

    np.save(path, np.zeros(1))
    head = path.read_bytes()[:128]
    path.write_bytes(head + pickle.dumps(Wicked()))


HOMES = {
    "dreaddit": unzip, "annomi": unzip, "pmdata": unzip, "lifesnaps_daily": lifesnaps, "food101_10": food101_10,
    "depresjon": depresjon, "stress_predict": stress_predict, "emodb": emodb, "snoring_khan": snoring_khan,
    "esc10": esc10, "esc50_fold4": esc50_fold4, "seglearn_watch": seglearn_watch, "shanghai_dm": shanghai_dm,
    "ecustfd": ecustfd, "tasteset": tasteset,
}  # fmt: skip
