"""One HTML file that shows images for review and takes down what a person says they are."""

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from PIL import Image

THUMBNAIL = 160
_MAX_PIXELS = 40_000_000
_SUGGESTIONS = ("bicycle", "motorcycle")


@dataclass(frozen=True)
class Card:
    """An image for review. ``content`` is None where it cannot be read any more; ``inferences`` may be empty."""

    s3_bucket: str
    s3_key: str
    inferences: tuple[float, ...]
    cause: str
    content: bytes | None


def render(cards: Sequence[Card]) -> str:
    """Return the page. Nothing in it comes from elsewhere, and no text of an image's becomes markup or script."""
    return _PAGE.substitute(
        count=len(cards), cards="\n".join(_figure(number, card) for number, card in enumerate(cards))
    )


def thumbnail(content: bytes) -> bytes | None:
    """Return a small PNG of an image; None where it is too large to decode or no image at all."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.draft("RGB", (THUMBNAIL, THUMBNAIL))
            image.thumbnail((THUMBNAIL, THUMBNAIL))
            small = image.convert("RGB")
    except Exception:  # noqa: BLE001 - damaged bytes lead Pillow into errors of many kinds
        return None
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()


_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def _figure(number: int, card: Card) -> str:
    small = thumbnail(card.content) if card.content is not None else None
    picture = "<div class=none>the image cannot be shown</div>"
    if small is not None:
        picture = f'<img alt="" src="data:image/png;base64,{base64.b64encode(small).decode()}">'
    said = ", ".join(
        f"{label} {probability:.1%}" for label, probability in zip(_SUGGESTIONS, card.inferences, strict=False)
    )
    key = escape(card.s3_key, quote=True)
    choices = " ".join(
        f'<label><input type=radio name="i{number}" value={label}> {label}</label>'
        for label in (*_SUGGESTIONS, "neither")
    )
    return (
        f'<figure data-key="{key}">{picture}<figcaption><code>{key}</code>'
        f"<p>{escape(said or card.cause)}</p>{choices}</figcaption></figure>"
    )


_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>Images for review</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1c1c1c; background: #fafafa }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem }
figure { margin: 0; padding: 1rem; background: #fff; border: 1px solid #ddd; border-radius: 6px }
img, .none { width: 160px; height: 160px; object-fit: contain; image-rendering: pixelated; background: #eee }
.none { display: grid; place-items: center; text-align: center; color: #666 }
code { overflow-wrap: anywhere; font-size: 12px }
p { margin: .3rem 0 }
textarea { width: 100%; box-sizing: border-box; height: 8rem; font-family: ui-monospace, monospace }
</style>
<h1>$count images for review</h1>
<p>Choose what each image shows, save the lines below as <code>labels.txt</code>, and run
<code>scones review --labels labels.txt</code>.</p>
<textarea readonly aria-label="labels"></textarea>
<main>
$cards
</main>
<script>
const lines = document.querySelector("textarea");
document.addEventListener("change", () => {
  lines.value = [...document.querySelectorAll("input:checked")]
    .map(input => input.closest("figure").dataset.key + "=" + input.value + "\\n").join("");
});
</script>
</html>
""")
