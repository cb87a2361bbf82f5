"""Made-up config.json files of variants, and the rows of the tables that are made of them."""

import json
from pathlib import Path

ERRORS = ("surface", "joint", "PA surface", "PA joint", "full surface")


def errors(surface: float, iou: float = 0.4, **more: float) -> dict[str, float]:
    """A config.json's metrics, all of them like the surface error but for those given."""
    values = dict.fromkeys((*ERRORS, *(f"raw {name}" for name in ERRORS[:4])), surface)
    values |= {"roughness": 6.0, "raw roughness": 9.0, "normal deviation": 7.0, "raw normal deviation": 20.0}
    return values | {"part mean IoU": iou} | {name.replace("_", " "): value for name, value in more.items()}


def write_config(folder: Path, name: str, metrics: dict[str, float], **more) -> None:
    """NAME/config.json in a folder of variants."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "config.json").write_text(json.dumps({"variant": name, "metrics": metrics, **more}))


def row(text: str, *start: str) -> list[str]:
    """The cells of the only table row that starts with these cells."""
    begin = "| " + " | ".join(start) + " |"
    rows = [line for line in text.splitlines() if line.startswith(begin)]
    assert len(rows) == 1, (begin, rows)
    return [cell.strip() for cell in rows[0].strip("|").split("|")]
