"""HMNet: shapes, independence of the batch, where its branches start, and that it can learn."""

import pytest
import torch

from hmnet.body import MIRRORED_PART
from hmnet.body.parts import part_names_of
from hmnet.config import RGB_INPUTS, ModelConfig
from hmnet.errors import CheckpointError
from hmnet.keypoints import LOOKS_SIZE, PLACES_SIZE
from hmnet.losses import joint_loss, surface_loss
from hmnet.model import Branch, PartCode, PixelEncoder, build_hmnet


@pytest.fixture(scope="module", params=RGB_INPUTS)
def network(request):
    torch.manual_seed(0)
    return build_hmnet(ModelConfig(rgb_input=request.param)).eval()


def inputs(network, count: int, size: int = 64):
    """What the RGB encoder sees, and part maps."""
    generator = torch.Generator().manual_seed(1)
    seen = torch.randn(count, PLACES_SIZE + LOOKS_SIZE, generator=generator)
    if isinstance(network.rgb_encoder, PixelEncoder):
        seen = torch.randn(count, 3, size, size, generator=generator)
    return seen, torch.randint(0, 25, (count, size, size), generator=generator)


def test_the_paper_s_sizes(network):
    seen, parts = inputs(network, 1)
    assert network.rgb_encoder(seen).shape == network.part_encoder(parts).shape == (1, 1000)
    assert network.part_encoder.network.fc.out_features == 1000
    for branch, points in ((network.joint_branch, 24), (network.surface_branch, 1229)):
        linear = [layer for layer in branch if isinstance(layer, torch.nn.Linear)]
        assert [layer.out_features for layer in linear] == [1000, 1000, 3 * points]
        assert linear[0].in_features == 2000


def test_outputs_do_not_depend_on_the_rest_of_the_batch(network):
    image, parts = inputs(network, 3)
    with torch.inference_mode():
        together = network(image, parts)
        alone = network(image[1:2], parts[1:2])
    assert together.joints.shape == (3, 24, 3) and together.vertices.shape == (3, 1229, 3)
    torch.testing.assert_close(together.vertices[1:2], alone.vertices, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.joints[1:2], alone.joints, atol=1e-5, rtol=1e-4)


def test_both_inputs_reach_both_branches(network):
    image, parts = inputs(network, 1)
    image = image.requires_grad_()
    output = network(image, parts)
    for points in (output.joints, output.vertices):
        (gradient,) = torch.autograd.grad(points.sum(), image, retain_graph=True)
        assert gradient.abs().max() > 0
    other = network(image, (parts + 1) % 25)
    assert not torch.equal(other.vertices, output.vertices)
    assert not torch.equal(other.joints, output.joints)


def test_a_branch_starts_at_the_mean_and_spans_the_directions():
    mean, directions = torch.randn(5, 3), torch.randn(2, 5, 3)
    branch = Branch(8, 6, 5)
    branch.start_from(mean, directions)
    moved = branch[5](branch[4](torch.eye(6)[:4])) - mean
    torch.testing.assert_close(moved, torch.cat([directions, -directions]), atol=0.02, rtol=0)


@pytest.mark.parametrize(("encoding", "channels"), [("code", 7), ("label", 1), ("one-hot", 24)])
def test_part_maps_enter_as_configured(encoding, channels):
    encoder = build_hmnet(ModelConfig(part_encoding=encoding)).part_encoder
    entered = encoder.entry(torch.arange(25).reshape(1, 5, 5))
    assert entered.shape == (1, channels, 5, 5)
    assert (entered[0, :, 0, 0] == 0).all()
    # No two parts may look the same to the encoder.
    assert len(torch.unique(entered.permute(0, 2, 3, 1).reshape(25, -1), dim=0)) == 25


def test_the_code_of_a_mirrored_part_differs_in_its_side_alone():
    table = PartCode("code").table
    for part, mirrored in enumerate(MIRRORED_PART):
        sign = torch.tensor([1, -1, 1, 1, 1, 1, 1])
        assert torch.equal(table[part] * sign, table[mirrored])


def test_unknown_forms_are_answered_with_the_choices():
    with pytest.raises(CheckpointError, match="code, label, one-hot"):
        ModelConfig(part_encoding="smell")
    with pytest.raises(CheckpointError, match="sighting, pixels"):
        ModelConfig(rgb_input="taste")


def test_the_photo_alone_has_no_part_encoder_and_sees_no_parts():
    network = build_hmnet(ModelConfig(variant="rgb-only", feature_size=64)).eval()
    assert not any(name.startswith("part_encoder") for name in network.state_dict())
    seen = torch.randn(2, PLACES_SIZE + LOOKS_SIZE)
    maps = torch.randint(0, 25, (2, 2, 64, 64))
    torch.testing.assert_close(network(seen, maps[0]).vertices, network(seen, maps[1]).vertices)


def test_what_is_frozen_stays_as_it_is_in_training():
    network = build_hmnet(ModelConfig(feature_size=64))
    network.freeze("rgb_encoder", "part_encoder")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    network.train()
    output = network(torch.randn(4, PLACES_SIZE + LOOKS_SIZE), torch.randint(0, 25, (4, 64, 64)))
    output.vertices.square().mean().backward()
    optimiser.step()
    changed = {
        n.split(".")[0] for n, value in network.state_dict().items() if not torch.equal(value, before[n])
    }
    assert changed == {"surface_branch"}


def test_places_alone_follow_the_sightings_in_a_batch():
    torch.manual_seed(0)
    encoder = build_hmnet(ModelConfig(feature_size=64)).rgb_encoder.eval()
    seen, places = torch.randn(3, PLACES_SIZE + LOOKS_SIZE), torch.randn(2, PLACES_SIZE)
    together = encoder(seen, places)
    assert together.shape == (5, 64)
    torch.testing.assert_close(together[:3], encoder(seen))
    torch.testing.assert_close(together[3:], encoder.lift(places))
    assert not torch.allclose(encoder(seen), encoder.lift(seen[:, :PLACES_SIZE])), "looks count"


@pytest.mark.parametrize("rgb_input", RGB_INPUTS)
def test_one_batch_can_be_overfitted(rgb_input):
    torch.manual_seed(0)
    network = build_hmnet(ModelConfig(feature_size=64, rgb_input=rgb_input)).train()
    image, parts = inputs(network, 4)
    target = network.body.vertices + 0.2 * torch.randn(4, 1, 3)
    joints = network.body.regress_joints(target)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    first = None
    # With dropout the loss falls more slowly.
    for _ in range(80):
        output = network(image, parts)
        loss = surface_loss(output.vertices, target) + joint_loss(output.joints, joints)
        first = first or loss.item()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.3 * first


def test_a_hand_s_parts_are_told_apart_by_finger_and_place():
    table = PartCode("code", "hand").table
    assert table.shape == (17, 7) and not table[0].any()
    assert len({tuple(row) for row in table.tolist()}) == 17
    names = part_names_of("hand")
    tips = [row for name, row in zip(names, table, strict=True) if name.endswith("end")]
    assert all(row[0] == 1 and row[1:6].sum() == 1 and row[6] == 1 for row in tips)
    assert PartCode("one-hot", "hand").table.shape == (17, 16)


def test_hmnet_on_a_hand_has_its_joints_and_vertices():
    network = build_hmnet(ModelConfig(body="hand", rgb_input="pixels", feature_size=32)).eval()
    with torch.inference_mode():
        output = network(torch.zeros(1, 3, 64, 64), torch.ones(1, 64, 64, dtype=torch.long))
    assert output.vertices.shape == (1, 778, 3) and output.joints.shape == (1, 21, 3)
