"""Reads CIFAR-100's pickles without importing or calling anything that a pickle names.

`pickle.Unpickler` with an allow-list in `find_class` is not enough: it hashes nested tuples, so 60 bytes of shared ones
take two seconds, each two bytes more double that, and 1.9 million nested ones crash the interpreter. This reader knows
protocol 2, which Python 2 used for the official archive: numbers, strings, lists, dictionaries, flat tuples and the
four names that describe an array. Any other name or instruction ends the reading. A long string (the pixels) is passed
on in pieces, so that a pickle of 150 MB needs a few MB of memory.
"""

import codecs
import pickle
import pickletools
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, NoReturn

_LONG = 64 << 10  # strings from this size on, in bytes, are pixels
_PIECE = 768 << 10  # a whole number of rows of 32x32 pixels
_MAX_STEPS = 1_000_000  # the training pickle takes 450,000
_MAX_SHORT_BYTES = 32 << 20  # of all strings but the pixels

_INSTRUCTIONS = {instruction.code.encode("latin1"): instruction.name for instruction in pickletools.opcodes}
_MARK = object()

OnLongString = Callable[[list[Any], Iterator[bytes]], object]


class UnsafePickleError(Exception):
    """The pickle asks for something that data never needs."""


class MalformedPickleError(Exception):
    """The bytes are not a pickle, or not one of the expected layout."""


class Array(NamedTuple):
    """An array of bytes: its shape, and what stands for its content."""

    shape: tuple[int, ...]
    content: object


class _Name(str):
    """A name that the pickle would have imported."""

    __slots__ = ()


_RECONSTRUCT = {"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"}
_ALLOWED = {"numpy.ndarray", "numpy.dtype", "_codecs.encode", *_RECONSTRUCT}
_UINT8 = object()  # NumPy's type of bytes
_EMPTY_ARRAY = object()  # an array whose state is yet to come


def read_pickle(stream: IO[bytes], on_long_string: OnLongString) -> object:
    """Return the content of the pickle in ``stream``.

    ``on_long_string`` gets the values read so far and the pieces of a long string, and returns what stands for it.
    Raises UnsafePickleError or MalformedPickleError.
    """
    try:
        return _Machine(stream, on_long_string).run()
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise MalformedPickleError(f"bad pickle: {type(error).__name__}") from error


