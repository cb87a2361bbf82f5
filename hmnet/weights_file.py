"""Files of weights: safetensors, in half precision or with 8 bits a weight, checked when they are read."""

import hashlib
import os
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from hmnet.errors import CheckpointError, told

PICKLE_STARTS = (b"\x80", b"PK\x03\x04")
"""First bytes of a pickle, and of the zip archive that torch.save makes of one."""
SCALE = ".scale"
"""End of the name under which the scales of 8-bit weights are stored."""


def save_weights(path: Path, network: nn.Module, exact: bool = False) -> str:
    """Write a network's weights in half precision; returns the file's SHA-256 sum.

    exact: keep in float32 the matrices that half precision would round.
    """
    return write_tensors(path, in_half_precision(network.state_dict(), exact))


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> str:
    """Write tensors as they are; returns the file's SHA-256 sum."""
    data = safetensors.torch.save(tensors)
    write_file(path, data)
    return hashlib.sha256(data).hexdigest()


def in_half_precision(weights: dict[str, torch.Tensor], exact: bool = False) -> dict[str, torch.Tensor]:
    """Matrices in half precision, or with `exact` only those that it does not round.

    Vectors (biases, batch statistics) stay float32: they are few, and variances may leave half's range.
    Raises CheckpointError for weights that are not finite so.
    """
    tensors = {}
    for key, value in weights.items():
        value = value.detach().cpu()
        if value.is_floating_point() and value.ndim > 1:
            half = value.half()
            value = value if exact and not torch.equal(half.to(value.dtype), value) else half
        if not torch.isfinite(value).all():
            raise CheckpointError(f"The weights {key} are not finite in half precision: train anew.")
        tensors[key] = value.contiguous()
    return tensors


def in_eight_bits(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices as int8 with a scale for each row (output channel), NAME.scale; vectors as they are."""
    tensors = {}
    for key, value in weights.items():
        value = value.detach().cpu()
        if not torch.isfinite(value).all():
            raise CheckpointError(f"The weights {key} are not finite: train anew.")
        if value.is_floating_point() and value.ndim > 1:
            scale = (value.flatten(1).abs().amax(1) / 127).clamp(min=torch.finfo(torch.float32).tiny)
            tensors[key + SCALE] = scale
            value = (value / scale.view(-1, *[1] * (value.ndim - 1))).round().to(torch.int8)
        tensors[key] = value.contiguous()
    return tensors


def from_eight_bits(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What `in_eight_bits` was given, rounded; tensors without a scale as they are.

    Raises CheckpointError for scales that are not one for each row: they would spread a few numbers over as
    much memory as their product says.
    """
    weights = {}
    for key, value in tensors.items():
        scale = tensors.get(key + SCALE)
        if scale is not None:
            if value.ndim < 2 or scale.shape != value.shape[:1] or not scale.is_floating_point():
                raise CheckpointError(
                    f"The scales of the weights {told(key)} do not fit them: copy the file anew."
                )
            value = value.float() * scale.view(-1, *[1] * (value.ndim - 1))
        if not key.endswith(SCALE):
            weights[key] = value
    return weights


def read_weights(path: Path, sha256: str | None = None) -> dict[str, torch.Tensor]:
    """A file's weights; CheckpointError when it is missing, damaged, a pickle or not of that SHA-256 sum."""
    data = read_file(path)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError(
            f"The weights {told(path)} are corrupt (their SHA-256 differs from config.json's): copy them "
            "anew."
        )
    try:
        tensors = safetensors.torch.load(data)
    # A LookupError tells of a type of numbers that torch does not have.
    except (SafetensorError, LookupError) as error:
        if data.startswith(PICKLE_STARTS):
            raise CheckpointError(
                f"{told(path)} is a pickle, whatever its name says, and would run code when it is read: "
                "refused, take weights in safetensors."
            ) from error
        raise CheckpointError(
            f"{told(path)} is not a readable weights file ({told(error)}): copy it anew."
        ) from error
    return from_eight_bits(tensors)


def fill(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Give a network the weights that came from a file, as float32 where it has float32.

    Raises CheckpointError unless they are exactly the network's.
    """
    expected = network.state_dict()
    wrong = sorted(expected.keys() ^ weights.keys())
    wrong = wrong or [key for key, value in expected.items() if value.shape != weights[key].shape]
    if wrong:
        raise CheckpointError(
            f"{told(path)} does not fit its config.json: {len(wrong)} weights missing, unknown or of another "
            f"shape (first: {told(', '.join(wrong[:3]))}); take both files from the same checkpoint."
        )
    network.load_state_dict(weights)


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{told(path)} cannot be read ({error.strerror}): a checkpoint needs config.json, "
            "hmnet.safetensors and segmenter.safetensors."
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Replaces the file as a whole, so that a stopped run never leaves half of one."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data)
    os.replace(temporary, path)
