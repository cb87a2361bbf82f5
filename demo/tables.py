"""Numbers as HTML tables: `table.numbers`, which the page's style sheet and the report's know."""

from collections.abc import Iterable, Sequence
from html import escape

NOTHING = "–"  # noqa: RUF001 (what a table shows where there is no number)
MINUS = "\u2212"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """HTML of a table: head and cells are plain text, the first of each row names it.

    caption: HTML, a sentence that stands below.
    """
    columns = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    below = f'<p class="caption">{caption}</p>' if caption else ""
    # A narrow screen scrolls the table, not the page.
    return (
        '<div class="numbers-scroll" style="overflow-x:auto"><table class="numbers">'
        f"<thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table></div>{below}"
    )


def number(value: float | None, digits: int = 1) -> str:
    """A number as a cell shows it."""
    # Adding 0 turns -0.0 into 0.0.
    return NOTHING if value is None else f"{round(float(value), digits) + 0:.{digits}f}".replace("-", MINUS)
