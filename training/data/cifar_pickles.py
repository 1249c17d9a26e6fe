"""Reads the pickles of CIFAR-100 without ever importing or calling what a pickle names.

Python's own unpickler builds whatever a pickle asks for. This one knows numbers, strings, containers and the few names
by which NumPy describes an array; every other name, and every other opcode, ends the reading. A long string
(the pixels) goes through in pieces, so that a pickle of 150 MB needs a few MB of memory.
"""

import codecs
import gc
import pickle
import pickletools
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, NoReturn

_LONG = 64 << 10  # bytes from which on a string is pixels
_PIECE = 768 << 10  # a whole number of 32x32 pictures
_MOST_STEPS = 2_000_000  # the training pickle takes half a million
_MOST_SHORT = 32 << 20  # bytes of everything that is not pixels

_OPCODES = {op.code.encode("latin1"): op.name for op in pickletools.opcodes}
_MARK = object()

LongString = Callable[[list[Any], Iterator[bytes], int], object]


class UnsafePickleError(Exception):
    """The pickle asks for something that data never needs."""


class MalformedPickleError(Exception):
    """The bytes are no pickle, or not one of the layout that is read here."""


class Array(NamedTuple):
    """An array of bytes: its shape and what the taker of long strings made of its content."""

    shape: tuple[int, ...]
    content: object


class _Name(NamedTuple):
    module: str
    name: str


class _Dtype(NamedTuple):
    code: str


class _Blank:
    """An array whose state is still to come."""


