"""The benchmark's chart: a bar for each network and runtime, and lines where it tells how the cost grows."""

from hmnet.figures.speed import draw

TIME = {"median": 12.0, "low": 11.0, "high": 14.0}
ROWS = [
    {"title": title, "runtime": runtime, "batch": batch, "milliseconds": TIME}
    for title in ("HMNet", "HMR") for runtime in ("torch", "openvino-f32") for batch in (1, 16)
]  # fmt: skip
RESULT = {"networks": ROWS[:-2], "machine": {"processor": "Abacus", "cores": 2}}
GROWTH = {
    "template": {"369": {"torch": TIME}, "13718": {"torch": TIME}},
    "people": {"1": {"batched": TIME, "one by one": TIME}, "2": {"batched": TIME, "one by one": TIME}},
    "users": {"1": {"a second": 80.0, "median": 12.0, "p95": 15.0}},
}


def test_bars_of_batch_one():
    (axes,) = draw(RESULT).axes
    # HMNet in both runtimes, HMR in the first alone.
    assert [bar.get_width() for bar in axes.patches] == [12.0] * 3
    assert [label.get_text() for label in axes.get_yticklabels()] == ["HMNet", "HMR"]
    assert "Abacus, 2 cores" in axes.get_title(loc="left")


def test_growth_has_a_panel_each():
    figure = draw({**RESULT, "growth": GROWTH})
    assert [axes.get_title(loc="left") for axes in figure.axes[1:]] == [
        "Template", "People in a photo", "Users at once",
    ]  # fmt: skip
    assert [len(axes.lines) for axes in figure.axes[1:]] == [1, 2, 2]
