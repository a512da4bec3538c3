"""Holds pictures against Pillow: one JSON object a line in, one out. See pillow.rs."""

import json
import sys
import warnings

from PIL import Image, ImageChops, ImageStat

warnings.simplefilter("ignore")


def difference(ours, theirs):
    """Mean and largest absolute difference, in grey levels."""
    stat = ImageStat.Stat(ImageChops.difference(ours, theirs))
    return sum(stat.mean) / 3, max(high for _, high in stat.extrema)


def resize_shorter(image, shorter, filter):
    """torchvision's Resize(shorter)."""
    short, long = sorted(image.size)
    longer = int(shorter * long / short)
    size = (shorter, longer) if image.width <= image.height else (longer, shorter)
    return image if image.size == size else image.resize(size, filter)


def center_crop(image, size):
    """torchvision's CenterCrop(size)."""
    left, top = (int(round((whole - part) / 2.0)) for whole, part in zip(image.size, size))
    return image.crop((left, top, left + size[0], top + size[1]))


for line in sys.stdin:
    job = json.loads(line)
    answer = {"path": job["path"]}
    try:
        with Image.open(job["path"]) as image:
            answer["format"] = image.format
            theirs = image.convert("RGB")
    except Exception as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    else:
        answer["size"] = theirs.size
        if job["decoded"] and list(theirs.size) == job["size"]:
            with open(job["decoded"], "rb") as file:
                ours = Image.frombytes("RGB", theirs.size, file.read())
            answer["decoded"] = difference(ours, theirs)
            resized = []
            for resize in job["resizes"]:
                source = ours.crop(resize["crop"]) if resize["crop"] else ours
                filter = Image.Resampling[resize["filter"]]
                if resize["two_steps"]:
                    expected = center_crop(resize_shorter(source, resize["two_steps"], filter), resize["size"])
                else:
                    expected = source.resize(resize["size"], filter, box=resize["box"])
                with open(resize["file"], "rb") as file:
                    cropped = Image.frombytes("RGB", tuple(resize["size"]), file.read())
                resized.append(difference(cropped, expected))
            answer["resized"] = resized
    print(json.dumps(answer), flush=True)
