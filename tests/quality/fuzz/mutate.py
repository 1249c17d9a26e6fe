"""Damages valid inputs at random, for every platform; where atheris is installed, coverage leads instead."""

import json
import random
from collections.abc import Iterator

from tests.quality.fuzz.target import Target

_COMMON = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x00" * 64,
    b"\n",
    b"\r\n",
    b"\t",
    b"..",
    b"/",
    b"%00",
    b"\\",
)
_VALUES: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 0.5, 1.0, 0.94, float("nan"), float("inf"), 10**400, -(2**63), "", "x", "\ud800",
    "\0", "\n{}\r",
    "a" * 2000, "%2F..%2F", "a+b%20c", "\u2028", [], [1], [1, 0], [0.5, 0.5], [0.94, 0.06], [0.939999, 0.06],
    [True, False],
    ["0.9", "0.1"], [float("nan"), 1], [[[]]], {}, {"a": {}}, "YQ==", "YQ=", "image/jpeg", "image/gif",
    "arn:aws:s3:::b",
)  # fmt: skip
_MAX_CHANGES = 6


def inputs(target: Target, seed: int) -> Iterator[bytes]:
    """Yield the seeds as they are, then damaged ones without end, the same for the same ``seed``."""
    yield from target.seeds
    generator = random.Random(seed)
    words = (*target.words, *_COMMON)
    while True:
        data = bytearray(_other_value(generator.choice(target.seeds), generator))
        for _ in range(generator.randrange(_MAX_CHANGES + 1)):
            _damage(data, generator, words, target.seeds)
        yield bytes(data[: target.longest])


def _other_value(seed: bytes, generator: random.Random) -> bytes:
    """Return a seed whose first line is a JSON object with one field changed, half of the time; else as it is."""
    head, line, rest = seed.partition(b"\n")
    if generator.random() < 0.5:
        return seed
    try:
        fields = json.loads(head)
    except ValueError:
        return seed
    if isinstance(fields, dict) and fields:
        name = generator.choice(sorted(fields))
        fields[name] = generator.choice(_VALUES)
        if generator.random() < 0.2:
            del fields[generator.choice(sorted(fields))]
        head = json.dumps(fields).encode()
    return head + line + rest


def _damage(data: bytearray, generator: random.Random, words: tuple[bytes, ...], seeds: tuple[bytes, ...]) -> None:
    first, second = sorted(generator.randrange(len(data) + 1) for _ in range(2))
    match generator.randrange(8):
        case 0 | 1 if data:
            data[min(first, len(data) - 1)] = generator.randrange(256)
        case 2 if data:
            data[min(first, len(data) - 1)] ^= 1 << generator.randrange(8)
        case 3:
            del data[first : min(second, first + 1 + generator.randrange(64))]
        case 4:
            data[first:first] = generator.choice(words)
        case 5:
            data[first : first + 8] = generator.choice(words)
        case 6:
            other = generator.choice(seeds)
            data[first:] = other[generator.randrange(len(other) + 1) :]
        case _:
            data[first:first] = data[first : min(second, first + 256)]
