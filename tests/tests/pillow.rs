//! The pixels are those that torchvision on Pillow gives, for the same box and flip.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::process::Command;

use headwater_testdata::python;
use headwater_tests::{Data, Hostile, ServerOptions, fetch};
use tempfile::TempDir;

/// torchvision's transforms on PIL images are `crop` and `resize(BILINEAR)` of Pillow; to-tensor and normalise are
/// undone. The means are over the whole set, in grey levels.
const COMPARE: &str = r"
import json, pathlib, sys
import numpy
from PIL import Image
folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
mean, std = (numpy.float32(v).reshape(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
total = count = worst = 0
for line in (out / 'samples.jsonl').read_text().splitlines():
    sample = json.loads(line)
    if sample['error']:
        continue
    try:
        photo = Image.open(folder / sample['key']).convert('RGB')
    except Exception as error:
        print('Pillow does not read', sample['key'], error, file=sys.stderr)
        continue
    assert photo.size == (sample['width'], sample['height']), sample
    x, y, w, h = sample['box']
    theirs = photo.crop((x, y, x + w, y + h)).resize((224, 224), Image.Resampling.BILINEAR)
    if sample['flip']:
        theirs = theirs.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    ours = (numpy.load(out / (str(sample['index']) + '.npy')) * std + mean) * 255
    difference = numpy.abs(ours - numpy.asarray(theirs, numpy.float32).transpose(2, 0, 1)).mean()
    total, count, worst = total + difference, count + 1, max(worst, difference)
    if difference > 0.5:
        print(sample['key'], difference, file=sys.stderr)
print(json.dumps({'mean': float(total / count), 'worst': float(worst), 'count': count}))
";

fn difference(folder: &std::path::Path) -> Option<(f64, f64, u64)> {
    let Some(python) = python() else {
        println!("no Python with Pillow: nothing to compare with");
        return None;
    };
    let server = ServerOptions::new(folder).start().unwrap();
    let out = TempDir::new().unwrap();
    let further = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "3", "--epoch", "1"];
    fetch(&[server.address()], out.path(), &further).unwrap();
    let output = Command::new(python).args(["-c", COMPARE]).arg(folder).arg(out.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    print!("{}", String::from_utf8_lossy(&output.stderr));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    Some((result["mean"].as_f64()?, result["worst"].as_f64()?, result["count"].as_u64()?))
}

#[test]
fn photos_are_within_half_a_grey_level() {
    let data = Data::photos().unwrap();
    let Some((mean, worst, count)) = difference(&data.photos) else { return };
    println!("mean {mean}, worst {worst}, over {count}");
    assert!(count > 100 && mean <= 0.5, "mean {mean} over {count}");
}

#[test]
fn awkward_files_are_within_half_a_grey_level() {
    let hostile = Hostile::new().unwrap();
    let Some((mean, worst, count)) = difference(&hostile.folder) else { return };
    println!("mean {mean}, worst {worst}, over {count}");
    assert!(count >= 18 && mean <= 0.5, "mean {mean} over {count}");
}
