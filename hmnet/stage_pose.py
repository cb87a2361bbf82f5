"""Stages maps and joint: HMNet from endless part maps and places without pictures, then from pictures too."""

import argparse
import dataclasses
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from hmnet.body import BodyTemplate, load_body
from hmnet.config import ModelConfig, Preprocessing
from hmnet.data.augment import mirrored_map, normalise_pixels
from hmnet.data.corruption import corrupt
from hmnet.data.crops import PersonCrops, open_crops
from hmnet.errors import DataError
from hmnet.keypoints import COUNT, PLACES_SIZE
from hmnet.losses import surface_loss, total_loss
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import joint_error, pa_joint_error, pa_surface_error, surface_error
from hmnet.model import HMNet, HMNetOutput, SightingEncoder, build_hmnet
from hmnet.trainer import Trainer, feed, half_precision, load_weights
from hmnet.variants import form_of

AGREEMENT = 0.1
"""Weight of L_JS, see `PoseLoss`."""
RAW = 0.1
"""Weight of the raw vertices' distance, likewise."""
HELD_OUT, EXAMPLES = 256, 4000
LIFTS = 2
"""How many sightings without a map a batch has for each of its maps: they cost next to nothing."""
TURN, ZOOM, SHIFT, JITTER = 0.2, 0.06, 0.04, 0.01
"""How these are varied, as standard deviations: radians, log scale, and half windows."""
WITHHELD = 0.15
"""Share of the samples from which the part features are withheld, and of those without RGB features."""


class PoseLoss:
    """Eq. 5: the joint term is weighted by its running ratio to the surface term, to contribute as much.

    Differs from the paper: L_JS keeps a small fixed weight. Distances are not squared, so its gradient does
    not fade as the branches agree; weighted to contribute equally it held them within 1.5 mm of each other
    while neither learnt (247 mm surface error after 75,000 maps). The raw vertices have a small term of their
    own: what averaging cannot see of them would be left to chance, 135 mm from their neighbours.
    """

    def __init__(self, body: BodyTemplate, device: torch.device | str = "cpu", regularised: bool = True):
        """regularised: False leaves Eq. 3 out, so that the surface losses score the raw mesh itself."""
        self.averagings = int(regularised)
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
        loss = loss + RAW * surface_loss(output.vertices, gt_vertices)
        for name, mean in self.means.items():
            self.means[name] = 0.99 * mean + 0.01 * max(terms[name].item(), 1e-3)
        return loss, terms

    def regularised(self, output: HMNetOutput) -> tuple[Tensor, Tensor]:
        """The averaged vertices (Eq. 3) and the joints regressed from them."""
        averaged = neighbour_average(output.vertices, self.neighbours, self.averagings)
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
    """Train the network on fresh part maps and places, without pictures; `hmnet.train` has the options."""
    from hmnet.data.synthetic.people.person import bodies

    batches = MapBatches(tuple(options.poses), options.batch, options.seed)
    network = build_hmnet(_config(options))
    generator = np.random.default_rng(options.seed)
    posed = bodies(_training_poses(batches.poses).sample(generator, EXAMPLES)[0], generator, full=False)
    _start_branches(network, posed["template"], posed["joints"])
    held = MapBatches(tuple(options.poses), HELD_OUT, 10**6)[0]
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
        return _scores(loss, network, seen, part, vertices, joints)

    trainer.fit(feed(batches, trainer.step, options.workers or 0, device), loss_of, validate)


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
    rgb = torch.zeros_like(part)
    if seen is not None:
        rgb[: len(seen)] = network.rgb_encoder(normalise_pixels(seen, Preprocessing())).float()
    return rgb


