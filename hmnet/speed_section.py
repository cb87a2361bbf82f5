"""The section of RESULTS.md on speed, from what `python -m hmnet benchmark --json` wrote."""

from pathlib import Path

from hmnet.measured_section import measured_section
from hmnet.recorded import shown

NAME = "benchmark"
COMMAND = "python -m hmnet benchmark --json assets/results/benchmark.json"
RATIOS = {
    "pipeline_vs_torch_fp32": "whole way from photo to mesh: {runtime} against torch float32",
    "hmnet_vs_hmr": "HMNet against HMR",
    "hmnet_vs_graphcmr": "HMNet against GraphCMR",
    "hmnet_vs_vit_h": "HMNet against the ViT-H regressor",
}
"""Name of a ratio -> what is how many times faster than what."""
ABOUT = (
    "Milliseconds are medians of rounds in which every network has its turn, ratios are taken round by "
    "round; in brackets the 10th and the 90th percentile. HMNet is the shipped network from the picture to "
    "the regularised mesh, body parts included, one view; it and HMR and GraphCMR take 224 px, the ViT-H 256 "
    "x 192. The peers are built from their papers with random weights, in the same runtimes. Memory is what "
    "a process of its own takes beyond importing the runtime."
)


def speed_section(folder: Path) -> str:
    """Markdown; one sentence where nothing was measured. Raises DataError for a file of another form."""
    path = folder / f"{NAME}.json"
    picture = path.with_suffix(".png")

    def parts(result: dict) -> list[str]:
        drawn = [f"![Speed]({shown(picture)})"] if picture.is_file() else []
        return [*drawn, _machine(result), ABOUT, _networks(result), _pipeline(result), _ratios(result),
                *_growth(result)]  # fmt: skip

    return measured_section("Speed", path, COMMAND, parts)


def _machine(result: dict) -> str:
    where = result["machine"]
    return (
        f"Measured on {where['processor']}, {where['cores']} cores, {where['system']}, torch "
        f"{where['torch']}, on {where['date']}."
    )


def _networks(result: dict) -> str:
    rows = [
        "| network | runtime | batch | ms | MB | million parameters | GFLOPs |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["networks"]:
        memory = "-" if row["memory"] is None else f"{row['memory']:.0f}"
        rows.append(
            f"| {row['title']} | {row['runtime']} | {row['batch']} | {_span(row['milliseconds'])} | {memory} "
            f"| {row['parameters'] / 1e6:.1f} | {row['gigaflops']:.2f} |"
        )
    return "\n".join(rows)


def _pipeline(result: dict) -> str:
    lines = ["From a photo in memory with a known box to mesh, full surface and camera, two views:", ""]
    for name, time in result["pipeline"].items():
        lines.append(f"- {name}: {_span(time)} ms, {1000 / time['median']:.0f} a second")
    return "\n".join(lines)


def _ratios(result: dict) -> str:
    lines = [f"How many times faster, in {result['runtime']} at batch 1:", ""]
    for name, words in RATIOS.items():
        if name in result["ratios"]:
            value = _with_spread(result, name)
            lines.append(f"- {words.format(runtime=result['runtime'])}: {value}")
    peak = result["peak_gflops"][result["runtime"]]
    share = result["ratios"]["share_of_peak"]
    low, high = result["spread"]["share_of_peak"]
    lines.append(
        f"- share of the machine's matrix-product peak ({peak:.0f} GFLOP/s in {result['runtime']}) that "
        f"HMNet reaches: {100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
    )
    others = [row for row in result["ratios_by_runtime"] if row["runtime"] != result["runtime"]]
    if others:
        told = "; ".join(f"{row['peer']} in {row['runtime']}: {row['median']:.2f}" for row in others)
        lines.append(f"- the same peers in the other runtimes: {told}")
    return "\n".join(lines)


def _growth(result: dict) -> list[str]:
    """A paragraph each for template, people and users; none where they were not measured."""
    grown = result.get("growth")
    if not grown:
        return []
    template = "; ".join(
        f"{int(count):,} vertices: "
        + ", ".join(f"{time['median']:.1f} ({name})" for name, time in row.items())
        for count, row in grown["template"].items()
    )
    people = "; ".join(
        f"{count}: " + ", ".join(f"{time['median']:.0f} {way}" for way, time in row.items())
        for count, row in grown["people"].items()
    )
    users = "; ".join(
        f"{count}: {row['a second']:.0f} photos a second, {row['median']:.0f} ms median wait, "
        f"{row['p95']:.0f} ms at the 95th percentile"
        for count, row in grown["users"].items()
    )
    return [
        "How the cost grows:",
        f"- with the template, ms a picture at 192 px, one view: {template}\n"
        f"- with the people in a photo, ms a photo ({result['engine']}): {people}\n"
        f"- with users at once: {users}",
    ]


def _span(time: dict) -> str:
    return f"{time['median']:.1f} ({time['low']:.1f} to {time['high']:.1f})"


def _with_spread(result: dict, name: str) -> str:
    low, high = result["spread"][name]
    return f"{result['ratios'][name]:.2f} ({low:.2f} to {high:.2f})"
