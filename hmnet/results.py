"""RESULTS.md, the paper's tables and figures beside ours, from what was recorded.

Nothing is measured here: `python -m hmnet evaluate --record` and `python -m hmnet.experiments` write errors
into config.json, `python -m hmnet figure` writes the figures, and all that is written about them, wording
included, follows from those numbers. Run it anew after every recording.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hmnet.checkpoint import EMBEDDED
from hmnet.errors import DataError, OutputError
from hmnet.figure_sections import FIGURES, figure_sections
from hmnet.findings import DIFFERENT, NOTE, SAME, findings
from hmnet.fuzz_section import fuzz_section
from hmnet.hand_section import hand_section
from hmnet.published import TABLES
from hmnet.recorded import EXPERIMENTS, Family, equal_budget, shipped, shown
from hmnet.serving_section import faults_section, load_section
from hmnet.speed_section import speed_section
from hmnet.tables import (
    code,
    noise_table,
    paper_table,
    ratio_table,
    square_table,
    subsampling_table,
    variant_table,
)
from hmnet.variants import BASE

NAME = "RESULTS.md"
COMMAND = code("python -m hmnet results")
HEAD = """*Written by `python -m hmnet results` from the errors recorded in `{experiments}/*/config.json`, \
`{weights}/*/config.json` and the figures in `{figures}`: run it again instead of editing this file.*

# Results

The paper measured on SURREAL, UP-3D and Human3.6M with SMPL's body; ours are measured on pictures that
`python -m hmnet generate` renders, with Anny's. Millimetres of one are therefore no millimetres of the other,
and it is the ratios between variants that can be compared. Errors are means over the test set, in mm; joints
are regressed from the mesh, not those of the joint branch; PA is after Procrustes alignment; a dash stands
for what is not given or not measured here. Published numbers that could not be checked are left out. `TEST`
is the folder of the test set, `CROPS` that of crops of training pictures, `RUNS` one to work in (README says
how to make them).

There are two families of weights, and only rows of the same family can be compared with one another.
**Equal budget** is the paper's form: ResNet encoders of pixels and part maps, each variant trained from
random weights on the same number of images, one view, so that its rows differ in what their names say alone;
the paper's own begin with ImageNet's weights, and see whole pixels instead of means over small squares. Each
was trained once: what another seed would change was not measured, so a few millimetres between two say
little.
**Shipped** are the weights that the page uses: trained far longer, on what MoveNet sees of the person instead
of pixels, and answering with the mean of two views; its other variants go on from HMNet's weights, which may
make their differences smaller."""
RATIOS = (
    "Below 1 where the first variant is better. A published figure is of the surface error on SURREAL; "
    "words are what the paper says without a figure that could be checked."
)
SQUARE = (
    "The square of the paper's Fig. 8: surface error in mm, and in brackets the roughness (mean distance "
    "in mm of a vertex to its neighbours' mean) and the normal deviation (mean angle in degrees between "
    "a vertex's normal and its neighbours' mean normal)."
)
SUBSAMPLING = (
    "The network gives 1,229 vertices, which a fixed operator brings to the full surface, or all 13,718 "
    "itself; both are scored on the full surface, whose vertices are denser on hands, feet and head, so that "
    "these weigh more in its error."
)
NOISE = (
    "The paper's Fig. 4: training meshes that were fitted badly on purpose, joints true; the test set's "
    "meshes are true."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet results`."""
    # Not `output`, which the command line takes for a folder.
    parser.add_argument(
        "--output", dest="file", type=Path, default=Path(NAME), metavar="FILE", help="default: %(default)s"
    )
    for option, default, what in (
        ("--weights", EMBEDDED, "the shipped weights, a folder for each variant"),
        ("--experiments", EXPERIMENTS, "the experiments, likewise"),
        ("--figures", FIGURES, "the figures, as `python -m hmnet figure` writes them"),
    ):
        parser.add_argument(
            option,
            type=Path,
            default=default,
            metavar="DIR",
            help=f"folder of {what} (default: the embedded)",
        )


def run(options: argparse.Namespace) -> None:
    """Write the file; raises DataError where nothing is recorded, OutputError where it cannot be written."""
    text = results(options.weights, options.experiments, options.figures)
    try:
        options.file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{options.file} cannot be written ({error.strerror}): choose another --output."
        ) from error
    print(f"{options.file} written.")


def results(weights: Path = EMBEDDED, experiments: Path = EXPERIMENTS, figures: Path = FIGURES) -> str:
    """The whole text, Markdown. Raises DataError where not even the shipped HMNet has recorded errors."""
    alike, page = equal_budget(experiments), shipped(weights)
    families = (alike, page)
    if BASE not in page.configs:
        raise DataError(
            f"No errors of {BASE} are recorded below {weights}: run `{page.command_for(BASE)}` first."
        )
    sections = (
        HEAD.format(experiments=shown(experiments), weights=shown(weights), figures=shown(figures)),
        *(paper_table(number, families) for number in TABLES),
        _both("Ratios of errors", RATIOS, ratio_table, families),
        _both("Trained and averaged, with and without Eq. 3", SQUARE, square_table, families),
        f"## Subsampling of the template\n\n{SUBSAMPLING}\n\n{subsampling_table(alike)}\n\n{COMMAND}",
        f"## Noisy meshes in training\n\n{NOISE}\n\n{noise_table(alike)}\n\n{COMMAND}",
        *figure_sections(figures),
        *hand_section(figures),
        speed_section(figures),
        load_section(figures),
        faults_section(figures),
        fuzz_section(figures),
        _both("The variants", "What they are, and how long HMNet was trained.", variant_table, families),
        *_comparison(families),
    )
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _both(title: str, text: str, table: Callable[[Family], str], families: Sequence[Family]) -> str:
    """A section with a table for each family."""
    parts = (f"**{family.title.capitalize()}**\n\n{table(family)}" for family in families)
    return "\n\n".join((f"## {title}", text, *parts, COMMAND))


def _comparison(families: Sequence[Family]) -> Iterable[str]:
    """What comes out the same, what different, and what cannot be compared."""
    found = findings(families)
    for title, kind in (
        ("What comes out different from the paper", DIFFERENT),
        ("What comes out as in the paper", SAME),
        ("What the paper gives no figure for", NOTE),
    ):
        sentences = [f"- {finding.sentence}" for finding in found if finding.kind == kind]
        yield f"## {title}\n\n" + "\n".join(sentences or ["- Nothing that was measured."])
