"""The section of RESULTS.md on hands, from what `python -m hmnet.hand_results` wrote."""

from collections.abc import Iterable
from pathlib import Path

from hmnet.measured_section import measured_section
from hmnet.published import ALL_FOUR, TITLES
from hmnet.tables import markdown
from hmnet.variants import form_of

NAME = "hands"
COMMAND = "python -m hmnet.hand_results --data TEST"
AREAS = ("AUC, each joint", "AUC, PA each joint")
ABOUT = (
    "HMNet with the template of a hand, on {count:,} rendered hands (`python -m hmnet generate --body hand "
    "--split {split} --count {asked} --seed {seed}`; backgrounds: {backgrounds}), relative to the wrist, "
    "with the true box, in the window that is turned upright by what the networks see. Means in mm with 95 % "
    "bootstrap intervals; joints are regressed from the mesh, averaged is the mesh after Eq. 3; AUC is the "
    "area under the curve of PCK, the share of joints that are within 0 to 50 mm; PA is after Procrustes "
    "alignment. The variants go on from HMNet's weights, which may make their differences smaller."
)


def hand_section(folder: Path) -> list[str]:
    """The section's Markdown as a list of one; of none where hands were not measured.

    folder: of the figures. Raises DataError for a file of another form.
    """
    path = folder / f"{NAME}.json"
    return [measured_section("Hands", path, COMMAND, _parts)] if path.is_file() else []


def _parts(result: dict) -> list[str]:
    pictures = result["pictures"]
    about = ABOUT.format(
        count=result["images"], split=pictures.get("split", "-"), asked=pictures.get("count", "-"),
        seed=pictures.get("seed", "-"), backgrounds=pictures.get("backgrounds") or "computed",
    )  # fmt: skip
    lines = "\n".join(f"- {_sentence(change)}" for change in result["changes"])
    parts = f"The mean IoU of the 16 parts, as HMNet is given them, is {result['part mean IoU']:.2f}."
    return [about, _table(result), *([lines] if lines else []), parts]


def _table(result: dict) -> str:
    rows = []
    for row in result["rows"]:
        errors, name = row["errors"], row["variant"]
        rows.append((
            f"{form_of(name).title} (`{name}`)", row["mesh"], *(_span(errors[key]) for key in ALL_FOUR),
            *(f"{row[area]:.3f}" for area in AREAS), _span(errors["roughness"]),
            _trained(result["weights"][name]),
        ))  # fmt: skip
    head = ("", "mesh", *map(_title, ALL_FOUR), "AUC", "PA AUC", "roughness", "trained on")
    return markdown(head, rows)


def _sentence(change: dict) -> str:
    """What a change does to each error, and which of these are more than chance."""
    errors = change["errors"]
    told = ", ".join(
        f"{_title(key)} by {one['mean']:+.2f} mm [{one['low']:+.2f}, {one['high']:+.2f}]"
        for key, one in errors.items()
    )
    kinds = {
        "it lowers {}": [key for key, one in errors.items() if one["high"] < 0],
        "it raises {}": [key for key, one in errors.items() if one["low"] > 0],
        "what becomes of {} may be chance": [
            key for key, one in errors.items() if one["low"] <= 0 <= one["high"]
        ],
    }
    verdict = "; ".join(words.format(_listed(map(_title, keys))) for words, keys in kinds.items() if keys)
    return f"{change['what']} changes {told}: {verdict}."


def _title(key: str) -> str:
    return TITLES.get(key, key)


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _span(one: dict) -> str:
    return f"{one['mean']:.2f} [{one['low']:.2f}, {one['high']:.2f}]"


def _trained(weights: dict) -> str:
    if "images" not in weights:
        return "not recorded"
    own = f", {weights['own']:,} of these in this form" if "own" in weights else ""
    return f"{weights['images']:,} images{own} (revision {weights['revision']})"
