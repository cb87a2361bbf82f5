"""config.json, safetensors and what is passed off as them."""

import json
import pickle
from dataclasses import asdict

import numpy as np
from safetensors.numpy import save

from hmnet.config import ModelConfig, Preprocessing, SegmenterConfig

from .mutate_json import written
from .mutate_mesh import safetensors

CANARY = "unpickled.txt"
"""A hostile pickle that is executed leaves this file in the working folder."""


class _Trap:
    """Unpickled, it writes the canary."""

    def __reduce__(self) -> tuple:
        return exec, (f"open({CANARY!r}, 'w').close()",)


def small_weights() -> dict[str, np.ndarray]:
    """The weights of the layer that `entrances.read_weights` fills, in half precision and as 8 bits."""
    values = np.linspace(-1, 1, 24)
    return {
        "weight": (values.reshape(4, 6) * 127).astype(np.int8),
        "weight.scale": np.full(4, 0.01, np.float32),
        "bias": values[:4].astype(np.float32),
    }


def weights() -> dict[str, bytes]:
    """Files of weights by name."""
    eight = small_weights()
    half = {"weight": np.ones((4, 6), np.float16), "bias": np.zeros(4, np.float32)}
    trap = pickle.dumps({"weight": _Trap()})
    wide = {
        "weight": np.ones((1, 300_000), np.int8),
        "weight.scale": np.ones(300_000, np.float32),
        "bias": np.zeros(4, np.float32),
    }
    text = json.dumps({"weight": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}).encode()
    return {
        "8 bits": save(eight),
        "half": save(half),
        "pickle": trap,
        "pickle of protocol 0": pickle.dumps(_Trap(), 0),
        "torch's archive": b"PK\3\4" + bytes(26) + b"archive/data.pkl" + trap,
        "numpy's objects": _numpy_objects(),
        "empty": b"",
        "a header of 2^64 bytes": b"\xff" * 8 + b"{}",
        "a header of 100 MB": (10**8).to_bytes(8, "little") + b"{" + b" " * 1000,
        "a shape of 2^80": safetensors(text, bytes(8)),
        "lists within lists": safetensors(b"[" * 50_000 + b"]" * 50_000, b""),
        "scales that spread": save(wide),
        "scales that are not there": save({"weight.scale": np.ones(4, np.float32)}),
        "no numbers": save(
            {"weight": np.full((4, 6), np.nan, np.float32), "bias": np.full(4, np.inf, np.float32)}
        ),
        "another shape": save({**half, "weight": np.ones((6, 4), np.float16)}),
        "complex": save({**half, "weight": np.ones((4, 6), np.complex64)}),
        "many names": save({f"w{i}": np.zeros(1, np.float32) for i in range(20_000)}),
    }


def config(**other: object) -> dict:
    """A config.json of a network so small that it is built at once."""
    return {
        "revision": "abc1234",
        "commit": "",
        "data": {},
        "metrics": {"surface": 1.0},
        "format": 1,
        "variant": "hmnet",
        "model": asdict(ModelConfig(feature_size=8)),
        "segmenter": asdict(SegmenterConfig(width=8)),
        "preprocessing": asdict(Preprocessing()),
        "sha256": {"hmnet.safetensors": "0" * 64, "segmenter.safetensors": "0" * 64},
        **other,
    }


def configs() -> dict[str, bytes]:
    """config.json files by name."""
    model, segmenter, prepared = (config()[key] for key in ("model", "segmenter", "preprocessing"))
    hostile = {
        "a body elsewhere": {"model": {**model, "body": "../../../../etc/passwd"}},
        "a huge network": {"model": {**model, "feature_size": 10**9}},
        "a network of no size": {"model": {**model, "feature_size": -1}},
        "a huge segmenter": {"segmenter": {**segmenter, "width": 10**8}},
        "a huge crop": {"preprocessing": {**prepared, "image_size": 10**7}},
        "a crop of no size": {"preprocessing": {**prepared, "image_size": 0, "std": [0, 0, 0]}},
        "names as means": {"preprocessing": {**prepared, "mean": ["a", "b", "c"]}},
        "not a number": {"preprocessing": {**prepared, "crop_margin": float("nan")}},
        "a base that is itself": {"base": "hmnet"},
        "a base elsewhere": {"base": "../../.."},
        "a base that is no name": {"base": ["hmnet"]},
        "sums that are a list": {"sha256": ["hmnet.safetensors", "segmenter.safetensors"]},
        "sums that are not there": {"sha256": {"hmnet.safetensors": None, "segmenter.safetensors": None}},
        "a variant elsewhere": {"variant": "../../x"},
        "a variant of many lines": {"variant": "a\nTraceback\n" * 1000},
        "pickled weights": {"sha256": {"pytorch_model.bin": "0" * 64, "hmnet.pt": "0" * 64}},
        "format 10^400": {"format": 10**400},
    }
    return {
        "valid": written(config()),
        **{name: written(config(**other)) for name, other in hostile.items()},
        "lists within lists": b"[" * 100_000 + b"]" * 100_000,
        "a dict within dicts": b'{"a":' * 100_000,
        "empty": b"",
        "not UTF-8": b"\xff\xfe{\0}\0",
        "a number of 5,000 digits": b'{"format": ' + b"9" * 5000 + b"}",
        "a list": b"[1, 2]",
    }


def _numpy_objects() -> bytes:
    """An .npy file of objects, which NumPy would unpickle."""
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + pickle.dumps([_Trap()])
