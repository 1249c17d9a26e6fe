"""Another source's pictures at a larger side: transfer learning wants 224 pixels, and refuses less."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.data.labelled_images import Picture, Pictures, Source


@dataclass(frozen=True)
class UpscaledSource:
    """The pictures of ``source``, resized bicubically to ``side`` by ``side`` pixels."""

    source: Source
    side: int

    @property
    def dataset(self) -> str:
        """The source's name and the side: both can be staged beside each other."""
        return f"{self.source.dataset}-{self.side}"

    @property
    def classes(self) -> tuple[str, ...]:
        """The source's."""
        return self.source.classes

    def fingerprint(self) -> str:
        """Return the source's, and the side."""
        return f"{self.source.fingerprint()} side:{self.side}"

    def pictures(self) -> Pictures:
        """Return every picture, resized as it comes."""
        total, each = self.source.pictures()
        return Pictures(total, map(self._resized, each))

    def _resized(self, picture: Picture) -> Picture:
        image = Image.fromarray(picture.pixels).resize((self.side, self.side), Image.Resampling.BICUBIC)
        return picture._replace(pixels=np.asarray(image))
