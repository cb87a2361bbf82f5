"""The house's rule: imports run downward only, and the library knows nothing of the page."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = (
    {"errors"},
    {
        "config",
        "device",
        "download",
        "finite",
        "hub_source",
        "mobile_blocks",
        "precision",
        "tensorflow_js",
        "variants",
    },
    {
        "mesh",
        "hand_metrics",
        "handnet",
        "zbuffer",
        "image",
        "hub",
        "metrics",
        "camera",
        "export",
        "model_card",
        "movenet",
        "parallel",
        "published",
        "upload_errors",
        "weights_file",
    },
    {
        "hand_sightings",
        "body",
        "losses",
        "render",
        "palmnet",
        "photo_scores",
        "keypoints",
        "mesh_file",
        "measured_section",
    },
    {"segmentation", "model", "person_box", "bake_palm", "hand_search"},
    {"checkpoint", "run_log", "look", "pose_loss", "hub_card"},
    {"data", "recorded", "engines", "pretrained", "push"},
    {"people_search", "upright_hand"},
    {"prediction"},
    {
        "predictor",
        "trainer",
        "pose_batches",
        "pose_errors",
        "tables",
        "findings",
        "figure_sections",
        "speed_section",
        "serving_section",
        "fuzz_section",
        "set_errors",
    },
    {"hand_predictor", "hand_section", "report", "comparison", "placed_hands", "speed"},
    {"freihand_errors", "video"},
    {"evaluate", "results", "stage_segmenter", "stage_hand", "stage_pose", "recipe", "figures"},
    {"packing", "stage_dataset"},
    {"train", "figure", "benchmark", "predict", "profile", "space"},
    {"experiments", "hand_results"},
    {"__main__", "__init__"},
)
"""hmnet's rooms (files and packages), ground floor first. A room may use itself and the floors below."""
FLOOR_OF = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

SOURCES = sorted(ROOT.glob("hmnet/**/*.py")) + sorted(ROOT.glob("demo/**/*.py")) + sorted(ROOT.glob("app.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]

ONLY_IN = {
    "demo": ("demo/", "app.py"),
    "gradio": (
        "demo/api.py",
        "demo/hand_switch.py",
        "demo/lessons.py",
        "demo/motion_tab.py",
        "demo/panels.py",
        "demo/saving.py",
        "demo/serving/",
        "demo/theme.py",
        "demo/ui.py",
        "demo/zero_gpu.py",
        "app.py",
    ),
    "spaces": ("demo/zero_gpu.py",),
    "plotly": ("demo/",),
    "matplotlib": ("demo/", "hmnet/figures/"),
    "numba": ("hmnet/data/synthetic/",),
    "pybullet_data": ("hmnet/data/synthetic/",),
    "anny": ("hmnet/body/bake.py", "hmnet/body/bake_hand.py"),
    "body_models": ("hmnet/body/licensed.py", "hmnet/body/mano.py"),
    "av": ("hmnet/data/surreal.py", "hmnet/data/synthetic/film.py", "hmnet/video/"),
    "huggingface_hub": (
        "hmnet/download.py",
        "hmnet/hub.py",
        "hmnet/hub_card.py",
        "hmnet/hub_source.py",
        "hmnet/pretrained.py",
        "hmnet/push.py",
        "hmnet/space.py",
        "hmnet/upload_errors.py",
    ),
    "roma": ("hmnet/body/bake.py",),
    "openvino": ("hmnet/bake_palm.py", "hmnet/engines/openvino_engine.py"),
}
"""Packages that only these files may import, wherever in the file the import stands."""


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Dotted names of all modules that a file of that package imports, nested imports included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def modules_of(path: Path) -> list[str]:
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    return list(imported(ast.parse(path.read_text(encoding="utf-8")), package))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "hmnet").parts[0].removesuffix(".py")


def room_named(module: str) -> str:
    room = [*module.split("."), ""][1]
    return room if room in FLOOR_OF else "__init__"


@pytest.mark.parametrize("path", [p for p in SOURCES if "hmnet" in p.relative_to(ROOT).parts], ids=str)
def test_imports_run_downward(path: Path) -> None:
    room = room_of(path)
    assert room in FLOOR_OF, f"{path.name} is on no floor: add it to FLOORS in {Path(__file__).name}"
    for module in modules_of(path):
        if module.split(".")[0] == "hmnet":
            used = room_named(module)
            # `hmnet.__version__` and its like are constants of the package, not a room.
            if used in (room, "__init__"):
                continue
            assert FLOOR_OF[used] < FLOOR_OF[room], f"{path.name} imports {module}, which is not below {room}"


@pytest.mark.parametrize("name", NAMES)
def test_page_and_authoring_packages_stay_in_their_rooms(name: str) -> None:
    for module in modules_of(ROOT / name):
        homes = ONLY_IN.get(module.split(".")[0], ("",))
        assert name.startswith(homes), f"{name} imports {module}: only {', '.join(homes)} may"


def test_the_reader_of_imports_sees_every_form() -> None:
    source = """
import gradio as gr, os.path
from demo.ui import build_app
from . import template
from ..mesh import MeshTopology
def late():
    from hmnet.predictor import Predictor
"""
    assert sorted(imported(ast.parse(source), "hmnet.body")) == [
        "demo.ui.build_app", "gradio", "hmnet.body.template", "hmnet.mesh.MeshTopology",
        "hmnet.predictor.Predictor", "os.path",
    ]  # fmt: skip
    assert room_named("hmnet.body.template.load_body") == "body"
    assert room_named("hmnet.__version__") == "__init__"
    assert len(SOURCES) > 20
