"""The table of `scripts/bench image`, for a terminal and for docs/."""

OUTPUTS = {"f32": "f32 [3, 224, 224], normalised", "u8": "u8 [224, 224, 3]"}
LEGEND = """\
Samples for a second of CPU time on one core: decode, random-resized-crop to 224, flip (and normalise), all in memory,
median of {rounds} interleaved rounds. Ratio: to {baseline} making the same output. Difference: mean absolute, to its
pixels, in levels of 0 to 255.
* resizes without antialiasing: less work, and other pixels."""


def rows_of(result: dict, output: str) -> list[list[dict]]:
    """The rows of one output, one list for each contender, with an entry for each set."""
    sets = [[row for row in photos["rows"] if row["output"] == output] for photos in result["sets"]]
    return [list(rows) for rows in zip(*sets)]


def title(row: dict) -> str:
    return row["title"] + ("" if row["antialiased"] else " *")


def cells(row: dict) -> list[str]:
    """Samples for a second, ratio and difference."""
    if "unavailable" in row:
        return ["-", "-", "-"]
    ratio, difference = row.get("ratio"), row["difference"]
    return [
        f"{row['samples_per_second']:.0f}",
        "-" if ratio is None else f"{ratio:.2f}",
        "-" if difference is None else f"{difference:.2f}",
    ]


def heading(photos: dict) -> str:
    return f"{photos['name']}: {photos['photos']} photos of {photos['mean_bytes'] / 1000:.0f} kB"


def notes(result: dict) -> list[str]:
    """What the table leaves unsaid: who is missing, what was not indexed, two threads."""
    said = []
    for photos in result["sets"]:
        missing = {row["title"]: row["unavailable"] for row in photos["rows"] if "unavailable" in row}
        said += [f"{name} is not available: {reason}" for name, reason in missing.items()]
        said += [
            f"{photos['name']}: {count} of {photos['photos']} photos are not indexed: {reason}"
            for reason, count in photos["unindexable"].items()
        ]
        if photos["left_out"]:
            said.append(f"{photos['name']}: {photos['left_out']} files that are no JPEG in colour are left out")
        speedups = [
            f"{row['title']} {row['ratio']:.2f} ({row['cpu_growth']:.2f})"
            for row in photos["two_threads"]
            if "ratio" in row and row["output"] == "f32"
        ]
        if speedups:
            said.append(f"{photos['name']}, two threads against one in speed (and in CPU): {'; '.join(speedups)}")
    busy = ", ".join(f"{photos['busy']:.0%} ({photos['name']})" for photos in result["sets"])
    said.append(
        f"the core was busy with other things for {busy} of the time; two threads want both cores to themselves"
    )
    return list(dict.fromkeys(said))


def legend(result: dict) -> str:
    return LEGEND.format(rounds=result["rounds"], baseline=result["sets"][0]["rows"][0]["title"])


def text(result: dict) -> str:
    columns = 8, 7, 7
    width = max(len(title(row)) for row in result["sets"][0]["rows"]) + 2

    def line(first: str, groups: list[list[str]]) -> str:
        return f"{first:<{width}}" + "  ".join("".join(f"{c:>{n}}" for c, n in zip(g, columns)) for g in groups)

    across = sum(columns) + 2
    out = ["", " " * width + "".join(f"{heading(photos):>{across - 2}}  " for photos in result["sets"])]
    for output, words in OUTPUTS.items():
        out += [line(words.split(",")[0].split(" ")[0], [["/s", "ratio", "diff"] for _ in result["sets"]])]
        out += [line("  " + title(rows[0]), [cells(row) for row in rows]) for rows in rows_of(result, output)]
        out.append("")
    return "\n".join([*out, legend(result), *notes(result), ""])


def markdown(result: dict) -> str:
    out = [
        "# Decode, crop, flip, normalise: one core",
        "",
        "What `scripts/bench image --docs` measured and wrote; run it again for your machine.",
        "",
        "![Speed against the baseline, as bars](image-bench.svg)",
        "",
    ]
    for output, words in OUTPUTS.items():
        out += [f"## {words}", ""]
        out.append("| | " + " | ".join(f"{heading(photos)} | ratio | difference" for photos in result["sets"]) + " |")
        out.append("|---" * (1 + 3 * len(result["sets"])) + "|")
        for rows in rows_of(result, output):
            name = title(rows[0])
            name = f"**{name}**" if name.startswith("Headwater") else name
            out.append(f"| {name} | " + " | ".join(cell for row in rows for cell in cells(row)) + " |")
        out.append("")
    versions = ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))
    out += [legend(result).replace("\n* ", "\n\\* "), ""]
    out += [f"- {note}" for note in notes(result)]
    out += ["", f"Machine: {result['machine']}.", f"Peers: {versions}.", ""]
    out += [
        "All make the same samples from the same bytes; boxes and flips are those of Headwater's `imagenet-train`,",
        "drawn anew for each pass over a set. *Indexed*: from photos that were re-written once, without loss, with",
        "restart markers; the re-write is not timed. *Fast*: the recipe `imagenet-train-fast`, which may decode large",
        "crops at a smaller scale.",
        "The middle set is cut from the large one: 500 pixels, 4:2:0. How each peer is driven is in",
        "`scripts/lib/image_peers.py`: one thread, its fastest documented way; `SPDL`, `pyvips` and `simplejpeg`",
        "borrow OpenCV's `blobFromImage` for the normalised tensor.",
        "",
    ]
    return "\n".join(out)