def _scores(loss: PoseLoss, network: HMNet, seen: Tensor, part: Tensor, vertices, joints) -> dict[str, float]:
    """Errors from both features, and from either alone."""
    nothing = torch.zeros_like(part)
    pairs = {"": (seen, part), "map_alone_": (nothing, part), "rgb_alone_": (seen, nothing)}
    return {
        prefix + name: value
        for prefix, pair in pairs.items()
        for name, value in loss.scores(network.decode(*pair), vertices, joints).items()
    }


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
    """Batch k: part maps (B, S, S) uint8, corrupted or true, vertices (B, V, 3) and joints (B, J, 3) float32
    in m, and places (B, 85) float32."""

    def __init__(self, poses: tuple[Path, ...], batch: int, seed: int, corrupted: bool = True):
        self.poses, self.batch, self.seed, self.corrupted = poses, batch, seed, corrupted

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        from hmnet.data.synthetic.maps import map_batches

        generator, preprocessing = np.random.default_rng([self.seed, step]), Preprocessing()
        poses, size = _training_poses(self.poses), preprocessing.image_size
        margin = preprocessing.crop_margin
        return next(map_batches(poses, generator, self.batch, size, margin, self.corrupted))


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
        raise DataError(f"Stage joint needs --batch 4 or more, crops and maps; got {options.batch}.")
    crops = open_crops(options.data[0])
    form, network = form_of(options.variant), build_hmnet(_config(options))
    if options.initial:
        _start_from(network, load_weights(options.initial))
        network.freeze(*(name for name, _ in network.named_children() if name not in form.trained))
    else:
        _start_branches(network, crops.vertices[:EXAMPLES], crops.joints[:EXAMPLES])
    loss = PoseLoss(network.body, device, form.regularised)
    trainer = Trainer(network, options, device=device, balance=loss.means)
    held = min(HELD_OUT, len(crops) // 10)

    def features(maps: Tensor, seen: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        with half_precision(device):
            part = network.part_encoder(maps.long()).float()
        return _seen_by(network, seen, places, part), part

    def loss_of(maps, vertices, joints, seen, places, *lifted) -> tuple[Tensor, dict[str, Tensor]]:
        if not lifted:
            return loss(network.decode(*gaps(*features(maps, seen, places))), vertices, joints)
        more, more_vertices, more_joints = lifted
        rgb, part = features(maps, torch.cat([seen, more]), places)
        own, alone, fresh = rgb.split([len(seen), len(more), len(places)])
        rgb, part = gaps(torch.cat([own, fresh]), part)
        rgb, part = torch.cat([rgb, alone]), F.pad(part, (0, 0, 0, len(more)))
        targets = torch.cat([vertices, more_vertices]), torch.cat([joints, more_joints])
        return loss(network.decode(rgb, part), *targets)

    def gaps(rgb: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
        return (rgb, part) if form.parts == "none" else _with_gaps(rgb, part)

    held_maps = crops.true_maps if form.parts == "true" else crops.predicted_maps

    def validate() -> dict[str, float]:
        if not held:
            return {}
        seen = (
            crops.images[:held] if options.rgb_input == "pixels" else crops.sightings[:held, 0].astype("f4")
        )
        given = (torch.from_numpy(np.array(array)).to(device) for array in (held_maps[:held], seen))
        seen, part = features(*given, torch.zeros(0, PLACES_SIZE, device=device))
        return _scores(loss, network, seen, part, crops.vertices[:held], crops.joints[:held])

    batches = JointBatches(
        options.data[0], held, tuple(options.poses), options.batch, options.seed, options.rgb_input,
        form.parts == "true",
    )  # fmt: skip
    workers = 1 if options.workers is None else options.workers
    trainer.fit(feed(batches, trainer.step, workers, device), loss_of, validate)


def _start_from(network: HMNet, weights: dict[str, Tensor]) -> None:
    """Weights of another training or of a checkpoint.

    An encoder of another form than the network's is left out: the rest can go on without it.
    """
    own = network.state_dict()
    for encoder in ("rgb_encoder.", "part_encoder."):
        theirs, ours = (
            {name: value for name, value in state.items() if name.startswith(encoder)}
            for state in (weights, own)
        )
        if {n: v.shape for n, v in theirs.items()} != {n: v.shape for n, v in ours.items()}:
            weights = {name: value for name, value in weights.items() if name not in theirs} | ours
    network.load_state_dict(weights)


def _config(options: argparse.Namespace) -> ModelConfig:
    return ModelConfig(
        variant=options.variant, part_encoding=options.encoding, rgb_input=options.rgb_input,
        input_pooling=options.pooling,
    )  # fmt: skip


def moved(
    seen: np.ndarray, vertices: np.ndarray, joints: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sightings (B, N), vertices (B, V, 3) and joints (B, J, 3) of windows a little turned and displaced.

    The body turns with the window; what is seen at the keypoints stays as it was.
    """
    count = len(seen)
    angle = generator.normal(0, TURN, count)
    turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], 1).reshape(-1, 2, 2)
    turn = turn.astype(np.float32)
    zoom = np.exp(generator.normal(0, ZOOM, (count, 1, 1))).astype(np.float32)
    shift = generator.normal(0, SHIFT, (count, 1, 2)).astype(np.float32)
    seen, vertices, joints = seen.copy(), vertices.copy(), joints.copy()
    for first in (0, 3 * COUNT):
        span = slice(first, first + 2 * COUNT)
        places = seen[:, span].reshape(count, COUNT, 2) @ turn * zoom + shift
        seen[:, span] = (places + generator.normal(0, JITTER, places.shape)).reshape(count, -1)
    for points in (vertices, joints):
        points[..., :2] = points[..., :2] @ turn
    return seen, vertices, joints


class JointBatches(Dataset):
    """Three quarters crops and a quarter fresh maps; and LIFTS times as many sightings without a map.

    A crop comes with its predicted map, that map corrupted, or the true one corrupted; if true_parts, with
    its true one always.
    Batch k: maps (B, S, S) uint8, vertices and joints float32; of the crops, which come first, the sightings
    (C, N) float32 or the pictures (C, S, S, 3) uint8; of the fresh maps the places (B - C, 85) float32; and,
    unless pictures are asked for, further sightings, vertices and joints of crops. The first `held` crops are
    left out.
    """

    def __init__(
        self,
        folder: Path,
        held: int,
        poses: tuple[Path, ...],
        batch: int,
        seed: int,
        rgb_input: str,
        true_parts: bool = False,
    ):
        self.true_parts = true_parts
        self.folder, self.held, self.seed, self.pixels = folder, held, seed, rgb_input == "pixels"
        self.batch, self.count = batch, batch - batch // 4
        # A stream of its own: at equal seeds stage maps has seen [seed, k] already.
        self.fresh = MapBatches(poses, batch // 4, seed + 1, corrupted=not self.true_parts)

    @cached_property
    def crops(self) -> PersonCrops:
        """The crops, opened by each process for itself."""
        return open_crops(self.folder)

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        generator = np.random.default_rng([self.seed, step])
        picks = generator.integers(self.held, len(self.crops), self.count)
        mirrored = generator.random(self.count) < 0.5
        part_maps = [self._map(*crop, generator) for crop in zip(picks, mirrored, strict=True)]
        seen, vertices, joints = self._seen(picks, mirrored)
        maps, new_vertices, new_joints, places = self.fresh[step]
        batch = (
            np.concatenate([np.stack(part_maps), maps]),
            np.concatenate([vertices, new_vertices.astype(np.float32)]),
            np.concatenate([joints, new_joints.astype(np.float32)]),
            seen,
            places,
        )
        if self.pixels:
            return batch
        more = LIFTS * self.batch
        picks = np.sort(generator.integers(self.held, len(self.crops), more))
        return *batch, *moved(*self._seen(picks, generator.random(more) < 0.5), generator)

    def _map(self, pick: int, mirrored: bool, generator: np.random.Generator) -> np.ndarray:
        if self.true_parts:
            part_map = self.crops.true_maps[pick]
            return mirrored_map(part_map) if mirrored else part_map
        chance = generator.random()
        part_map = self.crops.true_maps[pick] if chance > 0.85 else self.crops.predicted_maps[pick]
        part_map = corrupt(part_map, generator) if chance > 0.65 else part_map
        return mirrored_map(part_map) if mirrored else part_map

    def _seen(self, picks: np.ndarray, mirrored: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is seen of crops, their vertices and their joints, float32; those marked as in a mirror."""
        crops, body = self.crops, load_body()
        vertices, joints = (points[picks].astype(np.float32) for points in (crops.vertices, crops.joints))
        vertices[mirrored] = vertices[mirrored][:, body.mirror.numpy()] * np.float32([-1, 1, 1])
        joints[mirrored] = joints[mirrored][:, body.mirrored_joints] * np.float32([-1, 1, 1])
        if self.pixels:
            pictures = crops.images[picks]
            pictures[mirrored] = pictures[mirrored][:, :, ::-1]
            return pictures, vertices, joints
        return crops.sightings[picks, mirrored.astype(int)].astype(np.float32), vertices, joints
