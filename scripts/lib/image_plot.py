"""The table of `scripts/bench image` as bars, in SVG: speed against the baseline, a panel for each set and output."""

from xml.sax.saxutils import escape

import image_report

NAMES, PANEL, GAP, ROW, BAR = 210, 230, 34, 19, 13
OURS, OTHERS, GRID, INK = "#0b7285", "#adb5bd", "#dee2e6", "#212529"


def svg(result: dict) -> str:
    """One panel for each set, from left to right; f32 above u8."""
    sets = result["sets"]
    most = max(row.get("ratio", 1) for photos in sets for row in photos["rows"])
    width = NAMES + len(sets) * (PANEL + GAP)
    body, top = [], 46
    for output, words in image_report.OUTPUTS.items():
        contenders = image_report.rows_of(result, output)
        body.append(label(8, top - 12, words, weight="bold"))
        for place, rows in enumerate(contenders):
            body.append(label(NAMES - 8, top + place * ROW + BAR - 2, image_report.title(rows[0]), anchor="end"))
        for number, photos in enumerate(sets):
            left = NAMES + number * (PANEL + GAP)
            bottom = top + len(contenders) * ROW
            body.append(label(left, top - 12, image_report.heading(photos)))
            body += panel(left, top, bottom, [rows[number] for rows in contenders], most)
        top += len(contenders) * ROW + 60
    body.append(label(8, top - 18, f"Times as fast as {sets[0]['rows'][0]['title']}, one core. * no antialiasing"))
    height = top - 6
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            ' font-family="system-ui, sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            *body,
            "</svg>\n",
        ]
    )


def panel(left: int, top: int, bottom: int, rows: list[dict], most: float) -> list[str]:
    """Bars over a grid of whole ratios; what is not available has no bar."""
    scale = (PANEL - 34) / most
    out = []
    for whole in range(int(most) + 1):
        x = left + whole * scale
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{bottom}" stroke="{GRID}"/>')
        out.append(label(x, bottom + 14, str(whole), anchor="middle"))
    for place, row in enumerate(rows):
        y = top + place * ROW
        ratio = row.get("ratio")
        if ratio is None:
            out.append(label(left + 4, y + BAR - 2, "not available"))
            continue
        fill = OURS if row["title"].startswith("Headwater") else OTHERS
        out.append(f'<rect x="{left}" y="{y}" width="{ratio * scale:.1f}" height="{BAR}" fill="{fill}"/>')
        out.append(label(left + ratio * scale + 4, y + BAR - 2, f"{ratio:.2f}"))
    return out


def label(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" fill="{INK}"'
    return f"<text {place}>{escape(words)}</text>"
