"""Reads the pickled batches of the CIFAR archive without running what else a pickle can hold.

A pickle is a program. A batch needs four of the functions that such a program can name, to rebuild an array of uint8;
here each is replaced with one of ours that keeps pixels and does nothing else, and any other name is refused before it
is looked up.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.errors import UserError


def load(data: bytes, name: str) -> dict[bytes, Any]:
    """The dictionary in the pickle `data`, which is the file `name` of the archive.

    Strings of Python 2 come back as bytes, as the published batches are read. Raises UserError if the pickle is
    damaged, holds anything but a dictionary, or names a function that a batch does not need.
    """
    try:
        batch = _BatchUnpickler(io.BytesIO(data), encoding="bytes").load()
    except _DAMAGE as error:
        raise UserError(
            f"Cannot read {name} in the archive: {error or type(error).__name__}. It is not a batch of CIFAR-10; "
            "give the archive as published (cifar-10-python.tar.gz), or leave --archive out to download it."
        ) from error
    if not isinstance(batch, dict):
        raise UserError(f"Cannot read {name} in the archive: it holds a {type(batch).__name__}, not a dictionary.")
    return {key: value.values if isinstance(value, _Pixels) else value for key, value in batch.items()}


# What the pickle machine raises on damaged input: the library's documentation names these and leaves the list open.
_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,
    RecursionError,
)


class _Pixels:
    """In place of an array: takes the state that the pickle gives to it, if that is one of unsigned bytes."""

    values: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _version, shape, kind, is_fortran, data = state
        if not isinstance(kind, _Uint8) or not isinstance(data, bytes):
            raise pickle.UnpicklingError("an array of something else than unsigned bytes")
        self.values = np.frombuffer(data, np.uint8).reshape(shape, order="F" if is_fortran else "C")


class _Uint8:
    """In place of the dtype of unsigned bytes, which has no state worth keeping."""

    def __setstate__(self, state: Any) -> None:
        pass


class _Function:
    """A function that a pickle may call but not alter: pickles can set attributes of what they have named."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it alters a function")


def _reconstruct(kind: object, shape: object, typecode: object) -> _Pixels:
    if kind is not _ADMITTED["numpy", "ndarray"] or shape != (0,):
        raise pickle.UnpicklingError(f"an array of an unknown kind, {shape!r} {typecode!r}")
    return _Pixels()


def _ndarray(*_arguments: object) -> None:
    raise pickle.UnpicklingError("it makes an array in an unknown way")  # honest pickles only hand it to _reconstruct


def _dtype(code: object, *_flags: object) -> _Uint8:
    if code not in ("u1", b"u1"):
        raise pickle.UnpicklingError(f"an array of type {code!r}, not of unsigned bytes")
    return _Uint8()


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """How Python 3 writes bytes into a pickle that Python 2 can read."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _Function(_reconstruct),  # NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _Function(_reconstruct),  # NumPy 2
    ("numpy", "ndarray"): _Function(_ndarray),
    ("numpy", "dtype"): _Function(_dtype),
    ("_codecs", "encode"): _Function(_encode),
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs; nothing of it was run")
        return _ADMITTED[module, name]
