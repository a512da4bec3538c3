"""The photos of `scripts/bench image`: small, middle and large ones, or the caller's."""

import dataclasses
import io
import pathlib

from PIL import Image

# A pass takes seconds and not minutes, and every photo is seen as often as any other.
MOST_PHOTOS = 200
SAMPLES = 200
# ImageNet's photos: 500 pixels, 110 kB, colour at half the resolution.
MIDDLE_SIDE = 500
MIDDLE_BYTES = 110_000
MIDDLE_SUBSAMPLING = "4:2:0"


@dataclasses.dataclass
class PhotoSet:
    name: str
    photos: list[pathlib.Path]
    # Files of the folder that not every contender reads: no JPEG, or not in colour.
    left_out: int

    @property
    def epochs(self) -> int:
        """Passes over the photos, each with boxes of its own, that make enough samples."""
        return -(-SAMPLES // len(self.photos))

    @property
    def mean_bytes(self) -> float:
        return sum(photo.stat().st_size for photo in self.photos) / len(self.photos)


def choose(name: str, folder: pathlib.Path) -> PhotoSet:
    """Photos spread evenly over a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    photos = [path for path in files if is_colour_jpeg(path)]
    if not photos:
        raise SystemExit(f"error: no JPEG in colour under {folder}")
    taken = min(len(photos), MOST_PHOTOS)
    spread = [photos[index * len(photos) // taken] for index in range(taken)]
    return PhotoSet(name, spread, len(files) - len(photos))


def is_colour_jpeg(path: pathlib.Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.format == "JPEG" and image.mode == "RGB"
    except OSError:
        return False


def middle(large: PhotoSet, folder: pathlib.Path) -> PhotoSet:
    """Photos of ImageNet's size, made of large ones."""
    small = [shrink(photo) for photo in large.photos]
    encoded = min(
        ([encode(image, quality) for image in small] for quality in range(75, 100)),
        key=lambda files: abs(sum(map(len, files)) / len(files) - MIDDLE_BYTES),
    )
    folder.mkdir()
    photos = [folder / f"{index:03}.jpg" for index in range(len(encoded))]
    for photo, content in zip(photos, encoded):
        photo.write_bytes(content)
    return PhotoSet("middle", photos, 0)


def shrink(path: pathlib.Path) -> Image.Image:
    with Image.open(path) as image:
        scale = MIDDLE_SIDE / max(image.size)
        return image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)


def encode(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=MIDDLE_SUBSAMPLING)
    return out.getvalue()
