"""Where networks compute: CUDA, Apple's MPS or the CPU."""

import torch

from hmnet.errors import HMNetError

DEVICES = ("cpu", "cuda", "mps")


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name, or the fastest there is; HMNetError when it is unknown or not there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        return torch.device(next(device for device, found in there.items() if found))
    kind = name.split(":")[0]
    if kind not in there:
        raise HMNetError(f"Unknown device {name!r}: choose one of {', '.join(DEVICES)}.")
    try:
        # Allocating tells more than asking: "cuda:7" may not be there while CUDA is.
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise HMNetError(
            f"The device {name} is not available here: leave it out to use the fastest there is."
        ) from error
