"""Prints what the demo did: `demo_table.py SUMMARY.json METRICS...`."""

import json
import pathlib
import sys


def metric(text: str, name: str) -> float:
    """The value of a metric, of all its labels together."""
    values = [float(line.split()[-1]) for line in text.splitlines() if line.startswith((name + " ", name + "{"))]
    if not values:
        raise SystemExit(f"the server reports no {name}")
    return sum(values)


def size(count: float) -> str:
    """Bytes in decimal units, as disks and networks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError


def main() -> None:
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text())
    servers = [pathlib.Path(path).read_text() for path in sys.argv[2:]]
    read = sum(metric(text, "headwater_stored_read_bytes_total") for text in servers)
    sent = sum(metric(text, "headwater_network_out_bytes_total") for text in servers)
    rows = [
        ("images", f"{summary['images']:,} on {len(servers)} servers"),
        ("features/s", f"{summary['features_per_second']:,.0f}"),
        ("bytes read on the servers", size(read)),
        ("bytes over the wire", size(sent)),
        ("ratio", f"{read / sent:.1f} times fewer"),
        ("top-1 on photos not trained on", f"{summary['validation_top1']:.3f} ({summary['validated']} photos)"),
    ]
    width = max(len(name) for name, _ in rows)
    print()
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    print()


if __name__ == "__main__":
    main()
