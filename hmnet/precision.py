"""Half precision where the processor computes with it."""

from functools import lru_cache

import torch

BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16")
"""What a CPU that computes with bfloat16 has at least one of; others imitate it, seven times slower."""


def half_precision(device: torch.device) -> torch.autocast:
    """bfloat16 on CUDA and on a CPU that has it; elsewhere everything stays as it is."""
    there = device.type == "cuda" or (device.type == "cpu" and _cpu_has_it())
    return torch.autocast(device.type, torch.bfloat16, enabled=there)


@lru_cache(maxsize=1)
def _cpu_has_it() -> bool:
    # Of older versions of torch nothing is known.
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in BFLOAT16)
