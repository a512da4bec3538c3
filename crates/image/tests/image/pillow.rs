//! Pillow is the oracle of which files decode, to which pixels, and how they are resized.
//!
//! Needs a Python with Pillow: `HEADWATER_PYTHON`, or the repository's `.venv`. Without one the test says so and
//! passes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use headwater_image::{Payload, Scratch, advance, decode};
use headwater_types::recipe::{DecodeMode, Geometry, Interpolation, Orientation, Steps};
use headwater_types::{Address, Cut, Draws, Framing, ImageLimits, Recipe, SampleKey};
use serde_json::{Value, json};

use crate::data;
use crate::support::{Jpeg, JpegKind, Picture, bicubic, png_of};

pub(crate) fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    let python = std::env::var_os("HEADWATER_PYTHON").map_or(own, PathBuf::from);
    let check = Command::new(&python).args(["-c", "import PIL"]).stderr(Stdio::null()).status();
    check.is_ok_and(|status| status.success()).then_some(python)
}

/// The built-in recipes that decode exactly, and some that enlarge, come down to a pixel, or take a box between pixels;
/// each with both filters.
fn recipes() -> Vec<Recipe> {
    let own = |(index, geometry): (usize, &str)| {
        let text = format!("name='own-{index}'\n[[stage]]\nop='decode'\n{geometry}\n[[stage]]\nop='to-tensor'\n");
        Recipe::from_toml(&text).unwrap()
    };
    let geometries = [
        "[[stage]]\nop='resize'\nsize=256\n[[stage]]\nop='center-crop'\nsize=224\nexact='two-step'",
        "[[stage]]\nop='resize'\nsize=77\n[[stage]]\nop='center-crop'\nsize=[31, 77]\nexact='two-step'",
        "[[stage]]\nop='resize'\nsize=[401, 1]",
        "[[stage]]\nop='resize'\nsize=[1, 403]",
        "[[stage]]\nop='resize'\nsize=[61, 1900]",
        "[[stage]]\nop='center-crop'\nfraction=0.371\n[[stage]]\nop='resize'\nsize=[97, 301]",
        "[[stage]]\nop='random-resized-crop'\nsize=[160, 9]\nscale=[0.0001, 0.3]",
    ];
    let builtin = Recipe::builtin_names().filter_map(Recipe::builtin);
    let bilinear: Vec<Recipe> = builtin
        .filter(|recipe| recipe.stages().decode == DecodeMode::Exact)
        .chain(geometries.into_iter().enumerate().map(own))
        .collect();
    bilinear.iter().cloned().chain(bilinear.iter().map(bicubic)).collect()
}

/// Decodes and crops a file into files beside it, and says where they are.
fn job(path: &Path, index: usize, recipes: &[Recipe], folder: &Path, scratch: &mut Scratch) -> Value {
    let bytes = std::fs::read(path).unwrap();
    let limits = ImageLimits::default();
    let rgb = match decode(&bytes, Orientation::Stored, &limits, scratch) {
        Ok(rgb) => rgb,
        Err(error) => return json!({"path": path, "decoded": null, "size": null, "ours": error.to_string()}),
    };
    let size = rgb.size();
    let decoded = folder.join(format!("{index}.rgb"));
    std::fs::write(&decoded, rgb.pixels()).unwrap();
    let key: SampleKey = "a".parse().unwrap();
    let draws = Draws { address: Address::new(index as u64, 0), key: &key };
    let resizes: Vec<Value> = recipes
        .iter()
        .enumerate()
        .map(|(number, recipe)| {
            let photo = Payload::Decoded(rgb.clone());
            let cropped = advance(recipe, photo, Cut::Cropped, &draws, &limits, scratch).unwrap();
            let file = folder.join(format!("{index}.{number}.rgb"));
            std::fs::write(&file, cropped.into_bytes()).unwrap();
            let Framing { readable, region, output, interpolation, .. } = Framing::new(recipe.stages(), size, &draws);
            let (shorter, two_steps) = match recipe.stages().geometry {
                Geometry::ResizeThenCenterCrop { shorter, steps, .. } => (shorter, steps == Steps::Two),
                _ => (0, false),
            };
            let cuts = matches!(recipe.stages().geometry, Geometry::RandomResizedCrop { .. });
            let corners = [readable.x, readable.y, readable.x + readable.width, readable.y + readable.height];
            let (x, y) = if cuts { (0.0, 0.0) } else { (region.x, region.y) };
            let right = (x + region.width).min(size.width.into());
            let bottom = (y + region.height).min(size.height.into());
            json!({
                "crop": cuts.then_some(corners),
                "size": [output.width, output.height], "box": [x, y, right, bottom], "file": file,
                "two_steps": two_steps.then_some(shorter),
                "filter": match interpolation {
                    Interpolation::Bilinear => "BILINEAR",
                    Interpolation::Bicubic => "BICUBIC",
                },
            })
        })
        .collect();
    json!({"path": path, "decoded": decoded, "size": [size.width, size.height], "resizes": resizes, "ours": null})
}

