"""Stages maps and joint: HMNet from endless part maps and places without pictures, then from pictures too."""

import argparse

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hmnet.body.full_surface import on_surface_of
from hmnet.config import ModelConfig, preprocessing_of
from hmnet.data.augment import normalise_pixels
from hmnet.data.crops import open_crops
from hmnet.errors import DataError
from hmnet.model import HMNet, SightingEncoder, build_hmnet, sighting_sizes
from hmnet.pose_batches import JointBatches, MapBatches, training_poses
from hmnet.pose_loss import PoseLoss
from hmnet.precision import half_precision
from hmnet.trainer import Trainer, feed, load_weights
from hmnet.variants import BRANCHES, Variant, form_of, hand_name

HELD_OUT, EXAMPLES = 256, 4000
WITHHELD = 0.15
"""Share of the samples from which the part features are withheld, and of those without RGB features."""


# --- maps --------------------------------------------------------------------------------------------


def train_maps(options: argparse.Namespace, device: torch.device) -> None:
    """Train the network on fresh part maps and places, without pictures; `hmnet.train` has the options."""
    batches = MapBatches(tuple(options.poses), options.batch, options.seed, body=options.body)
    network = build_hmnet(model_config(options))
    start_branches(network, *map(torch.from_numpy, _examples(batches)))
    held = MapBatches(tuple(options.poses), HELD_OUT, 10**6, body=options.body)[0]
    if options.initial:
        _start_from(network, load_weights(options.initial))
    loss = PoseLoss(network.body, device)
    trainer = Trainer(network, options, device=device, balance=loss.means)

    def features(maps: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        with half_precision(device):
            part = network.part_encoder(maps.long()).float()
        return _seen_by(network, None, places, part), part

    def loss_of(maps, vertices, joints, places) -> tuple[Tensor, dict[str, Tensor]]:
        return loss(network.decode(*_with_gaps(*features(maps, places))), vertices, joints)

    def validate() -> dict[str, float]:
        maps, vertices, joints, places = held
        seen, part = features(*(torch.from_numpy(given).to(device) for given in (maps, places)))
        return _scores(loss, network, seen, part, torch.from_numpy(vertices), joints)

    trainer.fit(feed(batches, trainer.step, options.workers or 0, device), loss_of, validate)


def _examples(batches: MapBatches) -> tuple[np.ndarray, np.ndarray]:
    """Template vertices (EXAMPLES, V, 3) and joints (EXAMPLES, J, 3) of what training shows, m."""
    from hmnet.data.synthetic.hands.hand_maps import bare_hands
    from hmnet.data.synthetic.people.person import bodies

    generator = np.random.default_rng(batches.seed)
    if batches.body == "hand":
        hands = bare_hands(generator, EXAMPLES)
        return hands.template, hands.joints
    posed = bodies(training_poses(batches.poses).sample(generator, EXAMPLES)[0], generator, full=False)
    return posed["template"], posed["joints"]


def _with_gaps(seen: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
    """Both features (B, N), of some samples one of the two withheld: either must do alone.

    Without it the encoder that learns first is all that the branches listen to, and the other learns nothing.
    """
    chance = torch.rand(len(part), 1, device=part.device)
    return seen * (chance > WITHHELD), part * (chance < 1 - WITHHELD)


def _seen_by(network: HMNet, seen: Tensor | None, places: Tensor, part: Tensor) -> Tensor:
    """RGB features (B, N): of what is seen of pictures, then of places alone, where the encoder takes any."""
    if isinstance(network.rgb_encoder, SightingEncoder):
        return network.rgb_encoder(seen, places) if seen is not None else network.rgb_encoder.lift(places)
    rgb, preprocessing = torch.zeros_like(part), preprocessing_of(network.body.name)
    if seen is not None:
        with half_precision(seen.device):
            rgb[: len(seen)] = network.rgb_encoder(normalise_pixels(seen, preprocessing)).float()
    return rgb


def _scores(
    loss: PoseLoss, network: HMNet, seen: Tensor, part: Tensor, vertices: Tensor, joints: np.ndarray
) -> dict[str, float]:
    """Errors from both features, and from either alone; Anny's template vertices (B, V, 3) are the truth."""
    vertices = on_surface_of(network.body, vertices.float())
    nothing = torch.zeros_like(part)
    pairs = {"": (seen, part), "map_alone_": (nothing, part), "rgb_alone_": (seen, nothing)}
    return {
        prefix + name: value
        for prefix, pair in pairs.items()
        for name, value in loss.scores(network.decode(*pair), vertices, joints).items()
    }


def start_branches(network: HMNet, vertices: Tensor, joints: Tensor) -> None:
    """Start the branches from the mean and the principal directions of training bodies.

    vertices: (N, V, 3) m, Anny's template vertices. joints: (N, J, 3) m.
    """
    vertices = on_surface_of(network.body, vertices.float())
    for branch, points in ((network.surface_branch, vertices), (network.joint_branch, joints.float())):
        if branch is None:
            continue
        mean = points.mean(0)
        flat = (points - mean).flatten(1)
        _, scale, directions = torch.svd_lowrank(flat, min(128, *flat.shape), niter=3)
        directions = directions.T * (scale / len(flat) ** 0.5)[:, None]
        branch.start_from(mean, directions.unflatten(1, (-1, 3)))


# --- joint -------------------------------------------------------------------------------------------


def train_joint(options: argparse.Namespace, device: torch.device) -> None:
    """Train the whole network on crops and fresh part maps; see `hmnet.train` for the options."""
    if options.data is None or len(options.data) != 1:
        raise DataError("--data must be the one folder of crops that stage crops wrote, of all shards.")
    if options.batch < 4:
        raise DataError(f"Stage joint needs --batch 4 or more, crops and maps; got {options.batch}.")
    crops = open_crops(options.data[0])
    if crops.body != options.body:
        raise DataError(
            f"The crops in {options.data[0]} are of body {crops.body}, not {options.body}: give "
            f"--body {crops.body}."
        )
    if options.branches_only and not options.initial:
        raise DataError("--branches-only needs --initial WEIGHTS: the encoders stay as these have them.")
    form, config = form_of(options.variant), model_config(options)
    network, pixels = build_hmnet(config), config.rgb_input == "pixels"
    if options.initial:
        _start_from(network, load_weights(options.initial))
        trained = BRANCHES if options.branches_only else form.trained
        network.freeze(*(name for name, _ in network.named_children() if name not in trained))
    else:
        bodies = (torch.from_numpy(np.array(points[:EXAMPLES])) for points in (crops.vertices, crops.joints))
        start_branches(network, *bodies)
    loss = PoseLoss(network.body, device, form)
    trainer = Trainer(network, options, device=device, balance=loss.means)
    held = min(HELD_OUT, len(crops) // 10)

    def features(maps: Tensor, seen: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        with half_precision(device):
            part = network.part_encoder(maps.long()).float()
        return _seen_by(network, seen, places, part), part

    def loss_of(maps, vertices, joints, seen, places, *lifted) -> tuple[Tensor, dict[str, Tensor]]:
        if lifted:
            more, more_vertices, more_joints = lifted
            rgb, part = features(maps, torch.cat([seen, more]), places)
            own, alone, fresh = rgb.split([len(seen), len(more), len(places)])
            rgb, part = gaps(torch.cat([own, fresh]), part)
            rgb, part = torch.cat([rgb, alone]), F.pad(part, (0, 0, 0, len(more)))
            vertices, joints = torch.cat([vertices, more_vertices]), torch.cat([joints, more_joints])
        else:
            rgb, part = gaps(*features(maps, seen, places))
        return loss(network.decode(rgb, part), on_surface_of(network.body, vertices), joints)

    def gaps(rgb: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
        return _with_gaps(rgb, part) if _sees_both(form) else (rgb, part)

    held_maps = crops.true_maps if form.parts == "true" else crops.predicted_maps

    def validate() -> dict[str, float]:
        if not held:
            return {}
        seen = crops.images[:held] if pixels else crops.sightings[:held, 0].astype("f4")
        given = (torch.from_numpy(np.array(array)).to(device) for array in (held_maps[:held], seen))
        seen, part = features(*given, torch.zeros(0, sighting_sizes(crops.body)[0], device=device))
        vertices = torch.from_numpy(np.array(crops.vertices[:held])).to(device)
        return _scores(loss, network, seen, part, vertices, crops.joints[:held])

    batches = JointBatches(
        options.data[0], held, tuple(options.poses), options.batch, options.seed, config.rgb_input, form,
        # A fresh map has no picture: without a part encoder there would be nothing to learn from it.
        options.pictures_only or (form.parts == "none" and pixels),
    )  # fmt: skip
    workers = 1 if options.workers is None else options.workers
    trainer.fit(feed(batches, trainer.step, workers, device), loss_of, validate)


def _sees_both(form: Variant) -> bool:
    return form.rgb != "none" and form.parts != "none"


def _start_from(network: HMNet, weights: dict[str, Tensor]) -> None:
    """Weights of another training or of a checkpoint.

    An encoder of another form than the network's is left out, and a joint branch where the network has none:
    the rest can go on without it.
    """
    own = network.state_dict()
    if network.joint_branch is None:
        weights = {name: value for name, value in weights.items() if not name.startswith("joint_branch.")}
    for encoder in ("rgb_encoder.", "part_encoder."):
        theirs, ours = (
            {name: value for name, value in state.items() if name.startswith(encoder)}
            for state in (weights, own)
        )
        if {n: v.shape for n, v in theirs.items()} != {n: v.shape for n, v in ours.items()}:
            weights = {name: value for name, value in weights.items() if name not in theirs} | ours
    network.load_state_dict(weights)


def check_hand(options: argparse.Namespace) -> None:
    """DataError for options of `hmnet.train` that a hand's network cannot have."""
    form = form_of(options.variant)
    if form.body != "anny" or not form.true_meshes:
        raise DataError(f"Variant {options.variant} is of whole bodies: choose another one for --body hand.")


def model_config(options: argparse.Namespace) -> ModelConfig:
    """The form of the network that the options of `hmnet.train` ask for."""
    form = form_of(options.variant)
    # Only HMNet's own encoder can be another one; a ResNet-50 sees pixels.
    rgb_input = options.rgb_input if form.rgb == "resnet18" else "pixels"
    name, body = options.variant, form.body
    if options.body == "hand":
        name, body = hand_name(name), "hand"
    return ModelConfig(
        variant=name, body=body,
        part_encoding=options.encoding, rgb_input=rgb_input, input_pooling=options.pooling,
    )  # fmt: skip
