"""What another program reads back from our .glb files."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from hmnet.body import load_body
from hmnet.errors import OutputError
from hmnet.export import write_glb

BODY = load_body()


def test_glb_reads_back_y_up_in_metres(tmp_path: Path) -> None:
    path = write_glb(tmp_path / "body.glb", BODY.vertices, BODY.faces)
    assert path.read_bytes()[:4] == b"glTF"
    mesh = trimesh.load(path, force="mesh", process=False)
    np.testing.assert_array_equal(mesh.faces, BODY.faces.numpy())
    np.testing.assert_allclose(mesh.vertices, BODY.vertices.numpy() * [1, -1, -1], atol=1e-6)
    # The head is up, the toes point at the viewer (+z), and the surface is not inside out.
    head = mesh.vertices[[i for i, part in enumerate(BODY.vertex_parts) if part >= 23]]
    feet = mesh.vertices[[i for i, part in enumerate(BODY.vertex_parts) if part in (5, 6)]]
    assert head[:, 1].min() > 0.5 and feet[:, 1].max() < -0.5
    assert abs(feet[:, 2].max()) > abs(feet[:, 2].min())
    assert mesh.is_watertight and 0.04 < mesh.volume < 0.12


def test_colours_are_kept(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (len(BODY.vertices), 3), np.uint8)
    path = write_glb(tmp_path / "coloured.glb", BODY.vertices.numpy(), BODY.faces.numpy(), colours)
    mesh = trimesh.load(path, force="mesh", process=False)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], colours)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"body\.glb cannot be written .*No such file"):
        write_glb(tmp_path / "nowhere" / "body.glb", BODY.vertices, BODY.faces)
