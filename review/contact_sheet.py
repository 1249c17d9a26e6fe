"""The contact sheet: one HTML file that shows images for review and saves the labels that a person gives them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from core.printable import printable

THUMBNAIL = 160


@dataclass(frozen=True)
class Card:
    """An image for review. ``thumbnail`` is a data URI, or None without one; ``inferences`` may be empty.

    ``probably_neither`` says whether the image probably shows neither label, or None if the model does not say.
    """

    s3_bucket: str
    s3_key: str
    inferences: tuple[float, ...]
    cause: str
    thumbnail: str | None
    probably_neither: bool | None = None


def render(cards: Sequence[Card], labels: Sequence[str]) -> str:
    """Return the page, the images with the lowest confidence first.

    Nothing in it comes from elsewhere, and no text of an image's becomes markup or script. Each label is saved as a
    line of JSON with the image's bucket and key, which no key can break.
    """
    times = Counter(card.s3_key for card in cards)
    ordered = sorted(cards, key=lambda card: max(card.inferences, default=0.0))
    names = [card.s3_key if times[card.s3_key] == 1 else f"s3://{card.s3_bucket}/{card.s3_key}" for card in ordered]
    figures = [_figure(*numbered, labels) for numbered in zip(range(len(cards)), names, ordered, strict=True)]
    return _PAGE.substitute(title=_title(len(cards)), count=len(cards), cards="\n".join(figures))


def _title(count: int) -> str:
    return "1 image for review" if count == 1 else f"{count} images for review"


def _figure(number: int, name: str, card: Card, labels: Sequence[str]) -> str:
    unreadable = "<div class=none>the image cannot be shown</div>"
    shown = f'<img alt="" src="{card.thumbnail}">' if card.thumbnail else unreadable
    prediction = ", ".join(f"{label} {share:.1%}" for label, share in zip(labels, card.inferences, strict=False))
    prediction += ", probably neither" if card.probably_neither else ""
    image = escape(json.dumps({"s3_bucket": card.s3_bucket, "s3_key": card.s3_key}), quote=True)
    choices = " ".join(
        f'<label><input type=radio name="i{number}" value={label}> {label}</label>' for label in (*labels, "neither")
    )
    return (
        f'<figure data-image="{image}">{shown}<figcaption><code>{escape(printable(name))}</code>'
        f"<p>{escape(prediction or printable(card.cause))}</p>{choices}</figcaption></figure>"
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
header { position: sticky; top: 0; background: #fafafa; padding: .5rem 0 }
textarea { width: 100%; box-sizing: border-box; height: 5rem; font-family: ui-monospace, monospace }
button { font: inherit; padding: .2rem .8rem }
figure:has(input:checked) { border-color: #2f7d4f; background: #f3faf5 }
</style>
<h1>$title</h1>
<p>Choose what each image shows, save the lines as <code>labels.jsonl</code>, and run
<code>scones review --labels labels.jsonl</code>. What the model is least sure of comes first.</p>
<header><textarea readonly aria-label="labels"></textarea>
<p><button disabled>Save labels.jsonl</button> <output>0 of $count labelled</output></p></header>
<main>
$cards
</main>
<script>
const lines = document.querySelector("textarea"), save = document.querySelector("button");
document.addEventListener("change", () => {
  const chosen = [...document.querySelectorAll("input:checked")];
  lines.value = chosen.map(input => {
    const image = JSON.parse(input.closest("figure").dataset.image);
    return JSON.stringify({...image, label: input.value}) + "\\n";
  }).join("");
  document.querySelector("output").value = chosen.length + " of $count labelled";
  save.disabled = !chosen.length;
});
save.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.value], {type: "application/jsonl"}));
  link.download = "labels.jsonl";
  link.click();
});
</script>
</html>
""")
