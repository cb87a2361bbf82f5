"""Data parallelism: processes that torchrun starts, each with a batch of its own, train one network together.

Every process holds the whole network; after each backward pass the gradients are averaged, so that all take
the same step. Without torchrun everything here does nothing.
"""

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from hmnet.errors import HMNetError

Value = TypeVar("Value")
PATIENCE = datetime.timedelta(minutes=10)
"""How long a process waits for the others: longer than the first takes to validate or to save."""
BUCKET = 2**24
"""Numbers sent at once, 64 MB of float32."""


@dataclass(frozen=True)
class Place:
    """Which process this is of how many, and which on its own machine."""

    rank: int = 0
    processes: int = 1
    local: int = 0


def place_in(environment: Mapping[str, str]) -> Place:
    """Where torchrun's variables put this process; HMNetError when they are incomplete or make no sense."""
    if environment.get("WORLD_SIZE", "1") == "1":
        return Place()
    advice = "start with `torchrun --nproc-per-node N -m hmnet train ...`, or unset WORLD_SIZE"
    expected = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in expected if not environment.get(name)]
    if missing:
        raise HMNetError(f"WORLD_SIZE is set but {', '.join(missing)} not: {advice}.")
    rank, processes, local, port = (environment[name] for name in (*expected[:3], "MASTER_PORT"))
    sound = all(number.isdecimal() for number in (rank, processes, local, port))
    if not (sound and int(rank) < int(processes) and 0 < int(port) < 2**16):
        raise HMNetError(
            f"RANK {rank}, WORLD_SIZE {processes}, LOCAL_RANK {local}, MASTER_PORT {port} name no process: "
            f"{advice}."
        )
    return Place(int(rank), int(processes), int(local))


def local_device(name: str) -> str:
    """The name of this process's device: of several processes on a machine each takes a GPU of its own.

    Raises HMNetError for a device that several processes cannot train on.
    """
    place = place_in(os.environ)
    if place.processes == 1 or name == "cpu":
        return name
    if name != "cuda":
        raise HMNetError(
            f"Several processes train on --device cpu or cuda (each a GPU of its own), not {name}."
        )
    return f"cuda:{place.local}"


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Within it the processes of the run are in touch: by NCCL on CUDA, else by Gloo.

    Raises HMNetError when they do not find each other.
    """
    place = place_in(os.environ)
    if place.processes == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        master = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise HMNetError(f"The processes of this run do not meet at {master} ({_gist(error)}).") from error
    try:
        yield
    finally:
        dist.destroy_process_group()


def processes() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; number 0 alone writes states and logs, and validates."""
    return dist.get_rank() if processes() > 1 else 0


@torch.no_grad()
def average(tensors: Sequence[Tensor]) -> None:
    """Make each tensor, in place, its mean over all processes: bit by bit the same in each of them.

    tensors: of floating point, on one device; their number and shapes are the same in each process. A value
    that is no number in one process is none in all. Raises HMNetError when a process is gone.
    """
    if processes() == 1:
        return
    for bucket in _buckets(tensors):
        # Channels come last in some gradients: flattened, all have the same order.
        flat = torch.cat([tensor.flatten() for tensor in bucket])
        with _in_touch():
            dist.all_reduce(flat)
        flat /= processes()
        for tensor, mean in zip(bucket, flat.split([t.numel() for t in bucket]), strict=True):
            tensor.copy_(mean.view(tensor.shape))


def mean_of(numbers: dict[str, float], device: torch.device) -> dict[str, float]:
    """The mean of each number over all processes, which must have the same names in the same order."""
    if processes() == 1:
        return numbers
    means = torch.tensor(list(numbers.values()), dtype=torch.float64, device=device)
    average([means])
    return dict(zip(numbers, means.tolist(), strict=True))


def from_first(make: Callable[[], Value]) -> Value:
    """What `make` gives in the first process, in all of them; so is an HMNetError that it raises there.

    The value is pickled: tensors should be on the CPU.
    """
    if processes() == 1:
        return make()
    sent: list = [None, None]
    if rank() == 0:
        try:
            sent[0] = make()
        except HMNetError as error:
            sent[1] = error
    with _in_touch():
        dist.broadcast_object_list(sent, src=0)
    value, error = sent
    if error is not None:
        raise error
    return value


def share_batch_norm(network: nn.Module, device: torch.device) -> nn.Module:
    """The network with batch normalisation over the batches of all processes, which exists on CUDA alone.

    On a CPU each process normalises by its own batch, and `running_statistics` are averaged after each step.
    """
    if processes() > 1 and device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network


def running_statistics(network: nn.Module) -> list[Tensor]:
    """Running means and variances that each process has of its own batches alone; none of frozen layers."""
    layers = [m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) and m.training]
    return [buffer for layer in layers for buffer in layer.buffers() if buffer.is_floating_point()]


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Consecutive tensors of at most BUCKET numbers together; a larger one is alone."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        if bucket and sum(t.numel() for t in bucket) + tensor.numel() > BUCKET:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


@contextlib.contextmanager
def _in_touch() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise HMNetError(
            f"Another process of this run is gone ({_gist(error)}): what it said last tells why."
        ) from error


def _gist(error: Exception) -> str:
    """The first line of a message, without its full stop."""
    return str(error).strip().partition("\n")[0].rstrip(".")
