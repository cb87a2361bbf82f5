"""Names and values in messages."""

from hmnet.errors import MOST_TOLD, told


def test_what_can_be_shown_is_shown() -> None:
    assert told("Grüße (2).jpg") == "Grüße (2).jpg" and told(3.5) == "3.5" and told([1, "a"]) == "[1, 'a']"


def test_nothing_breaks_the_line_or_steers_the_screen() -> None:
    shown = told("a\r\n\tb\x1b[31m\u202ec\0d\ud800")
    assert shown.isprintable() and shown.startswith("a b") and "c" in shown and "d" in shown


def test_what_is_long_loses_its_middle() -> None:
    shown = told("start" + "x" * 10**6)
    assert len(shown) == MOST_TOLD and shown.startswith("start") and "…" in shown
    assert told("start" + "x" * 100 + "end", 20) == "startxxxxx…xxxxxxend"
    assert told("x" * MOST_TOLD) == "x" * MOST_TOLD
