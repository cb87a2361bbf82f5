"""Pickled arrays are read whatever wrote them, and no pickle makes the reader execute anything."""

import contextlib
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import types
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from hmnet.body import pickles
from hmnet.body.pickles import read_pickle
from hmnet.errors import BodyError

ARRAYS = {
    "matrix": np.arange(6.0).reshape(2, 3),
    "columns first": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "big end first": np.arange(4, dtype=">f4"),
    "empty": np.zeros((0, 3), np.float32),
    "one": np.array(3.5),
    "truth": np.array([True, False]),
    "text": np.array(["a", "bc"]),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.pkl"


# --- what is read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol(path: Path, protocol: int) -> None:
    scalars = {"number": np.float32(2.5), "name": "ü", "bytes": b"\xff\x00", "nested": [1, (ARRAYS["one"],)]}
    path.write_bytes(pickle.dumps(ARRAYS | scalars, protocol))
    content = read_pickle(path)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(content[name], array)
        assert content[name].dtype == array.dtype.newbyteorder("=")
    assert [content[name] for name in ("number", "name", "bytes")] == [2.5, "ü", b"\xff\x00"]
    assert content["nested"] == [1, (np.array(3.5),)]


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "csr_array", "csc_array"])
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_sparse_matrices_come_dense(path: Path, kind: str, protocol: int) -> None:
    dense = np.random.default_rng(0).normal(size=(4, 7)) * (np.arange(28).reshape(4, 7) % 3 == 0)
    path.write_bytes(pickle.dumps({"regressor": getattr(sparse, kind)(dense)}, protocol))
    np.testing.assert_array_equal(read_pickle(path)["regressor"], dense)


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class that pickles as chumpy's arrays do; chumpy itself is not installed."""
    module = types.ModuleType("chumpy.ch")
    module.Ch = type("Ch", (), {"__module__": "chumpy.ch", "__qualname__": "Ch"})
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return module.Ch


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_chumpy_arrays_without_chumpy(path: Path, chumpy: type, protocol: int) -> None:
    def made(**state: object) -> object:
        one = chumpy()
        one.__dict__.update(state)
        return one

    array = made(x=np.arange(12.0), _dirty_vars=set(), _itr=None)
    chosen = made(a=array, idxs=np.array([5, 0, 1, 2]), preferred_shape=(2, 2))
    content = {"array": array, "chosen": chosen, "product": made(a=array, b=chosen)}
    path.write_bytes(pickle.dumps(content, protocol))
    for name in ("chumpy", "chumpy.ch"):
        del sys.modules[name]
    content = read_pickle(path)
    np.testing.assert_array_equal(content["array"], np.arange(12.0))
    np.testing.assert_array_equal(content["chosen"], [[5, 0], [1, 2]])
    np.testing.assert_array_equal(content["product"]["b"], [[5, 0], [1, 2]])


def test_a_pickle_of_python_2(path: Path) -> None:
    """Byte by byte, as Python 2 wrote the files of SMPL: strings of bytes, and NumPy's old names."""
    content = struct.pack("<2d", 1.5, -2.0)
    path.write_bytes(
        b"\x80\x02}U\x07weightscnumpy.core.multiarray\n_reconstruct\n"
        b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10" + content + b"tbs."
    )
    np.testing.assert_array_equal(read_pickle(path)["weights"], [1.5, -2.0])


# --- what is not executed ----------------------------------------------------------------------------


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: object, *arguments: object):
        self.called = function, arguments

    def __reduce__(self) -> tuple:
        return self.called


def attacks(mark: Path) -> dict[str, object]:
    """Objects that make a file at `mark` when Python's own reader reads them."""
    code = f"open({str(mark)!r}, 'w').close()"
    shell = f"touch {mark}"
    return {
        "a shell": Call(os.system, shell),
        "a process": Call(subprocess.check_call, shell.split()),
        "eval": Call(eval, f"open({str(mark)!r}, 'w')"),
        "exec": Call(exec, code),
        "open": Call(open, str(mark), "w"),
        "an import": Call(eval, f"__import__('os').system({shell!r})"),
        "a call of a call": Call(exec, Call(str, code)),
        "an array's own method": Call(np.ndarray.tofile, np.zeros(3), str(mark)),
        "a class's state": Call(type, "Made", (), {"__init__": Call(eval, f"open({str(mark)!r}, 'w')")}),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(attacks(Path("mark"))))
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_is_executed(path: Path, tmp_path: Path, name: str, protocol: int) -> None:
    mark = tmp_path / "mark"
    attack = attacks(mark)[name]
    path.write_bytes(pickle.dumps({"v_template": ARRAYS["matrix"], "f": [{"deep": attack}]}, protocol))
    with pytest.raises(BodyError, match=r"file\.pkl was not read: it asks for .*nothing of it was executed"):
        read_pickle(path)
    assert not mark.exists()
    # The attack is a real one.
    with path.open("rb") as file:
        pickle.load(file)
    assert mark.exists()


