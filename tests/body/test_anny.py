"""Our skinning against outputs recorded from the `anny` package itself."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hmnet.body.anny import AnnyBody
from hmnet.body.template import load_anny

RECORDED = load_file(Path(__file__).with_name("anny_recorded.safetensors"))


@pytest.fixture(scope="module")
def anny() -> AnnyBody:
    return load_anny()


@pytest.fixture(scope="module")
def phenotypes() -> torch.Tensor:
    return RECORDED["phenotypes"].float()


@pytest.fixture(scope="module")
def rotations() -> torch.Tensor:
    return RECORDED["rotations"].float()


def test_agrees_with_the_package_to_a_tenth_of_a_millimetre(anny, phenotypes, rotations) -> None:
    vertices = anny.pose(phenotypes, rotations).vertices[:, RECORDED["vertex_index"]]
    distance = (vertices - RECORDED["vertices"]).norm(dim=-1)
    assert vertices.shape == (6, 1056, 3)
    assert distance.max() < 1e-4
    # The recorded bodies are not near the rest pose: this test could not pass by accident.
    rest = anny.rest(phenotypes)[0][:, RECORDED["vertex_index"]]
    assert (rest - RECORDED["vertices"]).norm(dim=-1).mean() > 0.1


@pytest.mark.parametrize("surface", ["full", "template"])
def test_batched_equals_one_by_one(anny, phenotypes, rotations, surface: str) -> None:
    together = anny.pose(phenotypes, rotations, surface)
    for i in range(2):
        alone = anny.pose(phenotypes[i : i + 1], rotations[i : i + 1], surface)
        torch.testing.assert_close(together.vertices[i], alone.vertices[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(together.bone_heads[i], alone.bone_heads[0], atol=1e-6, rtol=0)


def test_identity_rotations_are_the_rest_pose(anny, phenotypes) -> None:
    identity = torch.eye(3).expand(len(phenotypes), len(anny.bone_names), 3, 3)
    vertices, heads = anny.rest(phenotypes, "template")
    posed = anny.pose(phenotypes, identity, "template")
    torch.testing.assert_close(posed.vertices, vertices - heads[:, :1], atol=1e-6, rtol=0)
    torch.testing.assert_close(posed.bone_heads, heads - heads[:, :1], atol=1e-6, rtol=0)


def test_transforms_skin_what_pose_poses(anny, phenotypes, rotations) -> None:
    rest, heads, transforms = anny.transforms(phenotypes, rotations, "template")
    posed = anny.pose(phenotypes, rotations, "template")
    bones = anny.arrays["template.skin_bones"].long()
    blended = torch.einsum("vk,bvkij->bvij", anny.arrays["template.skin_weights"], transforms[:, bones])
    by_hand = (blended[..., :3] @ rest[..., None])[..., 0] + blended[..., 3]
    torch.testing.assert_close(by_hand, posed.vertices, atol=1e-5, rtol=0)
    # A bone's own head goes where its transform takes it.
    rest_heads = anny.rest(phenotypes, "template")[1]
    taken = (transforms[..., :3] @ rest_heads[..., None])[..., 0] + transforms[..., 3]
    torch.testing.assert_close(taken, heads, atol=1e-5, rtol=0)


def test_turning_the_root_turns_the_whole_body(anny, phenotypes, rotations) -> None:
    turn = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    turned = rotations.clone()
    turned[:, 0] = turn @ rotations[:, 0]
    before = anny.pose(phenotypes, rotations, "template").vertices
    after = anny.pose(phenotypes, turned, "template").vertices
    torch.testing.assert_close(after, before @ turn.T, atol=1e-5, rtol=0)


def test_gradients_flow_to_shape_and_pose(anny, phenotypes, rotations) -> None:
    shape, pose = phenotypes[:1].clone().requires_grad_(), rotations[:1].clone().requires_grad_()
    anny.pose(shape, pose, "template").vertices.square().sum().backward()
    assert (shape.grad.abs() > 0).all()
    assert pose.grad.isfinite().all() and (pose.grad.abs().amax((0, 2, 3)) > 0).float().mean() > 0.9


def test_gradient_of_height_equals_a_finite_difference(anny, phenotypes, rotations) -> None:
    height = anny.phenotype_names.index("height")
    phenotypes = phenotypes[:1].clone()
    phenotypes[0, height] = 0.6

    def lowest(value: torch.Tensor) -> torch.Tensor:
        shape = phenotypes.clone()
        shape[0, height] = value
        return anny.pose(shape, rotations[:1], "template").vertices.square().sum()

    value = torch.tensor(0.6, requires_grad=True)
    (gradient,) = torch.autograd.grad(lowest(value), value)
    difference = (lowest(torch.tensor(0.65)) - lowest(torch.tensor(0.55))) / 0.1
    assert gradient.item() == pytest.approx(difference.item(), rel=0.02)
