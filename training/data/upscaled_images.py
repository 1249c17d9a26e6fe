"""Another source's images, enlarged: transfer learning requires 224 pixels a side."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.data.labelled_images import ImageSource, LabelledImage, LabelledImages


@dataclass(frozen=True)
class UpscaledSource:
    """The images of ``source``, resized bicubically to ``side`` x ``side`` pixels."""

    source: ImageSource
    side: int

    @property
    def dataset(self) -> str:
        """The source's name and the side: both datasets can be staged."""
        return f"{self.source.dataset}-{self.side}"

    @property
    def classes(self) -> tuple[str, ...]:
        """The source's classes."""
        return self.source.classes

    def fingerprint(self) -> str:
        """Return the source's fingerprint and the side."""
        return f"{self.source.fingerprint()} side:{self.side}"

    def images(self) -> LabelledImages:
        """Return every image, resized as it is read."""
        total, iterator = self.source.images()
        return LabelledImages(total, map(self._resize, iterator))

    def _resize(self, image: LabelledImage) -> LabelledImage:
        resized = Image.fromarray(image.pixels).resize((self.side, self.side), Image.Resampling.BICUBIC)
        return image._replace(pixels=np.asarray(resized))
