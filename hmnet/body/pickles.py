"""A reader of pickled arrays that cannot execute anything.

A pickle is a program: it names classes and functions by module and calls them, so `pickle.load` of a file
from somewhere runs what its author wished. Body models and datasets of the field come as pickles all the
same. The reader here looks no name up: the few that such files are made of stand for the inert records
below, which keep what they are given and do nothing, and every other name ends the reading.
"""

import io
import pickle
import struct
from pathlib import Path
from typing import ClassVar

import numpy as np

from hmnet.errors import BodyError, told

NUMBERS = "biufcSU"
"""Kinds of array elements that are read: numbers, truth values and text, never objects."""

LARGEST = 10**8
"""Elements of a sparse matrix, written out."""


def read_pickle(path: str | Path) -> dict:
    """What a pickle holds: a dict of NumPy arrays, numbers, text, and lists and dicts of these.

    Sparse SciPy matrices and chumpy arrays come as dense arrays, an expression of chumpy's as the dict of its
    terms. Text of Python 2 is read as Latin-1. Nothing of the file is executed. Raises BodyError when the
    file is missing, damaged or no dict, or names anything that is not an array.
    """
    path = Path(path)
    try:
        # From memory: of a file, Python makes room for as many bytes as the pickle says before it reads them.
        file = io.BytesIO(path.read_bytes())
        content = _plain(_Reader(file, encoding="latin1").load())
    except BodyError as error:
        raise BodyError(f"{told(path)} was not read: {error}") from error
    except OSError as error:
        raise BodyError(
            f"{told(path)} cannot be read ({error.strerror}): expected a pickle of arrays."
        ) from error
    except Exception as error:  # A damaged pickle can fail in any way.
        raise BodyError(
            f"{told(path)} cannot be read as a pickle of arrays ({type(error).__name__}: {told(error)}): "
            "download it again from where it came."
        ) from error
    if not isinstance(content, dict):
        raise BodyError(f"{told(path)} holds a {type(content).__name__}, expected a dict of arrays.")
    return content


class _Reader(pickle._Unpickler):
    """Answers every name with a record, or refuses it; nothing is ever imported.

    Python's own reader in Python, because the one in C takes as much memory as a few bytes of a file ask for.
    """

    def find_class(self, module: str, name: str) -> type:
        if module.split(".")[0] == "chumpy":
            return _Chumpy
        if module.startswith("scipy.sparse") and name in _Sparse.FORMATS:
            return _Sparse.FORMATS[name]
        # NumPy 2 moved its core to numpy._core.
        record = RECORDS.get((module.replace("numpy._core", "numpy.core"), name))
        if record is None:
            raise BodyError(
                f"it asks for {told(module)}.{told(name)}, which no file of arrays needs; nothing of it was "
                "executed, so open it with no other program, and take the file from its official site."
            )
        return record

    def load_bytearray8(self) -> None:
        """Python's own makes as many zeros as the file says before it looks how many bytes there are."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(length)))

    dispatch: ClassVar = {**pickle._Unpickler.dispatch, pickle.BYTEARRAY8[0]: load_bytearray8}

    def persistent_load(self, reference: object) -> None:
        raise BodyError("it refers to objects outside itself, which no file of arrays does.")


# --- records -----------------------------------------------------------------------------------------
# Classes, because pickles make objects only of classes. Each has its own __setstate__: without one, a pickle
# could set attributes of the class itself.


class _Object:
    """`object`, which older pickles name as the base of what they restore."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise BodyError("it gives a plain object a state, which no file of arrays does.")


class _Dtype(_Object):
    """`numpy.dtype`: a kind and a size, then the byte order."""

    __slots__ = ("dtype",)

    def __init__(self, name: str, *_: object) -> None:
        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in NUMBERS or self.dtype.names:
            raise BodyError(f"it holds an array of {self.dtype}, expected one of numbers.")

    def __setstate__(self, state: tuple) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array(_Object):
    """`numpy.ndarray`."""

    __slots__ = ("value",)

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, content = state
        self.value = _array(content, dtype, shape, "F" if fortran else "C")


class _Empty(_Object):
    """`numpy.core.multiarray._reconstruct(ndarray, (0,), b"b")`: an array that gets its state afterwards."""

    __slots__ = ()

    def __new__(cls, *_: object) -> _Array:
        return _Array()


class _FromBuffer(_Object):
    """`numpy.core.numeric._frombuffer(content, dtype, shape, order)`."""

    __slots__ = ()

    def __new__(cls, content: bytes, dtype: _Dtype, shape: tuple, order: str) -> _Array:
        array = _Array()
        array.value = _array(content, dtype, shape, order)
        return array


class _Scalar(_Object):
    """`numpy.core.multiarray.scalar(dtype, content)`."""

    __slots__ = ()

    def __new__(cls, dtype: _Dtype, content: bytes) -> object:
        return _array(content, dtype, (), "C").item()