def test_names_that_hide_behind_known_packages_do_nothing(path: Path) -> None:
    for name in (b"numpy\nload", b"numpy\nndarray.tofile", b"numpy.core.multiarray\nfromfile",
                 b"scipy.sparse\nload_npz", b"__builtin__\neval", b"builtins\ngetattr",
                 b"copyreg\n__newobj__", b"codecs\nopen"):  # fmt: skip
        path.write_bytes(b"\x80\x02}U\x01ac" + name + b"\nU\x01x\x85Rs.")
        with pytest.raises(BodyError, match="it asks for"):
            read_pickle(path)
    # All of chumpy's is a record, whatever it is called.
    path.write_bytes(b"\x80\x02}U\x01acchumpy.os\nsystem\nU\x07exit 99\x85Rs.")
    assert read_pickle(path) == {"a": {}}
    path.write_bytes(b"\x80\x02}U\x01acchumpy\nch\n.")
    with pytest.raises(BodyError):
        read_pickle(path)


@pytest.mark.parametrize(
    "state", [b"}U\x0c__setstate__Nsb", b"N}U\x0c__setstate__Ns\x86b"], ids=["attributes", "slots"]
)
@pytest.mark.parametrize("name", sorted(pickles.RECORDS))
def test_a_pickle_cannot_change_the_reader(path: Path, name: tuple[str, str], state: bytes) -> None:
    record = pickles.RECORDS[name]
    before = dict(vars(record))
    path.write_bytes(b"\x80\x02}U\x01ac" + "\n".join(name).encode() + b"\n" + state + b"s.")
    with pytest.raises(BodyError):
        read_pickle(path)
    assert dict(vars(record)) == before


# --- what is refused ---------------------------------------------------------------------------------


def test_arrays_of_objects_and_references_are_refused(path: Path) -> None:
    path.write_bytes(pickle.dumps({"a": np.array([{}, []], object)}))
    with pytest.raises(BodyError, match="array of object, expected one of numbers"):
        read_pickle(path)
    path.write_bytes(b"\x80\x02}U\x01aU\x04fileQs.")
    with pytest.raises(BodyError, match="refers to objects outside itself"):
        read_pickle(path)


def test_missing_other_and_damaged_files_are_one_sentence(path: Path) -> None:
    with pytest.raises(BodyError, match=r"file\.pkl cannot be read \(No such file or directory\)"):
        read_pickle(path)
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(BodyError, match=r"holds a list, expected a dict of arrays"):
        read_pickle(path)
    for content in (b"", b"PK\x03\x04", b"\x80\x02}.." * 9, pickle.dumps(ARRAYS)[:-40]):
        path.write_bytes(content)
        try:
            assert read_pickle(path) == {}
        except BodyError as error:
            assert "\n" not in str(error)
    # A list that holds itself has no end.
    path.write_bytes(b"\x80\x02}U\x01a]q\x00h\x00as.")
    with pytest.raises(BodyError, match="RecursionError"):
        read_pickle(path)


def test_damage_anywhere_is_an_error_or_other_numbers(path: Path) -> None:
    whole = pickle.dumps({"a": np.arange(3.0), "s": sparse.csc_matrix(np.eye(2))}, 2)
    generator, refused = np.random.default_rng(1), 0
    for _ in range(400):
        content = bytearray(whole)
        for place in generator.integers(0, len(whole), 3):
            content[place] = generator.integers(256)
        path.write_bytes(content)
        try:
            assert isinstance(read_pickle(path), dict)
        except BodyError as error:
            refused += 1
            assert str(path) in str(error)
    assert 100 < refused < 400


def test_a_few_bytes_do_not_take_much_memory(path: Path) -> None:
    # "Remember this as number 3,000,000,000": the reader in C makes room for all that come before it.
    path.write_bytes(b"\x80\x02}r" + struct.pack("<I", 3_000_000_000) + b".")
    tracemalloc.start()
    assert read_pickle(path) == {}
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("code", [pickle.FRAME, pickle.BYTEARRAY8, pickle.BINBYTES8])
def test_a_length_that_is_not_there_takes_no_memory(path: Path, code: bytes) -> None:
    # Python's reader made room for as many bytes as the pickle said before it looked whether they were there.
    path.write_bytes(b"\x80\x05" + code + struct.pack("<Q", 200_000_000) + b"}.")
    tracemalloc.start()
    # What is there may still be a whole pickle.
    with contextlib.suppress(BodyError):
        read_pickle(path)
    assert tracemalloc.get_traced_memory()[1] < 1e7
    tracemalloc.stop()
