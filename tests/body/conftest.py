"""Files of SMPL's and MANO's form, written once a run; and meshes of SMPL's own topology, where they are."""

import os
from pathlib import Path

import numpy as np
import pytest
from fake_smpl import NAMES, write_mano, write_smpl

from hmnet.body.smpl_files import FOLDER_VARIABLE


@pytest.fixture(scope="session")
def licensed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all five files; do not change it."""
    folder = tmp_path_factory.mktemp("licensed")
    for gender in NAMES:
        write_smpl(folder, gender)
    for side in ("right", "left"):
        write_mano(folder, side)
    return folder


@pytest.fixture
def licensed_bodies(licensed_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, named where the program looks."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(licensed_folder))
    return licensed_folder


@pytest.fixture(scope="session")
def smpl_meshes() -> tuple[np.ndarray, np.ndarray]:
    """Two bodies (2, 6890, 3), posed, m, and SMPL's faces (13776, 3); skips where they are absent."""
    shared = Path(os.environ.get("HMNET_SHARED") or Path(__file__).parents[3] / "shared")
    paths = [shared / "formats" / "smpl_topology" / f"{name}_gt.obj" for name in (84, 233)]
    if not all(path.is_file() for path in paths):
        pytest.skip("no shared meshes of SMPL's topology (HMNET_SHARED)")
    vertices, faces = zip(*(_read_obj(path) for path in paths), strict=True)
    return np.stack(vertices), faces[0]


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = [line[1:4] for line in lines if line[:1] == ["v"]]
    faces = [[corner.split("/")[0] for corner in line[1:4]] for line in lines if line[:1] == ["f"]]
    return np.array(vertices, float), np.array(faces, int) - 1
