"""Half precision where the processor computes with it."""

from functools import lru_cache

import torch

BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16")
"""What a CPU that computes with bfloat16 has at least one of; others imitate it, seven times slower."""


def half_precision(device: torch.device, depthwise: bool = False) -> torch.autocast:
    """bfloat16 on CUDA and on a CPU that has it; elsewhere everything stays as it is.

    depthwise: it is for a network of depthwise convolutions, which a CPU does faster as they are: with
    avx512_bf16 `hmnet.handnet` learns from 14 windows a second and core in bfloat16, from 28 without.
    """
    there = device.type == "cuda" or (device.type == "cpu" and not depthwise and _cpu_has_it())
    return torch.autocast(device.type, torch.bfloat16, enabled=there)


@lru_cache(maxsize=1)
def _cpu_has_it() -> bool:
    # Of older versions of torch nothing is known.
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in BFLOAT16)
