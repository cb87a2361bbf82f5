"""The figures' sections of RESULTS.md: each picture, what it shows, and its main numbers in sentences.

A figure is NAME.json with its measured numbers, and NAME.png or NAME.jpg: `python -m hmnet figure NAME`
writes them.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hmnet.checkpoint import EMBEDDED
from hmnet.errors import DataError
from hmnet.published import ORACLE, PHOTO_ALONE
from hmnet.recorded import shown
from hmnet.variants import BASE

FIGURES = EMBEDDED.parent / "results"


@dataclass(frozen=True)
class Section:
    """How one figure is presented: its title, a line on what it shows, and its numbers' sentences."""

    title: str
    about: str
    sentences: Callable[[dict], Iterable[str]]


def figure_sections(folder: Path = FIGURES) -> list[str]:
    """A section of Markdown for each of SECTIONS; a sentence where a figure was not made.

    Raises DataError for a JSON file that is unreadable or lacks what its sentences need.
    """
    return [_section(folder, name, section) for name, section in SECTIONS.items()]


def _section(folder: Path, name: str, section: Section) -> str:
    path = folder / f"{name}.json"
    head = f"## {section.title}\n\n{section.about}"
    if not path.is_file():
        return f"{head}\n\nNot measured yet: `python -m hmnet figure {name}` makes it."
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        lines = "\n".join(f"- {sentence}" for sentence in section.sentences(result))
        command = result["command"]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{path} cannot be used ({error!r}): make it anew by `python -m hmnet figure {name}`."
        ) from error
    pictures = [p for p in (path.with_suffix(".png"), path.with_suffix(".jpg")) if p.is_file()]
    drawn = "".join(f"\n\n![{section.title}]({shown(picture)})" for picture in pictures)
    return f"{head}{drawn}\n\n{lines}\n\n```sh\n{command}\n```"


def _origin(result: dict) -> str:
    weights = result["weights"]
    return (
        f"Measured on {result['images']:,} pictures (test set: {result['test set']}) with the shipped "
        f"weights of revision {weights['revision']}."
    )


def _regulariser(result: dict) -> Iterable[str]:
    for name, words in (("with", "Trained with Eq. 3"), ("without", "Trained without it")):
        surface, rough = (result[name]["iterations"][key] for key in ("surface", "roughness"))
        best = min(range(len(surface)), key=surface.__getitem__)
        yield (
            f"{words}: surface error {surface[0]:.1f} mm raw, {surface[1]:.1f} averaged once, "
            f"{surface[-1]:.1f} after {result['iterations'][-1]} iterations; lowest ({surface[best]:.1f}) "
            f"after {result['iterations'][best]}. Roughness {rough[0]:.1f}, {rough[1]:.1f} and "
            f"{rough[-1]:.1f} mm; that of the true meshes is {result['truth']['roughness']:.1f}."
        )
        strengths = result[name]["strength"]["surface"]
        best = min(range(len(strengths)), key=strengths.__getitem__)
        yield (
            f"{words}, averaged once: the surface error is lowest ({strengths[best]:.1f} mm) at strength "
            f"{result['strengths'][best]:g}; 1 is the paper's."
        )
    yield _origin(result)


def _noisy_parts(result: dict) -> Iterable[str]:
    missing, swapped, wrong = (result[key] for key in ("missing limbs", "swapped sides", "wrong patches"))
    for name, words in ((BASE, "HMNet"), (ORACLE, "HMNet-Oracle")):
        swaps = ", ".join(
            f"{error:.1f} ({what})" for what, error in zip(swapped["amounts"], swapped[name], strict=True)
        )
        yield (
            f"{words}, given true part maps: {missing[name][0]:.1f} mm; without {missing['amounts'][-1]} "
            f"limbs {missing[name][-1]:.1f}; with sides swapped {swaps}; with "
            f"{100 * wrong['amounts'][-1]:.0f} % of the labels wrong {wrong[name][-1]:.1f}."
        )
    undamaged = result["undamaged"]
    yield (
        f"For comparison, HMNet with the segmenter's own maps: {undamaged[BASE]:.1f} mm; the photo alone: "
        f"{undamaged[PHOTO_ALONE]:.1f} mm."
    )
    yield _origin(result)


def _noisy_truth(result: dict) -> Iterable[str]:
    for title, cost in result["cost of bad meshes"].items():
        costs = ", ".join(f"{value:+.1f} mm {key}" for key, value in cost.items())
        yield f"{title}: badly fitted meshes change the errors by {costs}."


