"""Photos repeated under other names, until there are so many."""

import pathlib


def repeat(folder: pathlib.Path, out: pathlib.Path, count: int) -> None:
    """Writes `count` photos of the folder to `out`: evenly chosen ones where there are more, else all of them in turn.

    Each copy has a comment of its own, so that no two files have the same bytes, and nothing that is kept by content
    serves for another photo.
    """
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not photos:
        raise SystemExit(f"there are no JPEG files in {folder}")
    if count < len(photos):
        photos = [photos[number * len(photos) // count] for number in range(count)]
    for number in range(count):
        turn, place = divmod(number, len(photos))
        stored = photos[place].read_bytes()
        comment = f"{turn:06}".encode()
        copy = out / f"{turn:03}" / photos[place].relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # A COM segment behind the start of the image: marker, length with its own two bytes, text.
        copy.write_bytes(stored[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + stored[2:])
