"""Read Dreaddit (Turcan & McKeown 2019): segments of forum posts, stressed or not. Quote no text in public."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from datamodules.records import Note
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of, parts_there
from fusion.targets import Target


class Post(NamedTuple):
    """``source``: the post that the segment is from; ``confidence``: share of annotators who agree, 0..1."""

    note: Note
    source: str
    is_stressed: bool
    confidence: float


def read_dreaddit(data_dir: Path, part: str = "train") -> list[Post]:
    """Every segment of the official ``part``, train or test, under ``data_dir``/dreaddit, in file order."""
    path = one_of(Path(data_dir) / "dreaddit", *_files(part))
    prefix = "dreaddit" if part == "train" else f"dreaddit/{part}"
    return [
        Post(Note(key=f"{prefix}/{row.id}", text=row.text), row.post_id, bool(row.label), row.confidence)
        for row in pd.read_csv(path).itertuples()
    ]


class DreadditCohort(LabelledCohort):
    """Segments of English forum posts, each stressed or not by the vote of several annotators.

    Content: 3,553 segments of Reddit posts from ten communities; the 2,838 of the official train part are at hand.
    Licence: no licence file; public research data of Reddit users. Quote no text in public.
    People: unknown authors; a post counts as one. Split: the official test part where dreaddit-test.csv is there, and
    15 % of the train part validates; else by post, 65/15/20 %. Posts that share half of their word triples are one,
    because the same words were posted again under other numbers.
    Published: on the official test part BERT-base F1 .807, logistic regression on word2vec and features F1 .798
    (Turcan & McKeown 2019, from memory); majority-class F1 .681.
    Faults: three texts occur in the official train and test part, and train posts like a test post are left out beside
    it; authors of several posts are not marked.
    """

    name = "dreaddit"
    unit = "post"
    alike = "text"
    targets: ClassVar = {"stress": Target("classes", ("calm", "stressed"))}

    def read(self) -> Iterator[Item]:
        for official, part in parts_there(self.folder, *_files("test")).items():
            for post in read_dreaddit(self.data_dir, official):
                label = "stressed" if post.is_stressed else "calm"
                yield Item(post.note.key, post.source, {"text": post.note}, {"stress": label}, part=part)


def _files(part: str) -> tuple[str, str]:
    return f"dreaddit-{part}.csv.gz", f"dreaddit-{part}.csv"