class _Machine:
    """The stack machine of pickle protocol 2, as far as data needs it.

    Values are compared, hashed and converted only after their exact type is known, and tuples hold no tuples of tuples:
    the work is linear in the number of instructions.
    """

    def __init__(self, stream: IO[bytes], on_long_string: OnLongString) -> None:
        self._read = stream.read
        self._readline = stream.readline
        self._on_long_string = on_long_string
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._short_bytes = 0

    def run(self) -> object:
        """Follow the instructions to STOP."""
        read, instructions = self._read, self._instructions()
        for _ in range(_MAX_STEPS):
            code = read(1)
            if code == pickle.STOP:
                return self._stack.pop()
            follow = instructions.get(code)
            if follow is None:
                _refuse(code)
            follow()
        raise MalformedPickleError(f"more than {_MAX_STEPS:,} instructions")

    def _instructions(self) -> dict[bytes, Callable[[], object]]:
        """Return what each instruction does. One that reads past the end fails there, or the next one does."""
        stack, memo, read = self._stack, self._memo, self._read
        push, pop = stack.append, stack.pop

        def number(size: int) -> int:
            return int.from_bytes(read(size), "little")

        return {
            pickle.PROTO: lambda: read(1),
            pickle.MARK: lambda: push(_MARK),
            pickle.NONE: lambda: push(None),
            pickle.NEWTRUE: lambda: push(True),
            pickle.NEWFALSE: lambda: push(False),
            pickle.BININT1: lambda: push(read(1)[0]),
            pickle.BININT2: lambda: push(number(2)),
            pickle.BININT: lambda: push(int.from_bytes(read(4), "little", signed=True)),
            pickle.SHORT_BINSTRING: lambda: push(read(read(1)[0])),
            pickle.BINSTRING: lambda: push(self._string(number(4), text=False)),
            pickle.BINUNICODE: lambda: push(self._string(number(4), text=True)),
            pickle.EMPTY_LIST: lambda: push([]),
            pickle.APPEND: lambda: self._extend([pop()]),
            pickle.APPENDS: lambda: self._extend(self._pop_to_mark()),
            pickle.EMPTY_DICT: lambda: push({}),
            pickle.SETITEM: lambda: self._update([pop(-2), pop()]),
            pickle.SETITEMS: lambda: self._update(self._pop_to_mark()),
            pickle.TUPLE1: lambda: push(_flat_tuple(pop())),
            pickle.TUPLE2: lambda: push(_flat_tuple(pop(-2), pop())),
            pickle.TUPLE3: lambda: push(_flat_tuple(pop(-3), pop(-2), pop())),
            pickle.TUPLE: lambda: push(_flat_tuple(*self._pop_to_mark())),
            pickle.BINPUT: lambda: memo.__setitem__(read(1)[0], stack[-1]),
            pickle.LONG_BINPUT: lambda: memo.__setitem__(number(4), stack[-1]),
            pickle.BINGET: lambda: push(memo[read(1)[0]]),
            pickle.LONG_BINGET: lambda: push(memo[number(4)]),
            pickle.GLOBAL: lambda: push(_allowed_name(self._line(), self._line())),
            pickle.REDUCE: lambda: push(_reduce(pop(-2), pop())),
            pickle.BUILD: lambda: push(_build(pop(-2), pop())),
        }

    def _pop_to_mark(self) -> list[Any]:
        stack = self._stack
        start = len(stack)
        while (
            stack[start - 1] is not _MARK
        ):  # at the bottom of the stack the index wraps around, until it is out of range
            start -= 1
        values = stack[start:]
        del stack[start - 1 :]
        return values

    def _string(self, size: int, *, text: bool) -> object:
        if size > _LONG:
            pieces = self._pieces(size)
            return self._on_long_string(self._stack, _encode_latin1(pieces) if text else pieces)
        self._short_bytes += size
        if self._short_bytes > _MAX_SHORT_BYTES:
            raise MalformedPickleError("too many bytes besides the pixels")
        data = self._read(size)
        return data.decode() if text else data

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self._read(min(size, _PIECE))
            if not piece:
                raise MalformedPickleError("the pickle ends in the middle")
            size -= len(piece)
            yield piece

    def _line(self) -> str:
        return self._readline(200).rstrip(b"\n").decode("ascii", "replace")

    def _extend(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise MalformedPickleError("the pickle appends to something other than a list")
        target.extend(values)

    def _update(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or not all(type(key) in {bytes, str} for key in values[::2]):
            raise MalformedPickleError("the pickle has a dictionary whose keys are not strings")
        target.update(zip(values[::2], values[1::2], strict=True))


def _refuse(code: bytes) -> NoReturn:
    if not code:
        raise MalformedPickleError("the pickle ends in the middle")
    if code in _INSTRUCTIONS:
        raise UnsafePickleError(f"a pickle with the instruction {_INSTRUCTIONS[code]}")
    raise MalformedPickleError(f"{code!r} is not a pickle instruction")


def _flat_tuple(*values: object) -> tuple[object, ...]:
    """Return the tuple. An array's state holds its shape, a tuple of numbers; nothing needs more nesting."""
    for value in values:
        if type(value) is tuple and any(type(item) is not int for item in value):
            raise MalformedPickleError("tuples within tuples")
    return values


def _allowed_name(module: str, name: str) -> _Name:
    allowed = _Name(f"{module}.{name}")
    if allowed not in _ALLOWED:
        raise UnsafePickleError(f"a pickle that names {allowed[:120]}")
    return allowed


def _reduce(call: object, arguments: object) -> object:
    """Return what stands for the result of the call."""
    if type(call) is not _Name or type(arguments) is not tuple:
        raise UnsafePickleError("a pickle that calls something other than a function")
    first, *others = arguments
    if call == "_codecs.encode" and [type(other) for other in others] == [str]:
        if others[0] not in {"latin1", "latin-1"}:
            raise MalformedPickleError("a string in an unknown encoding")
        return first.encode("latin1") if type(first) is str else first
    if call == "numpy.dtype" and type(first) in {bytes, str}:
        if first not in {b"u1", "u1", b"|u1", "|u1"}:
            raise MalformedPickleError("an array of something other than bytes")
        return _UINT8
    if call in _RECONSTRUCT and type(first) is _Name and first == "numpy.ndarray":
        return _EMPTY_ARRAY
    raise UnsafePickleError(f"a pickle that calls {call} in its own way")


def _build(target: object, state: object) -> object:
    """Return the array of a state; the state of the type of bytes adds nothing to it."""
    if target is _EMPTY_ARRAY and type(state) is tuple:
        _, shape, dtype, column_major, content = state
        if dtype is not _UINT8 or type(shape) is not tuple or column_major is not False:
            raise MalformedPickleError("an array other than of bytes, row after row")
        return Array(shape, content)
    if target is not _UINT8:
        raise UnsafePickleError("a pickle that fills an object")
    return target


def _encode_latin1(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Turn UTF-8 back into the bytes that Python 3 pickled as Latin-1 text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in pieces:
        yield decoder.decode(piece).encode("latin1")
    decoder.decode(b"", final=True)