fn ask_pillow(python: &Path, jobs: &[Value]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/image/pillow.py");
    let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    output.stdout.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Pictures of the kinds that the corpus may lack.
fn generated(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        files.push(path);
    };
    let picture = Picture::new(67, 45, 5);
    for (name, kind) in [("colour", JpegKind::Color), ("grey", JpegKind::Grey), ("cmyk", JpegKind::Cmyk)] {
        for progressive in [false, true] {
            let jpeg = Jpeg { kind, progressive, ..Jpeg::PLAIN };
            put(&format!("{name}-{progressive}.jpg"), &jpeg.encode(&picture));
        }
    }
    put("rgb.webp", &picture.webp());
    for (width, height) in [(1, 1), (1, 37), (41, 1), (2, 3), (700, 2)] {
        put(&format!("{width}x{height}.png"), &Picture::new(width, height, 7).png());
    }
    use png::{BitDepth, ColorType};
    for (color, samples) in
        [(ColorType::Grayscale, 1), (ColorType::GrayscaleAlpha, 2), (ColorType::Rgb, 3), (ColorType::Rgba, 4)]
    {
        put(&format!("{color:?}-8.png"), &png_of(67, 45, color, BitDepth::Eight, &picture.bytes(samples), None));
        put(&format!("{color:?}-16.png"), &png_of(67, 45, color, BitDepth::Sixteen, &picture.bytes(samples * 2), None));
    }
    let palette: Vec<u8> = (0..=255).flat_map(|v: u8| [v, v.wrapping_mul(3), 255 - v]).collect();
    for (depth, bits) in [(BitDepth::One, 1_usize), (BitDepth::Two, 2), (BitDepth::Four, 4), (BitDepth::Eight, 8)] {
        let rows = Picture::new((67 * bits).div_ceil(8), 45, 5).bytes(1);
        let colors = &palette[..3 << bits];
        put(&format!("palette-{bits}.png"), &png_of(67, 45, ColorType::Indexed, depth, &rows, Some(colors)));
        put(&format!("grey-{bits}.png"), &png_of(67, 45, ColorType::Grayscale, depth, &rows, None));
    }
    files
}

/// Pictures that Pillow writes, or that a script writes for it to read.
fn written(python: &Path, folder: &Path) -> Vec<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/image/pillow_files.py");
    std::fs::create_dir(folder).unwrap();
    assert!(Command::new(python).arg(script).arg(folder).status().unwrap().success());
    files_of(folder)
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// Pillow's names of the formats that are decoded here.
const FORMATS: [&str; 9] = ["JPEG", "MPO", "PNG", "WEBP", "PPM", "BMP", "DIB", "GIF", "TIFF"];

/// Files of the corpus that only one of Headwater and Pillow decodes, and why that is right.
const DISAGREE: [(&str, &str); 7] = [
    ("image-png__bugfixes_cicp_pq.png", "Pillow gives up at a chunk beside the pixels; the pixels are sound"),
    ("image-png__bugfixes_issue_430.png", "the same"),
    ("image-rs__images_tiff_testsuite_ycbcr_lzw_broken.tif", "refused by name: YCbCr in a TIFF, and not in a JPEG"),
    ("image-rs__images_tiff_testsuite_ycbcr_lzw_bt709.tif", "the same"),
    (
        "jpeg-decoder__in_id_000831_sync_jpeg9_src_000903.jpg",
        "its pixels are whole; what stands behind them is broken off, and not looked at here",
    ),
    ("jpeg-decoder__in_id_000903_src_000177_op_havoc_rep_2.jpg", "the same"),
    (
        "jpeg-decoder__crashtest_images_imagetestsuite_7997b6b229f25315d33f5c7085e37500.jpg",
        "without an end marker, and with a bad one amid its data: from libjpeg's warnings it looks truncated",
    ),
];

