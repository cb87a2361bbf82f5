"""RESULTS.md, the paper's tables beside ours, from the errors recorded with each variant's weights.

Nothing is measured here: `python -m hmnet evaluate --record` writes errors into config.json, and all that is
written about them, wording included, follows from those numbers. Run it anew after every recording.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hmnet.checkpoint import EMBEDDED
from hmnet.errors import DataError, OutputError
from hmnet.variants import BASE, VARIANTS

NAME = "RESULTS.md"
ORACLE, BASELINE, UNREGULARISED = "hmnet-oracle", "baseline", "hmnet-unregularised"
COLUMNS = {"surface": "surface", "joint": "joints", "PA surface": "PA surface", "PA joint": "PA joints"}
"""Errors by their names in config.json, and the tables' titles for them."""
PUBLISHED = {BASE: {"surface": 86.6, "joint": 71.9}, ORACLE: {}, BASELINE: {}}
"""The paper's rows on SURREAL, mm; what is not certain is left out."""
PUBLISHED_RATIOS = ((BASE, BASELINE, 0.86), (ORACLE, BASE, 0.73))
"""Of the errors of two variants on SURREAL, the first over the second."""
NEAR = 0.02
"""Ratios that differ by less than this are called equal."""
UNKNOWN = "-"
METRICS = (*COLUMNS, "roughness", "raw surface", "raw roughness", "part mean IoU")
HEAD = """*Written by `python -m hmnet results` from the errors recorded in `{weights}/*/config.json`: \
run it again instead of editing this file.*

# Results

The paper measured on SURREAL, with SMPL's body; ours are measured on pictures that
`python -m hmnet generate` renders, with Anny's. Millimetres of one are therefore no millimetres of the other,
and it is the ratios between variants that can be compared. Joints are regressed from the mesh, PA is after
Procrustes alignment, and a dash stands for what is not given or not measured here. `TEST` is the folder of
the test set (README says which one).
"""
SQUARE = (
    "The square of the paper's Fig. 8: surface error in mm, and in brackets the roughness, the mean distance "
    "in mm of a vertex to its neighbours' mean."
)
STARTED = (
    "The paper trains each variant anew; here all of them go on from HMNet's weights and train only what "
    "makes them differ: what is frozen is HMNet's, which may make the differences smaller than the paper's."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet results`."""
    # Not `output`, which the command line takes for a folder.
    parser.add_argument(
        "--output", dest="file", type=Path, default=Path(NAME), metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--weights", type=Path, default=EMBEDDED, metavar="DIR",
        help="folder with a folder for each variant (default: the embedded ones)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Write the file; raises DataError where nothing is recorded, OutputError where it cannot be written."""
    text = results(options.weights)
    try:
        options.file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{options.file} cannot be written ({error.strerror}): choose another --output."
        ) from error
    print(f"{options.file} written, of {', '.join(read_configs(options.weights))}.")


def results(weights: Path = EMBEDDED) -> str:
    """The whole text, Markdown. Raises DataError where not even BASE has recorded errors."""
    configs = read_configs(weights)
    if BASE not in configs:
        raise DataError(
            f"No errors of {BASE} are recorded below {weights}: run "
            f"`{_command(_shown(weights), BASE)}` first."
        )
    errors = {name: config["metrics"] for name, config in configs.items()}
    place = _shown(weights)
    recorded = "\n".join(_command(place, name) for name in VARIANTS)
    sections = (
        HEAD.format(weights=place),
        "## Errors, in mm\n\n" + _error_table(errors),
        _printed_by(recorded),
        "## Ratios of errors\n\nBelow 1 where the first variant is better.\n\n" + _ratio_table(errors),
        _printed_by("python -m hmnet results"),
        f"## Trained and averaged, with and without Eq. 3\n\n{SQUARE}\n\n" + _square_table(errors),
        _printed_by("\n".join(_command(place, name) for name in (BASE, UNREGULARISED))),
        "## The variants\n\n" + _variant_table(configs),
        _printed_by("python -m hmnet results"),
        "## What comes out different from the paper\n\n" + "\n".join(f"- {s}" for s in _differences(errors)),
    )
    return "\n\n".join(section.strip() for section in sections) + "\n"


def read_configs(weights: Path) -> dict[str, dict]:
    """config.json of each of VARIANTS whose errors are recorded, by name; DataError for an unreadable one."""
    configs = {}
    for name in VARIANTS:
        path = weights / name / "config.json"
        if not path.is_file():
            continue
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            recorded = set(METRICS) <= config.get("metrics", {}).keys()
        except (OSError, ValueError, AttributeError) as error:
            raise DataError(f"{path} is no readable config.json ({error}): copy it anew.") from error
        if recorded:
            configs[name] = config
    return configs


def _error_table(errors: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        (VARIANTS[name].title, "published, SURREAL", *(_mm(row.get(key)) for key in COLUMNS))
        for name, row in PUBLISHED.items()
    ]
    for name, variant in VARIANTS.items():
        if name in errors:
            rows.append((variant.title, "ours", *(_mm(errors[name][key]) for key in COLUMNS)))
        else:
            rows.append((variant.title, "ours, not measured", *[UNKNOWN] * len(COLUMNS)))
    return _table(("", "source", *COLUMNS.values()), rows)


def _ratio_table(errors: Mapping[str, Mapping[str, float]]) -> str:
    rows = []
    for above, below, published in PUBLISHED_RATIOS:
        ours = [_ratio(errors, above, below, key) for key in COLUMNS]
        shown = [UNKNOWN if value is None else f"{value:.2f}" for value in ours]
        rows.append((f"{VARIANTS[above].title} / {VARIANTS[below].title}", f"{published:.2f}", *shown))
    return _table(("", "published", *(f"ours, {title}" for title in COLUMNS.values())), rows)


def _square_table(errors: Mapping[str, Mapping[str, float]]) -> str:
    rows = []
    for name, title in ((BASE, "trained with Eq. 3"), (UNREGULARISED, "trained without")):
        cells = [UNKNOWN, UNKNOWN]
        if name in errors:
            row = errors[name]
            cells = [f"{row[p + 'surface']:.1f} ({row[p + 'roughness']:.1f})" for p in ("raw ", "")]
        rows.append((title, *cells))
    return _table(("", "averaging off", "averaging on"), rows)


def _variant_table(configs: Mapping[str, dict]) -> str:
    rows = []
    for name, variant in VARIANTS.items():
        training, rough = "not there", UNKNOWN
        if name in configs:
            training = _training(configs[name])
            metrics = configs[name]["metrics"]
            rough = f"{metrics['raw roughness']:.1f} / {metrics['roughness']:.1f}"
        modules = ", ".join(f"`{module}`" for module in variant.trained)
        rows.append((f"{variant.title} (`{name}`)", variant.sentence, modules, training, rough))
    return _table(("", "what it is", "trained", "how long", "roughness raw / averaged, mm"), rows)


def _training(config: dict) -> str:
    """How long a variant's HMNet was trained, from its config.json, in words."""
    seen = config.get("data", {}).get("hmnet")
    if not seen:
        return "not recorded"
    text = f"{seen['images']:,} maps and crops in {seen['steps']:,} steps"
    text += f", {seen['minutes']:g} minutes" if "minutes" in seen else ""
    return text + (f"; on top of `{config['base']}`" if "base" in config else "")


def _differences(errors: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """Sentences on what the paper has otherwise; each follows from the numbers."""
    own, published = errors[BASE]["surface"], PUBLISHED[BASE]["surface"]
    yield (
        f"HMNet's surface error is {own:.1f} mm, {own / published:.2f} times the published {published} mm, "
        "which are of other pictures."
    )
    for above, below, ratio in PUBLISHED_RATIOS:
        yield _ratio_sentence(errors, above, below, ratio)
    yield from _square_sentences(errors)
    yield STARTED
    yield from _doubts(errors)


def _ratio_sentence(
    errors: Mapping[str, Mapping[str, float]], above: str, below: str, published: float
) -> str:
    titles = f"{VARIANTS[above].title} against {VARIANTS[below].title}"
    ours = _ratio(errors, above, below, "surface")
    if ours is None:
        return f"{titles}: not measured here."
    if ours > 1 + NEAR:
        verdict = f"the other way round: {VARIANTS[above].title} is the worse of the two here"
    elif ours > 1 - NEAR:
        verdict = "no gain here, where the paper has one"
    elif ours > published + NEAR:
        verdict = "a gain as in the paper, but a smaller one"
    elif ours < published - NEAR:
        verdict = "a gain as in the paper, and a larger one"
    else:
        verdict = "the same gain as in the paper"
    return f"{titles}: a ratio of {ours:.2f} in surface error, published {published:.2f}; {verdict}."


def _square_sentences(errors: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """What averaging does, to a network trained with it and to one trained without."""
    with_it = errors[BASE]
    yield "Averaging HMNet's mesh: " + _effect(with_it)
    if UNREGULARISED not in errors:
        yield f"{VARIANTS[UNREGULARISED].title}: not measured here, so half of Fig. 8's square is missing."
        return
    without = errors[UNREGULARISED]
    yield "Averaging the mesh of the network trained without it: " + _effect(without)
    corners = {
        "trained with Eq. 3 and averaged": (with_it["surface"], with_it["roughness"]),
        "trained with Eq. 3, not averaged": (with_it["raw surface"], with_it["raw roughness"]),
        "trained without and averaged": (without["surface"], without["roughness"]),
        "trained without, not averaged": (without["raw surface"], without["raw roughness"]),
    }
    own = next(iter(corners))
    for column, what in enumerate(("lowest surface error", "smoothest mesh")):
        best = min(corners, key=lambda corner: corners[corner][column])
        verdict = "the paper's corner" if best == own else f"not the paper's corner, {own}"
        yield f"The {what} of the four is that {best}: {verdict}."


def _effect(row: Mapping[str, float]) -> str:
    change = row["surface"] - row["raw surface"]
    rough = row["raw roughness"] / max(row["roughness"], 1e-9)
    smoother = f"{rough:.1f} times smoother" if rough >= 1 else "no smoother"
    if abs(change) < 0.05:
        return f"{smoother}, and the surface error stays."
    return f"{smoother}, and the surface error {'falls' if change < 0 else 'rises'} by {abs(change):.1f} mm."


def _doubts(errors: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """Where recorded errors cannot be compared: all variants share a segmenter, so on the same pictures their
    part maps have the same IoU, and the Oracle's 1."""
    own = errors[BASE]["part mean IoU"]
    for name, row in errors.items():
        title, iou = VARIANTS[name].title, row["part mean IoU"]
        if VARIANTS[name].parts == "true":
            if iou < 1:
                yield f"{title} was measured with predicted part maps: record it anew."
        elif iou != own:
            yield f"{title} was not measured on HMNet's test pictures (other part IoU): record both anew."


def _ratio(errors: Mapping[str, Mapping[str, float]], above: str, below: str, key: str) -> float | None:
    return errors[above][key] / errors[below][key] if {above, below} <= errors.keys() else None


def _mm(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _command(place: str, name: str) -> str:
    """What measures a variant, prints its errors and records them."""
    return f"python -m hmnet evaluate --data TEST --weights {place} --variant {name} --record"


def _printed_by(commands: str) -> str:
    return f"```sh\n{commands}\n```"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))


def _shown(weights: Path) -> str:
    """The folder as one writes it in the repository, so that the text is the same wherever that lies."""
    root = EMBEDDED.parents[1]
    return (weights.relative_to(root) if weights.is_relative_to(root) else weights).as_posix()