def _shape_range(result: dict) -> Iterable[str]:
    for name, values in result["errors"].items():
        surface = ", ".join(f"{value:.0f}" for value in values["surface"])
        yield f"Surface error over {name}, from one end to the other: {surface} mm."
    for name in ("stature", "chest", "waist", "hips"):
        found = result["measures"][name]
        yield (
            f"{name.capitalize()}: mean absolute error {found['mean absolute error']:.0f} mm where always "
            f"giving the mean would leave {found['spread']:.0f}; correlation "
            f"{_number(found['correlation'])}, slope {_number(found['slope'])} (1 would be perfect)."
        )
    sex = result["sex"]
    yield (
        f"Sex: read rightly from {100 * sex['right']:.0f} % of the recovered meshes (half would be "
        f"chance), and from {100 * sex['right from the true mesh']:.0f} % of the true ones."
    )
    yield (
        f"Measured on {result['images']:,} pictures of {result['scenes']:,} scenes, rendered for it, with "
        f"the shipped weights of revision {result['weights']['revision']}."
    )


def _gallery(result: dict) -> Iterable[str]:
    rows = [row for row in result["rows"] if BASE in row]
    if rows:
        better = sum(row[BASE] < row[PHOTO_ALONE] for row in rows)
        yield (
            f"The first {len(rows)} pictures, whatever comes out: HMNet's mesh is nearer to the truth "
            f"than that of the photo alone in {better} of them."
        )
    yield f"Drawn with the shipped weights of revision {result['weights']['revision']}."


def _engines(result: dict) -> Iterable[str]:
    rows = dict(result["rows"])
    name, reference = next(iter(rows.items()))
    yield f"{name}: surface error {reference['surface']:.2f} mm, PA surface {reference['PA surface']:.2f} mm."
    for other, row in list(rows.items())[1:]:
        more = row["surface"] - reference["surface"]
        yield (
            f"{other}: surface error {row['surface']:.2f} mm ({more:+.2f}), PA surface "
            f"{row['PA surface']:.2f}; vertices move by {row['mean']:.2f} mm on average, at most "
            f"{row['largest']:.1f} mm in any picture (median of the pictures' largest "
            f"{row['median of largest']:.2f})."
        )
    yield _origin(result)


def _clip(result: dict) -> Iterable[str]:
    for way, row in result["ways"].items():
        yield (
            f"{way.capitalize()}: surface error {row['surface']:.1f} mm, PA surface "
            f"{row['PA surface']:.1f} mm, jitter {row['jitter']:.1f} mm a frame squared, box overlap "
            f"{row['box overlap']:.2f}, {row['lost']:.1f} frames lost a clip."
        )
    clips, revision = result["clips"], result["weights"]["revision"]
    yield (
        f"Measured on {result['frames']} frames of {len(clips)} clips ({'; '.join(clips)}) with the shipped "
        f"weights of revision {revision}; engine: {result['engine']}."
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


SECTIONS = {
    "regulariser": Section(
        "Figure: effect of the regulariser",
        "The paper's Fig. 8: networks trained with and without Eq. 3, over averaging iterations and "
        "strength.",
        _regulariser,
    ),
    "noisy-parts": Section(
        "Figure: noisy part maps",
        "The paper's Fig. 3 and 7: what becomes of the mesh as parts go missing, are swapped or are wrong.",
        _noisy_parts,
    ),
    "noisy-truth": Section(
        "Figure: noisy truth",
        "The paper's Fig. 4: what true joints are worth where the training meshes are bad.",
        _noisy_truth,
    ),
    "shape-range": Section(
        "Figure: shape variation",
        "The paper's Fig. 9: people across Anny's range, stature, girths and sex recovered against true.",
        _shape_range,
    ),
    "gallery": Section(
        "Gallery",
        "The paper's Fig. 5 to 7: input, part map, mesh over the input's view and from another; beside "
        "it the photo alone.",
        _gallery,
    ),
    "engines": Section(
        "Engines",
        "What compiled networks and bfloat16 do to the answers; for scale, what half a pixel of the crop "
        "does.",
        _engines,
    ),
    "clip": Section(
        "Clips",
        "What following a person by the last box and the one-euro filter do, on clips rendered for it.",
        _clip,
    ),
}
