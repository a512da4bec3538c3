"""Our own JPEG decoder against libjpeg-turbo from the same build: CPU time of one core, taking turns on each photo,
medians."""

import argparse
import json
import pathlib
import subprocess

STEPS = {"coefficients": "coefficients", "pixels": "whole photo", "crop": "imagenet-train sample"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bench", "--photos"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    command = [args.bench, args.photos, args.count, args.rounds]
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        result = {"set": args.photos.name, **json.loads(line)}
        if args.json:
            print(json.dumps(result))
            continue
        if not result["photos"]:
            raise SystemExit(f"no JPEG below {args.photos} can be indexed: name a folder of photos")
        kilobytes = result["bytes"] / result["photos"] / 1000
        print(f"{result['set']}, {result['form']}: {result['photos']} photos of {kilobytes:.0f} kB")
        for step, words in STEPS.items():
            own, turbo = (result[step][who] / result["photos"] * 1e6 for who in ("own", "libjpeg_turbo"))
            print(
                f"  {words:22} {own:7.0f} us, libjpeg-turbo {turbo:7.0f} us: {result[step]['ratio']:.2f} times as fast"
            )


if __name__ == "__main__":
    main()
