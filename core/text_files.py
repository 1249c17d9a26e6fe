"""Text files that people write or export: with a byte order mark or without, in UTF-8 or UTF-16."""

import codecs

from core.errors import UndecodableText

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode_text(content: bytes, name: str) -> str:
    """Return the text of a file, its line ends as line feeds. Raises UndecodableText."""
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UndecodableText(name, error.start) from error
    if "\0" in text:
        raise UndecodableText(name, text.index("\0"))
    return text.replace("\r\n", "\n").replace("\r", "\n")