#[test]
fn pixels_and_resizes_are_pillows() {
    let Some(python) = python() else {
        println!("no Python with Pillow (HEADWATER_PYTHON or .venv): not compared");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut files = generated(folder.path());
    files.extend(written(&python, &folder.path().join("written")));
    files.extend(data::files("corpus", 1));
    files.extend(data::files("photos", 23));
    let outcome = compare(&python, &files, &recipes(), folder.path());
    println!("{} pictures compared, at most {} levels off on average", outcome.compared, outcome.worst);
    assert!(outcome.disagreements.is_empty(), "{}", outcome.disagreements.join("\n"));
    assert!(outcome.worst <= 0.5);
    assert!(outcome.compared >= 24);
}

/// Pillow's own test images, `Tests/images` of its source distribution, where `HEADWATER_PILLOW_IMAGES` names their
/// folder. What only one of the two decodes is printed, and so is how far off the rest is.
#[test]
fn pillows_own_images_are_decoded_to_its_pixels() {
    let (Some(python), Some(images)) = (python(), std::env::var_os("HEADWATER_PILLOW_IMAGES")) else {
        println!("HEADWATER_PILLOW_IMAGES names no folder: not compared");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut files = files_of(Path::new(&images));
    for entry in Path::new(&images).read_dir().unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()) {
        let inside = entry.unwrap().path();
        files.extend(files_of(&inside));
        let deeper = inside.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        deeper.for_each(|path| files.extend(files_of(&path)));
    }
    let outcome = compare(&python, &files, &[], folder.path());
    let Outcome { compared, worst, off, disagreements } = outcome;
    println!("{}\n{} files, {compared} compared, {off} off, worst {worst}", disagreements.join("\n"), files.len());
    assert!(off == 0 && compared > 480, "{compared} compared, {off} off");
}

/// How files came out here and with Pillow.
#[derive(Default)]
struct Outcome {
    compared: usize,
    /// Pictures that are more than half a level off on average.
    off: usize,
    worst: f64,
    /// Files that only one of the two decodes, and resizes that differ.
    disagreements: Vec<String>,
}

fn compare(python: &Path, files: &[PathBuf], recipes: &[Recipe], folder: &Path) -> Outcome {
    let mut scratch = Scratch::new();
    let jobs: Vec<Value> =
        files.iter().enumerate().map(|(index, path)| job(path, index, recipes, folder, &mut scratch)).collect();
    let answers = ask_pillow(python, &jobs);
    assert_eq!(answers.len(), jobs.len());
    let mut outcome = Outcome::default();
    for (job, answer) in jobs.iter().zip(&answers) {
        let path = job["path"].as_str().unwrap();
        let theirs = answer["error"].is_null() && FORMATS.contains(&answer["format"].as_str().unwrap());
        let ours = job["ours"].is_null();
        if ours != theirs {
            let name = Path::new(path).file_name().unwrap().to_str().unwrap();
            if !DISAGREE.iter().any(|(known, _)| *known == name) {
                outcome
                    .disagreements
                    .push(format!("{path}: ours {}, theirs {} {}", job["ours"], answer["format"], answer["error"]));
            }
            continue;
        }
        if !ours {
            continue;
        }
        assert_eq!(job["size"], answer["size"], "{path}");
        let mean = answer["decoded"][0].as_f64().unwrap();
        if mean > 0.01 {
            println!("{path}: {} levels off", answer["decoded"]);
        }
        let exact = answer["resized"].as_array().unwrap().iter().all(|resized| resized[1].as_f64() == Some(0.0));
        if !exact {
            outcome.disagreements.push(format!("{path} {}: resized {}", job["size"], answer["resized"]));
        }
        outcome.worst = outcome.worst.max(mean);
        outcome.off += usize::from(mean > 0.5);
        outcome.compared += 1;
    }
    outcome
}
