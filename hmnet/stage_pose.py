"""Stages maps and joint: HMNet's part encoder and branches from endless part maps, then the whole network."""

import argparse
import dataclasses
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from hmnet.body import BodyTemplate, load_body
from hmnet.config import ModelConfig, Preprocessing
from hmnet.data.augment import flip, normalise_pixels
from hmnet.data.corruption import corrupt
from hmnet.data.crops import PersonCrops, open_crops
from hmnet.errors import DataError
from hmnet.losses import total_loss
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import joint_error, pa_joint_error, pa_surface_error, surface_error
from hmnet.model import HMNet, HMNetOutput, build_hmnet
from hmnet.trainer import Trainer, feed, half_precision, load_state

AGREEMENT = 0.1
"""Weight of L_JS, see `PoseLoss`."""
HELD_OUT, EXAMPLES = 256, 4000


class PoseLoss:
    """Eq. 5: the joint term is weighted by its running ratio to the surface term, to contribute as much.

    Differs from the paper: L_JS keeps a small fixed weight. Distances are not squared, so its gradient does
    not fade as the branches agree; weighted to contribute equally it held them within 1.5 mm of each other
    while neither learnt (247 mm surface error after 75,000 maps).
    """

    def __init__(self, body: BodyTemplate, device: torch.device | str = "cpu"):
        # The fixed operators go to the device once, not at every step.
        self.body = dataclasses.replace(body, joint_regressor=body.joint_regressor.to(device))
        topology = MeshTopology.from_faces(body.faces, len(body.vertices))
        self.neighbours = topology.neighbour_matrix.to(device, torch.float32)
        self.means = {"surface": 0.3, "joint": 0.3}

    def __call__(self, output: HMNetOutput, gt_vertices: Tensor, gt_joints: Tensor):
        """The loss and its terms in m, for truth (B, V, 3) and (B, J, 3)."""
        averaged, regressed = self.regularised(output)
        balance = self.means["surface"] / self.means["joint"]
        loss, terms = total_loss(
            averaged, output.joints, regressed, gt_vertices, gt_joints, balance, AGREEMENT
        )
        for name, mean in self.means.items():
            self.means[name] = 0.99 * mean + 0.01 * max(terms[name].item(), 1e-3)
        return loss, terms

    def regularised(self, output: HMNetOutput) -> tuple[Tensor, Tensor]:
        """The averaged vertices (Eq. 3) and the joints regressed from them."""
        averaged = neighbour_average(output.vertices, self.neighbours)
        return averaged, self.body.regress_joints(averaged)

    def scores(self, output: HMNetOutput, vertices: np.ndarray, joints: np.ndarray) -> dict[str, float]:
        """The paper's metrics, mean over the batch, in mm."""
        averaged, regressed = (points.float().cpu() for points in self.regularised(output))
        vertices, joints = (torch.from_numpy(np.array(p, np.float32)) for p in (vertices, joints))
        return {
            "surface_mm": float(surface_error(averaged, vertices).mean()),
            "joint_mm": float(joint_error(regressed, joints).mean()),
            "pa_surface_mm": float(pa_surface_error(averaged, vertices).mean()),
            "pa_joint_mm": float(pa_joint_error(regressed, joints).mean()),
        }


# --- maps --------------------------------------------------------------------------------------------


