"""A data folder and a folder of our own messages, small and invented."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from router.training.own import FLAGS, LANGUAGES
from tests.training.test_graph import TEXTS


def write_data(folder: Path) -> Path:
    """BANKING77's and CLINC150's files; gives ``folder``."""
    (folder / "banking77").mkdir(parents=True)
    with (folder / "banking77" / "train.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "category"))
        for number in range(40):
            text = TEXTS[number % len(TEXTS)]
            writer.writerow((f"{text} number{number}", "fee" if "fee" in text else "card"))
    (folder / "clinc150").mkdir()
    foreign = [{"text": f"boil egg {n}", "label": f"recipe_{n % 5}"} for n in range(20)]
    ours = [{"text": f"bank {n}", "label": "balance"} for n in range(5)]
    lines = "".join(json.dumps(row) + "\n" for row in (*foreign, *ours))
    for name in ("train", "val", "oos_train", "oos_val"):
        (folder / "clinc150" / f"{name}.jsonl").write_text(lines if name == "train" else "")
    return folder


def write_own(folder: Path) -> Path:
    """The part ``train`` in every language; gives ``folder``."""
    (folder / "train").mkdir(parents=True)
    for language in LANGUAGES:
        rows = [
            {
                "text": f"{text} {language} {number}",
                "label": "fee" if "fee" in text else "card",
                "language": language,
                "flags": [FLAGS[number % len(FLAGS)]] if "gone" in text else [],
            }
            for text in TEXTS
            for number in range(4)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "train" / f"{language}.jsonl").write_text(lines)
    return folder
