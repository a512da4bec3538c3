"""Packs a folder of photos into other sources: `packed.py FOLDER OUT` writes OUT/tar and OUT/parquet.

Four tar files of every fourth photo in the order of their names, and one Parquet file whose row groups have 100 photos.
Their keys are the folder's.
"""

import pathlib
import sys
import tarfile

import pyarrow
import pyarrow.parquet

SHARDS = 4
ROWS = 100


def main() -> None:
    folder, out = map(pathlib.Path, sys.argv[1:])
    photos = sorted(path for path in folder.rglob("*") if path.is_file())
    for kind in ("tar", "parquet"):
        (out / kind).mkdir(parents=True)
    for number in range(SHARDS):
        with tarfile.open(out / "tar" / f"shard-{number}.tar", "w") as shard:
            for path in photos[number::SHARDS]:
                shard.add(path, path.relative_to(folder))
    rows = [{"bytes": path.read_bytes(), "path": str(path.relative_to(folder))} for path in photos]
    image = pyarrow.array(rows, pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]))
    pyarrow.parquet.write_table(
        pyarrow.table({"image": image}),
        out / "parquet" / "photos.parquet",
        row_group_size=ROWS,
        use_dictionary=False,
        compression="none",
        write_page_index=True,
    )


if __name__ == "__main__":
    main()
