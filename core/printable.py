"""Text from outside (keys, file names, messages), made safe to print."""

import unicodedata

_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """Return ``text`` with control, format and unassigned characters and lone surrogates as backslash escapes.

    An escape sequence then neither colours a terminal nor moves its cursor, a line break cannot forge a line of a log,
    and a bidirectional override cannot turn a name around. A byte that is not UTF-8, which Python keeps as a surrogate,
    is shown by its hexadecimal digits.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _CATEGORIES:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
