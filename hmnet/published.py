"""What the paper reports: its tables, its rows that are certain, and the ratios that ours are compared with.

Source: HumanMeshNet (ICCV-W 2019), section 4. Only what could be checked stands here: of Table 1 HMNet's row
and two ratios, of Tables 2 to 4 nothing. A number that could not be checked is left out, and shown as a dash.
"""

from dataclasses import dataclass, field

from hmnet.variants import BASE

ORACLE, BASELINE, UNREGULARISED, PHOTO_ALONE = "hmnet-oracle", "baseline", "hmnet-unregularised", "rgb-only"
SURFACE, JOINT = "surface", "joint"
PA_SURFACE, PA_JOINT, FULL_SURFACE = "PA surface", "PA joint", "full surface"
"""Errors as they are named where they are recorded, mm."""
TITLES = {SURFACE: "surface", JOINT: "joints", PA_SURFACE: "PA surface", PA_JOINT: "PA joints",
          FULL_SURFACE: "full surface"}  # fmt: skip
"""Errors' names to their titles in a table's head."""
ALL_FOUR = (SURFACE, JOINT, PA_SURFACE, PA_JOINT)


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's tables.

    title: what it compares. dataset: that the paper measured on. rows: variants, in the order shown.
    columns: errors shown. note: a sentence or two on our rows. on_the_data: the command that measures a
    checkpoint on the paper's own data. published: errors in mm by variant and column, as printed in the
    paper. from_ratio: likewise, but computed from a published ratio and a printed error.
    """

    title: str
    dataset: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    note: str
    on_the_data: str
    published: dict[str, dict[str, float]] = field(default_factory=dict)
    from_ratio: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ratio:
    """An error of one variant over that of another.

    meaning: what the ratio is about. published: the paper's, or None where no figure is certain; then `claim`
    is what the paper says in words, ABOVE or ABOUT, or empty. cause: why ours may differ, a clause with {iou}
    and {images} for what was recorded.
    """

    above: str
    below: str
    meaning: str
    published: float | None = None
    claim: str = ""
    key: str = SURFACE
    cause: str = ""


ABOVE, ABOUT = "above 1", "about 1"

HMNET_SURREAL = {SURFACE: 86.6, JOINT: 71.9}
TO_BASELINE, ORACLE_TO_HMNET = 0.86, 0.73
"""HMNet over the baseline, and the Oracle over HMNet: surface errors on SURREAL."""
PARTS_ARE_POOR = "the part maps come from a small segmenter (mean IoU {iou:.2f}) instead of DensePose"
FEW_IMAGES = "every network saw {images:,} images only, from random weights instead of ImageNet's"

RATIOS = (
    Ratio(BASE, BASELINE, "part map, joint branch and losses against a ResNet-50 alone", TO_BASELINE,
          cause=f"{PARTS_ARE_POOR}, and {FEW_IMAGES}"),
    Ratio(ORACLE, BASE, "true part maps against predicted ones", ORACLE_TO_HMNET,
          cause="how much true parts gain depends on how poor the predicted ones are (mean IoU {iou:.2f})"),
    Ratio("single-task", BASE, "no joint branch against both branches (multi-task)", claim=ABOVE,
          cause=FEW_IMAGES),
    Ratio("single-task-parts", "single-task", "the part map alone against photo and part map"),
    Ratio("hmnet-full", BASE, "the full template against the subsampled one", claim=ABOUT, key=FULL_SURFACE,
          cause=f"its last layer has eleven times the weights, and {FEW_IMAGES}"),
    Ratio("hmnet-no-joint-loss", BASE, "without L_J (Eq. 2) against with it", claim=ABOVE, cause=FEW_IMAGES),
    Ratio("hmnet-no-agreement", BASE, "without L_JS (Eq. 4) against with it"),
    Ratio(BASE, PHOTO_ALONE, "with the part map against without it, all else equal"),
)  # fmt: skip

THREE = (BASELINE, BASE, ORACLE)
TABLES = {
    1: PaperTable(
        "Surface and joint error on SURREAL", "SURREAL", THREE, ALL_FOUR,
        "SURREAL may not be passed on, so our rows are of our own rendered test set: compare ratios, not "
        "millimetres.",
        "python -m hmnet evaluate --data surreal --root DIR",
        published={BASE: HMNET_SURREAL},
        from_ratio={
            BASELINE: {SURFACE: HMNET_SURREAL[SURFACE] / TO_BASELINE},
            ORACLE: {SURFACE: HMNET_SURREAL[SURFACE] * ORACLE_TO_HMNET},
        },
    ),
    2: PaperTable(
        "Surface and joint error on UP-3D", "UP-3D", THREE, ALL_FOUR,
        "UP-3D may not be passed on and no published number of this table could be checked, so there are "
        "only rows of ours, by the same metrics on our own rendered test set.",
        "python -m hmnet evaluate --data up3d --root DIR",
    ),
    3: PaperTable(
        "Human3.6M, Protocol 2: joint error after Procrustes alignment", "Human3.6M",
        THREE, (JOINT, PA_JOINT),
        "Human3.6M may not be passed on and no published number of this table could be checked, so there are "
        "only rows of ours, by the same metric (PA joints) on our own rendered test set.",
        "python -m hmnet evaluate --data human36m --root DIR",
    ),
    4: PaperTable(
        "What each module adds", "SURREAL",
        (BASELINE, PHOTO_ALONE, "single-task-parts", "single-task", "hmnet-no-joint-loss",
         "hmnet-no-agreement", UNREGULARISED, BASE, ORACLE, "hmnet-full"),
        (*ALL_FOUR, FULL_SURFACE),
        "No published number of this table could be checked. The surface of the full template is scored "
        "on all its 13,718 vertices; the last column scores every row so, the others after upsampling.",
        "python -m hmnet evaluate --data surreal --root DIR",
    ),
}  # fmt: skip
"""The paper's tables by their numbers."""