_NDARRAY, _DTYPE, _ENCODE = _Name("numpy", "ndarray"), _Name("numpy", "dtype"), _Name("_codecs", "encode")
_RECONSTRUCT = frozenset(_Name(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core"))
_FROMBUFFER = frozenset(_Name(f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core"))
_ALLOWED = {_NDARRAY, _DTYPE, _ENCODE, *_RECONSTRUCT, *_FROMBUFFER}


def read_pickle(stream: IO[bytes], take: LongString) -> object:
    """Return what the pickle in ``stream`` holds.

    ``take`` gets every long string as (values read so far, pieces, length in the file) and returns what stands for it.
    Raises UnsafePickleError or MalformedPickleError.
    """
    machine = _Machine(stream, take)
    collecting = gc.isenabled()
    gc.disable()  # it would walk hundreds of thousands of tuples again and again, none of which is garbage yet
    try:
        return machine.run()
    except (IndexError, KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedPickleError(f"bad pickle: {type(error).__name__}") from error
    finally:
        if collecting:
            gc.enable()


class _Machine:
    """The stack machine of the pickle protocol, as much of it as data needs."""

    def __init__(self, stream: IO[bytes], take: LongString) -> None:
        self._read = stream.read
        self._readline = stream.readline
        self._take = take
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._short = 0

    def run(self) -> object:
        """Follow the instructions to STOP; those that a split has 50,000 of are followed here, without a call."""
        read, stack, memo, steps, number = self._read, self._stack, self._memo, self._table(), int.from_bytes
        push, pop = stack.append, stack.pop
        for _ in range(_MOST_STEPS):
            code = read(1)
            if code == pickle.LONG_BINPUT:
                memo[number(read(4), "little")] = stack[-1]
            elif code == pickle.BINGET:
                push(memo[read(1)[0]])
            elif code == pickle.BININT1:
                push(read(1)[0])
            elif code == pickle.TUPLE2:
                push((pop(-2), pop()))
            elif code == pickle.REDUCE:
                push(_called(pop(-2), pop()))
            elif code == pickle.BINUNICODE:
                push(self._string(number(read(4), "little"), text=True))
            elif code == pickle.STOP:
                return stack.pop()
            elif step := steps.get(code):
                step()
            else:
                self._refuse(code)
        raise MalformedPickleError(f"more than {_MOST_STEPS:,} steps")

    def _refuse(self, code: bytes) -> NoReturn:
        if not code:
            raise MalformedPickleError("the pickle ends in the middle")
        if code in _OPCODES:
            raise UnsafePickleError(f"a pickle with the instruction {_OPCODES[code]}")
        raise MalformedPickleError(f"{code!r} is no pickle instruction")

    def _since_mark(self) -> list[Any]:
        stack = self._stack
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise MalformedPickleError("the pickle closes what it never opened")
        values = stack[at + 1 :]
        del stack[at:]
        return values

    def _table(self) -> dict[bytes, Callable[[], None]]:
        """Return what each instruction does. Where one reads past the end, the next one finds nothing and says so."""
        read, memo, stack = self._read, self._memo, self._stack
        push, pop, number = stack.append, stack.pop, int.from_bytes

        def memoise(key: int) -> None:
            memo[key] = stack[-1]

        return {
            pickle.BINUNICODE8: lambda: push(self._string(number(read(8), "little"), text=True)),
            pickle.SHORT_BINUNICODE: lambda: push(read(read(1)[0]).decode()),
            pickle.BINSTRING: lambda: push(self._string(number(read(4), "little"), text=False)),
            pickle.BINBYTES: lambda: push(self._string(number(read(4), "little"), text=False)),
            pickle.BINBYTES8: lambda: push(self._string(number(read(8), "little"), text=False)),
            pickle.BYTEARRAY8: lambda: push(self._string(number(read(8), "little"), text=False)),
            pickle.SHORT_BINSTRING: lambda: push(read(read(1)[0])),
            pickle.SHORT_BINBYTES: lambda: push(read(read(1)[0])),
            pickle.BINPUT: lambda: memoise(read(1)[0]),
            pickle.MEMOIZE: lambda: memoise(len(memo)),
            pickle.LONG_BINGET: lambda: push(memo[number(read(4), "little")]),
            pickle.BININT2: lambda: push(number(read(2), "little")),
            pickle.BININT: lambda: push(number(read(4), "little", signed=True)),
            pickle.LONG1: lambda: push(number(read(read(1)[0]), "little", signed=True)),
            pickle.NONE: lambda: push(None),
            pickle.NEWTRUE: lambda: push(True),
            pickle.NEWFALSE: lambda: push(False),
            pickle.EMPTY_TUPLE: lambda: push(()),
            pickle.TUPLE1: lambda: push((pop(),)),
            pickle.TUPLE3: lambda: push((pop(-3), pop(-2), pop())),
            pickle.TUPLE: lambda: push(tuple(self._since_mark())),
            pickle.EMPTY_LIST: lambda: push([]),
            pickle.LIST: lambda: push(self._since_mark()),
            pickle.APPEND: lambda: self._extend([pop()]),
            pickle.APPENDS: lambda: self._extend(self._since_mark()),
            pickle.EMPTY_DICT: lambda: push({}),
            pickle.SETITEM: lambda: self._update([pop(-2), pop()]),
            pickle.SETITEMS: lambda: self._update(self._since_mark()),
            pickle.GLOBAL: lambda: push(_allowed(self._line(), self._line())),
            pickle.STACK_GLOBAL: lambda: push(_allowed(pop(-2), pop())),
            pickle.BUILD: lambda: push(_built(pop(-2), pop())),
            pickle.MARK: lambda: push(_MARK),
            pickle.POP: lambda: _drop(pop()),
            pickle.PROTO: lambda: _drop(read(1)),
            pickle.FRAME: lambda: _drop(read(8)),
        }

    def _string(self, size: int, *, text: bool) -> object:
        if size > _LONG:
            pieces = self._pieces(size)
            return self._take(self._stack, _latin1(pieces) if text else pieces, size)
        self._short += size
        if self._short > _MOST_SHORT:
            raise MalformedPickleError("too much beside the pixels")
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
            raise MalformedPickleError("the pickle appends to what is no list")
        target.extend(values)

    def _update(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or not all(type(key) in {bytes, str} for key in values[::2]):
            raise MalformedPickleError("the pickle has a dictionary whose keys are no strings")
        target.update(zip(values[::2], values[1::2], strict=True))


def _allowed(module: object, name: object) -> _Name:
    if type(module) is not str or type(name) is not str:
        raise MalformedPickleError("something is named by what is no string")
    found = _Name(module, name)
    if found not in _ALLOWED:
        raise UnsafePickleError(f"a pickle that names {module[:60]}.{name[:60]}")
    return found


def _called(call: object, arguments: object) -> object:
    if type(call) is not _Name or type(arguments) is not tuple:
        raise UnsafePickleError("a pickle that calls what is no function")
    if call == _ENCODE:
        text, encoding = arguments
        if encoding not in {"latin1", "latin-1"}:
            raise MalformedPickleError("a string in an encoding that is not read here")
        return text.encode("latin1") if type(text) is str else text
    if call == _DTYPE:
        code = arguments[0].decode("ascii") if type(arguments[0]) is bytes else arguments[0]
        return _Dtype(str(code))
    if call in _RECONSTRUCT and arguments[0] == _NDARRAY:
        return _Blank()
    if call in _FROMBUFFER:
        content, dtype, shape, order = arguments
        return _array(shape, dtype, content, column_major=order != "C")
    raise UnsafePickleError(f"a pickle that calls {call.module}.{call.name} in its own way")


def _built(target: object, state: object) -> object:
    if isinstance(target, _Blank) and type(state) is tuple:
        _, shape, dtype, fortran, content = state
        return _array(shape, dtype, content, column_major=bool(fortran))
    if type(target) is not _Dtype:
        raise UnsafePickleError("a pickle that fills an object")
    return target


def _drop(value: object) -> None:
    """Drop a value that a step leaves over."""
    del value


def _latin1(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Turn UTF-8 back into the bytes that were pickled as Latin-1 text, as protocol 2 does."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in pieces:
        yield decoder.decode(piece).encode("latin1")
    decoder.decode(b"", final=True)


def _array(shape: object, dtype: object, content: object, *, column_major: bool) -> Array:
    if type(dtype) is not _Dtype or dtype.code not in {"u1", "|u1"} or column_major:
        raise MalformedPickleError("an array that is not of bytes, row after row")
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise MalformedPickleError("an array without a shape")
    return Array(shape, content)
