"""A network of four nodes, written field by field: no package is needed to make an ONNX file this small.

The numbers are the field numbers of onnx.proto, the format's published schema.
"""

import struct

_FLOAT, _UINT8, _INT64 = 1, 2, 7


def tiny_network(
    side: int,
    taken: str = "pixels",
    given: str = "probabilities",
    last: str = "Softmax",
    weights_file: str | None = None,
) -> bytes:
    """Return an ONNX model for which red is a bicycle and blue a motorcycle: softmax(mean colour x weights)."""
    weights = struct.pack("<6f", 0.1, 0, 0, 0, 0, 0.1)
    graph = (
        _field(1, _node("Cast", [taken], "cast", _field(5, _field(1, b"to") + _field(3, _FLOAT) + _field(20, 2))))
        + _field(1, _node("ReduceMean", ["cast", "axes"], "colour", _field(5, _KEEP_NO_DIMENSIONS)))
        + _field(1, _node("MatMul", ["colour", "weights"], "logits"))
        + _field(1, _node(last, ["logits"], given))
        + _field(2, b"tiny")
        + _field(5, _external_tensor(weights_file) if weights_file else _tensor("weights", _FLOAT, [3, 2], weights))
        + _field(5, _tensor("axes", _INT64, [2], struct.pack("<2q", 1, 2)))
        + _field(11, _value(taken, _UINT8, [side, side, 3]))
        + _field(12, _value(given, _FLOAT, [2]))
    )
    return _field(1, 9) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 18))


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


_KEEP_NO_DIMENSIONS = _field(1, b"keepdims") + _field(3, 0) + _field(20, 2)


def _node(kind: str, taken: list[str], given: str, attribute: bytes = b"") -> bytes:
    inputs = b"".join(_field(1, name.encode()) for name in taken)
    return inputs + _field(2, given.encode()) + _field(4, kind.encode()) + attribute


def _tensor(name: str, kind: int, shape: list[int], data: bytes) -> bytes:
    return b"".join(_field(1, size) for size in shape) + _field(2, kind) + _field(8, name.encode()) + _field(9, data)


def _external_tensor(path: str) -> bytes:
    location = _field(1, b"location") + _field(2, path.encode())
    return (
        _field(1, 3) + _field(1, 2) + _field(2, _FLOAT) + _field(8, b"weights") + _field(13, location) + _field(14, 1)
    )


def _value(name: str, kind: int, shape: list[int]) -> bytes:
    sizes = _field(1, _field(2, b"batch")) + b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, kind) + _field(2, sizes)))
