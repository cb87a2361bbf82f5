"""The tables of RESULTS.md and of `python -m hmnet evaluate --table N`, as Markdown: the paper's and ours."""

from collections.abc import Iterable, Sequence

from hmnet.errors import DataError
from hmnet.published import (
    ALL_FOUR,
    FULL_SURFACE,
    JOINT,
    RATIOS,
    SURFACE,
    TABLES,
    TITLES,
    UNREGULARISED,
    PaperTable,
    Ratio,
)
from hmnet.recorded import Family, equal_budget, shipped
from hmnet.variants import BASE, VARIANTS

UNKNOWN = "-"
"""What is not given or not measured."""
PUBLISHED, FROM_RATIO = "published, {dataset}", "computed from the published ratio"
NOISY_ROWS = ("single-task", "single-task-noisy", BASE, "hmnet-noisy")


def paper_table(number: int, families: Sequence[Family] | None = None) -> str:
    """The paper's table of that number: its rows marked as published, ours, and how ours are measured.

    families: whose recorded errors to show, by default those in the repository. Raises DataError for a number
    that the paper has not, or for an unreadable config.json.
    """
    if number not in TABLES:
        raise DataError(f"The paper has no table {number}: choose one of {', '.join(map(str, TABLES))}.")
    table = TABLES[number]
    families = (equal_budget(), shipped()) if families is None else families
    rows = [*_published_rows(table), *(row for family in families for row in _our_rows(table, family))]
    head = ("", "source", *(TITLES[column] for column in table.columns))
    commands = [_command(table, family) for family in families]
    return "\n\n".join(
        (
            f"## Table {number}: {table.title}",
            table.note,
            markdown(head, rows),
            f"How our rows are measured, and by the last command {table.dataset} itself, once you have it:",
            code("\n".join([*commands, table.on_the_data])),
        )
    )


def _command(table: PaperTable, family: Family) -> str:
    """What measures a family's rows of a table; a comment says which NAMEs there are."""
    names = [name for name in table.rows if name in family.variants]
    return f"{family.command_for('NAME')}  # NAME: {', '.join(names)}"


def _published_rows(table: PaperTable) -> Iterable[tuple[str, ...]]:
    for name in table.rows:
        for source, errors in ((PUBLISHED, table.published), (FROM_RATIO, table.from_ratio)):
            if name in errors:
                cells = (mm(errors[name].get(column)) for column in table.columns)
                yield VARIANTS[name].title, source.format(dataset=table.dataset), *cells
    if not table.published:
        yield VARIANTS[BASE].title, PUBLISHED.format(dataset=table.dataset), *[UNKNOWN] * len(table.columns)


def _our_rows(table: PaperTable, family: Family) -> Iterable[tuple[str, ...]]:
    for name in table.rows:
        if name in family.variants:
            missing = "" if name in family.configs else ", not measured"
            cells = (mm(family.error(name, column)) for column in table.columns)
            yield VARIANTS[name].title, f"ours, {family.title}{missing}", *cells


def ratio_table(family: Family) -> str:
    """The ratios of errors that this family can have, the published ones beside them."""
    rows = []
    for ratio in RATIOS:
        if {ratio.above, ratio.below} <= set(family.variants):
            rows.append(
                (_ratio_title(ratio), ratio.meaning, _published_ratio(ratio), *_ratios(ratio, family))
            )
    return markdown(("", "what", "published", *(TITLES[column] for column in ALL_FOUR)), rows)


def _ratio_title(ratio: Ratio) -> str:
    title = f"{VARIANTS[ratio.above].title} / {VARIANTS[ratio.below].title}"
    return title if ratio.key == SURFACE else f"{title} ({TITLES[ratio.key]})"


def _published_ratio(ratio: Ratio) -> str:
    return ratio.claim or UNKNOWN if ratio.published is None else f"{ratio.published:.2f}"


def _ratios(ratio: Ratio, family: Family) -> Iterable[str]:
    """A ratio for each of ALL_FOUR; surfaces of different templates are compared on the full one alone."""
    for column in ALL_FOUR:
        key = column
        if ratio.key != SURFACE and "surface" in column:
            key = ratio.key if column == SURFACE else ""
        value = family.ratio(ratio.above, ratio.below, key)
        yield UNKNOWN if value is None else f"{value:.2f}"


def square_table(family: Family) -> str:
    """Fig. 8: trained with and without Eq. 3, averaging off and on."""
    rows = []
    for name, title in ((BASE, "trained with Eq. 3"), (UNREGULARISED, "trained without")):
        rows.append((title, *(_square_cell(family, name, prefix) for prefix in ("raw ", ""))))
    return markdown(("", "averaging off", "averaging on"), rows)


def _square_cell(family: Family, name: str, prefix: str) -> str:
    surface, rough, normals = (
        mm(family.error(name, prefix + key)) for key in (SURFACE, "roughness", "normal deviation")
    )
    return UNKNOWN if surface == UNKNOWN else f"{surface} ({rough}; {normals})"


def subsampling_table(family: Family) -> str:
    """HMNet on the subsampled and on the full template, on the same 13,718 vertices."""
    columns = (FULL_SURFACE, JOINT, "PA joint", "roughness")
    rows = [
        (VARIANTS[name].title, *(mm(family.error(name, column)) for column in columns))
        for name in (BASE, "hmnet-full")
    ]
    return markdown(("", *(TITLES.get(column, column) for column in columns)), rows)


def noise_table(family: Family) -> str:
    """Fig. 4: trained on true and on badly fitted meshes, without and with the true joints' losses."""
    rows = [
        (VARIANTS[name].title, *(mm(family.error(name, column)) for column in ALL_FOUR))
        for name in NOISY_ROWS
    ]
    return markdown(("", *(TITLES[column] for column in ALL_FOUR)), rows)


def variant_table(family: Family) -> str:
    """What each variant of a family is, and how long its HMNet was trained."""
    rows = [
        (f"{VARIANTS[name].title} (`{name}`)", VARIANTS[name].sentence, _training(family, name))
        for name in family.variants
    ]
    return markdown(("", "what it is", "trained on"), rows)


def _training(family: Family, name: str) -> str:
    if name not in family.configs:
        return "not measured"
    config = family.configs[name]
    seen = config.get("data", {}).get("hmnet")
    if not seen:
        return "not recorded"
    text = f"{seen['images']:,} images in {seen['steps']:,} steps"
    text += f", {seen['minutes']:g} minutes" if "minutes" in seen else ""
    pooling = config.get("model", {}).get("input_pooling", 1)
    text += f", averaged over {pooling} x {pooling} pixels" if pooling > 1 else ""
    return text + (f"; goes on from `{config['base']}`" if "base" in config else "")


def mm(value: float | None) -> str:
    """An error as a cell shows it."""
    return UNKNOWN if value is None else f"{value:.1f}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: head and rows of plain text."""
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def code(commands: str) -> str:
    """Commands, one a line, as a block of Markdown."""
    return f"```sh\n{commands}\n```"