class _Encoded(_Object):
    """`_codecs.encode(text, "latin1")`: how Python 3 writes bytes for Python 2."""

    __slots__ = ()

    def __new__(cls, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise BodyError(f"it holds bytes as {encoding!r} text, expected 'latin1'.")
        return str(text).encode("latin1")


class _NoBytes(_Object):
    """`bytes()`: how Python 3 writes empty bytes for Python 2."""

    __slots__ = ()

    def __new__(cls) -> bytes:
        return b""


class _State(_Object):
    """Something known by the dict of its attributes."""

    __slots__ = ("state",)

    def __init__(self, *_: object) -> None:
        self.state: dict = {}

    def __setstate__(self, state: dict) -> None:
        self.state = state if isinstance(state, dict) else {}


class _Chumpy(_State):
    """Anything of chumpy's: an array "x", a choice "idxs" of another array "a", or an expression."""

    __slots__ = ()

    def plain(self) -> object:
        state = _plain(self.state)
        if "x" in state:
            return np.asarray(state["x"])
        if "a" in state and "idxs" in state:
            chosen = np.asarray(state["a"]).ravel()[np.asarray(state["idxs"], np.int64)]
            return chosen.reshape(state.get("preferred_shape", chosen.shape))
        return state


class _Sparse(_State):
    """A compressed matrix of SciPy's; by rows or, with `BY_COLUMNS`, by columns."""

    __slots__ = ()
    BY_COLUMNS = False
    FORMATS: dict[str, type] = {}  # noqa: RUF012

    def plain(self) -> np.ndarray:
        state = _plain(self.state)
        rows, columns = (int(size) for size in state.get("_shape", state.get("shape")))
        lines, length = (columns, rows) if self.BY_COLUMNS else (rows, columns)
        counts = np.diff(np.asarray(state["indptr"], np.int64))
        if len(counts) != lines or rows * columns > LARGEST:
            raise BodyError(f"it holds a sparse matrix {rows} x {columns} of {len(counts)} lines.")
        dense = np.zeros((lines, length), np.asarray(state["data"]).dtype)
        np.add.at(dense, (np.repeat(np.arange(lines), counts), np.asarray(state["indices"])), state["data"])
        return dense.T if self.BY_COLUMNS else dense


class _SparseColumns(_Sparse):
    __slots__ = ()
    BY_COLUMNS = True


_Sparse.FORMATS.update(
    {"csr_matrix": _Sparse, "csr_array": _Sparse, "csc_matrix": _SparseColumns, "csc_array": _SparseColumns}
)


class _Restored(_Object):
    """`copy_reg._reconstructor(cls, object, None)`: an object that gets its state afterwards."""

    __slots__ = ()

    def __new__(cls, record: type, *_: object) -> object:
        if not (isinstance(record, type) and issubclass(record, _State)):
            raise BodyError("it restores an object that is no array.")
        return record()


class _Set(_Object):
    """`set`: a list will do."""

    __slots__ = ()

    def __new__(cls, items: list = ()) -> list:
        return list(items)


class _Dict(_Object):
    """`collections.OrderedDict`."""

    __slots__ = ()

    def __new__(cls, items: list = ()) -> dict:
        return dict(items)


RECORDS = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _Empty,
    ("numpy.core.numeric", "_frombuffer"): _FromBuffer,
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("_codecs", "encode"): _Encoded,
    ("copy_reg", "_reconstructor"): _Restored,
    ("copyreg", "_reconstructor"): _Restored,
    ("collections", "OrderedDict"): _Dict,
    **{(module, "set"): _Set for module in ("__builtin__", "builtins")},
    **{(module, "bytes"): _NoBytes for module in ("__builtin__", "builtins")},
    **{(module, "object"): _Object for module in ("__builtin__", "builtins")},
}
"""All names that are answered, but for SciPy's matrices and chumpy's classes."""


def _array(content: object, dtype: object, shape: object, order: str) -> np.ndarray:
    """The array of these bytes; Python 2's come as Latin-1 text."""
    if not isinstance(dtype, _Dtype):
        raise BodyError(f"it gives an array the type {dtype!r}, expected one of numbers.")
    content = content.encode("latin1") if isinstance(content, str) else content
    flat = np.frombuffer(content, dtype.dtype)
    native = flat.astype(dtype.dtype.newbyteorder("="))
    return native.reshape([int(size) for size in shape], order=order)


def _plain(value: object) -> object:
    """Records as arrays, in lists and dicts too."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, (_Chumpy, _Sparse)):
        return value.plain()
    if isinstance(value, _Dtype):
        return str(value.dtype)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, (_Object, type)):
        raise BodyError(f"it holds {value!r} where an array was expected.")
    return value