def train_maps(options: argparse.Namespace, device: torch.device) -> None:
    """Train part encoder and branches on fresh part maps; see `hmnet.train` for the options."""
    from hmnet.data.synthetic.people.person import bodies

    batches = MapBatches(tuple(options.poses), options.batch, options.seed)
    network = build_hmnet(ModelConfig(part_encoding=options.encoding, input_pooling=options.pooling))
    generator = np.random.default_rng(options.seed)
    posed = bodies(_training_poses(batches.poses).sample(generator, EXAMPLES)[0], generator, full=False)
    _start_branches(network, posed["template"], posed["joints"])
    maps, vertices, joints = MapBatches(tuple(options.poses), HELD_OUT, 10**6)[0]
    trained = nn.ModuleList([network.part_encoder, network.joint_branch, network.surface_branch])
    if options.start:
        trained.load_state_dict(load_state(options.start)["averaged"])
    loss = PoseLoss(network.body, device)
    trainer = Trainer(trained, options, device=device, balance=loss.means)

    def loss_of(maps: Tensor, vertices: Tensor, joints: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        with half_precision(device):
            features = network.part_encoder(maps.long())
        return loss(_decode_blind(network, features.float()), vertices, joints)

    def validate() -> dict[str, float]:
        features = network.part_encoder(torch.from_numpy(maps).to(device).long())
        return loss.scores(_decode_blind(network, features), vertices, joints)

    trainer.fit(feed(batches, trainer.step, options.workers or 0, device), loss_of, validate)


def _decode_blind(network: HMNet, part_features: Tensor) -> HMNetOutput:
    """The network's answer from the part map alone."""
    return network.decode(torch.zeros_like(part_features), part_features)


def _start_branches(network: HMNet, vertices: np.ndarray, joints: np.ndarray) -> None:
    """Start the branches from the mean and the principal directions of training bodies."""
    for branch, points in ((network.surface_branch, vertices), (network.joint_branch, joints)):
        points = torch.from_numpy(np.asarray(points, np.float32))
        mean = points.mean(0)
        flat = (points - mean).flatten(1)
        _, scale, directions = torch.svd_lowrank(flat, min(128, *flat.shape), niter=3)
        directions = directions.T * (scale / len(flat) ** 0.5)[:, None]
        branch.start_from(mean, directions.unflatten(1, (-1, 3)))


class MapBatches(Dataset):
    """Batch k: corrupted part maps (B, S, S) uint8, vertices (B, V, 3) and joints (B, J, 3) float32 in m."""

    def __init__(self, poses: tuple[Path, ...], batch: int, seed: int):
        self.poses, self.batch, self.seed = poses, batch, seed

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        from hmnet.data.synthetic.maps import map_batches

        generator, preprocessing = np.random.default_rng([self.seed, step]), Preprocessing()
        poses, size = _training_poses(self.poses), preprocessing.image_size
        return next(map_batches(poses, generator, self.batch, size, preprocessing.crop_margin))


@lru_cache(maxsize=1)
def _training_poses(folders: tuple[Path, ...]):
    from hmnet.data.synthetic.poses.pose_library import PoseLibrary

    return PoseLibrary.build(list(folders), 0).part(False)


# --- joint -------------------------------------------------------------------------------------------


def train_joint(options: argparse.Namespace, device: torch.device) -> None:
    """Train the whole network on crops and fresh part maps; see `hmnet.train` for the options."""
    if options.data is None or len(options.data) != 1:
        raise DataError("--data must be the one folder of crops that stage crops wrote, of all shards.")
    if options.batch < 4:
        raise DataError(
            f"Stage joint needs --batch 4 or more, half crops and half maps; got {options.batch}."
        )
    crops = open_crops(options.data[0])
    network = build_hmnet(ModelConfig(part_encoding=options.encoding, input_pooling=options.pooling))
    if options.start:
        _start_from(network, load_state(options.start)["averaged"])
    else:
        _start_branches(network, crops.vertices[:EXAMPLES], crops.joints[:EXAMPLES])
    loss = PoseLoss(network.body, device)
    trainer = Trainer(network, options, device=device, balance=loss.means)
    held = min(HELD_OUT, len(crops) // 10)
    preprocessing = Preprocessing()

    def loss_of(maps, vertices, joints, images) -> tuple[Tensor, dict[str, Tensor]]:
        with half_precision(device):
            part = network.part_encoder(maps.long())
            seen = network.rgb_encoder(normalise_pixels(images, preprocessing))
        # The first samples have their picture, from the others it is withheld: the map must do alone too.
        rgb = torch.zeros_like(part, dtype=torch.float32)
        rgb[: len(seen)] = seen.float()
        return loss(network.decode(rgb, part.float()), vertices, joints)

    def validate() -> dict[str, float]:
        if not held:
            return {}
        images = normalise_pixels(torch.from_numpy(np.array(crops.images[:held])).to(device), preprocessing)
        maps = torch.from_numpy(np.array(crops.predicted_maps[:held])).to(device)
        part = network.part_encoder(maps.long())
        targets = crops.vertices[:held], crops.joints[:held]
        alone = loss.scores(_decode_blind(network, part), *targets)
        both = loss.scores(network.decode(network.rgb_encoder(images), part), *targets)
        return both | {f"map_alone_{name}": value for name, value in alone.items()}

    batches = JointBatches(options.data[0], held, tuple(options.poses), options.batch, options.seed)
    workers = 1 if options.workers is None else options.workers
    trainer.fit(feed(batches, trainer.step, workers, device), loss_of, validate)


def _start_from(network: HMNet, weights: dict[str, Tensor]) -> None:
    """Weights of stage joint, or of stage maps, which has no picture encoder."""
    if any(name.startswith("rgb_encoder") for name in weights):
        network.load_state_dict(weights)
        return
    parts = nn.ModuleList([network.part_encoder, network.joint_branch, network.surface_branch])
    parts.load_state_dict(weights)


class JointBatches(Dataset):
    """Half crops (a predicted, a predicted and corrupted, or a corrupted true map), half fresh maps.

    Batch k: maps (B, S, S) uint8, vertices and joints float32, and the pictures (B // 4, S, S, 3) uint8 of
    the first half of the crops. The first `held` crops are left out.
    """

    def __init__(self, folder: Path, held: int, poses: tuple[Path, ...], batch: int, seed: int):
        self.folder, self.held, self.seed = folder, held, seed
        self.half = batch // 2
        # A stream of its own: at equal seeds stage maps has seen [seed, k] already.
        self.fresh = MapBatches(poses, batch - self.half, seed + 1)

    @cached_property
    def crops(self) -> PersonCrops:
        """The crops, opened by each process for itself."""
        return open_crops(self.folder)

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        generator = np.random.default_rng([self.seed, step])
        picks = generator.integers(self.held, len(self.crops), self.half)
        images, *rest = zip(*(self._sample(pick, generator) for pick in picks), strict=True)
        maps, vertices, joints = (
            np.concatenate([np.stack(stored), fresh])
            for stored, fresh in zip(rest, self.fresh[step], strict=True)
        )
        pictures = np.stack(images[: self.half // 2])
        return maps, vertices.astype(np.float32), joints.astype(np.float32), pictures

    def _sample(self, pick: int, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """One crop: picture, part map, vertices and joints; half of them as seen in a mirror."""
        crops, chance = self.crops, generator.random()
        part_map = crops.true_maps[pick] if chance > 0.85 else crops.predicted_maps[pick]
        part_map = corrupt(part_map, generator) if chance > 0.65 else part_map
        image, vertices, joints = crops.images[pick], crops.vertices[pick], crops.joints[pick]
        if generator.random() < 0.5:
            body = load_body()
            image, part_map = flip(image, part_map)
            vertices = vertices[body.mirror.numpy()] * [-1, 1, 1]
            joints = joints[body.mirrored_joints] * [-1, 1, 1]
        return image, part_map, vertices, joints
