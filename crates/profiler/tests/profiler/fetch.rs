//! `profiler fetch`.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use headwater_testdata::{Encoding, Picture, Texture};
use headwater_types::{Address, Draws, Framing, Recipe, Size};
use serde_json::{Value, json};

use crate::fake::{Fake, Holding, Photo, Script, Step, features, steps};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..width * height * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file.into_inner()
}

fn holding(class: &str, count: u32) -> Holding {
    let photo = |i| Photo { key: format!("{class}/{i}.png"), bytes: png(20 + 7 * i, 31) };
    Holding { photos: (0..count).map(photo).collect(), ..Holding::default() }
}

fn command(fakes: &[&Fake], out: &Path, further: &[&str]) -> Command {
    let servers: Vec<_> = fakes.iter().map(|fake| fake.address().to_string()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_profiler"));
    command.args(["fetch", "--servers", &servers.join(","), "--dataset", "photos", "--json", "--out"]).arg(out);
    command.args(further);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn fetch(fakes: &[&Fake], out: &Path, further: &[&str]) -> Output {
    command(fakes, out, further).output().unwrap()
}

fn summary(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn rows(out: &Path) -> Vec<Value> {
    let lines = std::fs::read_to_string(out.join("samples.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(out: &Path) -> BTreeSet<String> {
    std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn two_servers_give_one_folder_of_tensors_and_a_line_for_each() {
    let (a, b) = (Fake::honest(holding("ash", 3)), Fake::honest(holding("oak", 4)));
    let out = tempfile::tempdir().unwrap();
    let arguments = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "5", "--epoch", "2"];
    let summary = summary(&fetch(&[&a, &b], out.path(), &arguments));
    assert_eq!((&summary["samples"], &summary["failed"], &summary["failures"]), (&json!(7), &json!(0), &json!([])));
    assert!(summary["bytes_received"].as_u64().unwrap() > 7 * 224 * 224 * 3);

    let expected: BTreeSet<_> = (0..7).map(|i| format!("{i}.npy")).chain(["samples.jsonl".to_owned()]).collect();
    assert_eq!(names(out.path()), expected);
    let rows = rows(out.path());
    let keys: Vec<_> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["ash/0.png", "ash/1.png", "ash/2.png", "oak/0.png", "oak/1.png", "oak/2.png", "oak/3.png"]);
    for (index, row) in rows.iter().enumerate() {
        let key = row["key"].as_str().unwrap().parse().unwrap();
        let source = Size { width: row["width"].as_u64().unwrap() as u32, height: 31 };
        let draws = Draws { address: Address::new(5, 2), key: &key };
        let framing = Framing::new(Recipe::builtin("imagenet-train").unwrap().stages(), source, &draws);
        let crop = framing.readable;
        assert_eq!(row["index"], json!(index));
        assert_eq!(row["label"], json!(key.top_folder()));
        assert_eq!(row["box"], json!([crop.x, crop.y, crop.width, crop.height]));
        assert_eq!(row["flip"], json!(framing.flip));
        assert_eq!(row["error"], Value::Null);
    }
}

#[test]
fn every_cut_writes_the_same_files() {
    let fake = Fake::honest(holding("ash", 3));
    let read = |cut: &str| {
        let out = tempfile::tempdir().unwrap();
        summary(&fetch(&[&fake], out.path(), &["--recipe", "imagenet-train", "--cut", cut, "--seed", "9"]));
        names(out.path())
            .into_iter()
            .map(|name| (std::fs::read(out.path().join(&name)).unwrap(), name))
            .collect::<Vec<_>>()
    };
    let expected = read("normalized");
    assert_eq!(expected[0].0.len(), 128 + 3 * 224 * 224 * 4);
    for cut in ["encoded", "jpeg-crop", "decoded", "cropped", "flipped", "tensor"] {
        assert!(read(cut) == expected, "{cut}");
    }
}

#[test]
fn how_samples_travelled_is_said_where_it_is_asked_for_and_only_there() {
    let photo = |(i, bytes)| Photo { key: format!("ash/{i}"), bytes };
    let jpeg = Encoding::JPEG.encode(&Picture::of(Texture::Rings, 300, 200, 1)).unwrap();
    let photos = [png(40, 30), jpeg, b"no photo".to_vec()].into_iter().enumerate().map(photo).collect();
    let fake = Fake::honest(Holding { photos, ..Holding::default() });
    let read = |cut: &str, further: &[&str]| {
        let out = tempfile::tempdir().unwrap();
        let arguments = [&["--recipe", "imagenet-train", "--cut", cut, "--max-failures", "1"], further].concat();
        let summary = summary(&fetch(&[&fake], out.path(), &arguments));
        (rows(out.path()), summary)
    };
    let (silent, summary) = read("normalized", &[]);
    assert!(silent[0].get("wire_bytes").is_none() && summary.get("wire_bytes").is_none());

    let (crops, summary) = read("jpeg-crop", &["--wire-bytes"]);
    let cuts: Vec<_> = crops.iter().map(|row| row["wire_cut"].as_str().unwrap()).collect();
    assert_eq!(cuts, ["encoded", "jpeg-crop", "encoded"]);
    assert!(crops.iter().all(|row| row["coding"].is_null()));
    assert_eq!((&summary["wire"][0]["samples"], &summary["wire"][1]["cut"]), (&json!(2), &json!("jpeg-crop")));

    let (coded, summary) = read("tensor", &["--wire-bytes", "--pixels", "lossless"]);
    assert_eq!((&coded[1]["wire_cut"], &coded[1]["coding"]), (&json!("flipped"), &json!("lossless")));
    assert_eq!((&coded[2]["wire_cut"], &coded[2]["wire_bytes"]), (&Value::Null, &Value::Null), "it failed there");
    let sum: u64 = coded.iter().filter_map(|row| row["wire_bytes"].as_u64()).sum();
    assert_eq!((&summary["wire_bytes"], &summary["pixels"]), (&json!(sum), &json!("lossless")));

    let (floats, _) = read("tensor", &["--wire-bytes", "--wire-floats"]);
    assert_eq!((&floats[0]["wire_cut"], &floats[0]["wire_bytes"]), (&json!("tensor"), &json!(3 * 224 * 224 * 4)));
    let wrong =
        fetch(&[&fake], Path::new("unused"), &["--recipe", "imagenet-eval", "--cut", "tensor", "--pixels", "webp"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("raw or lossless"), "{wrong:?}");
}

#[test]
fn features_are_written_as_vectors_with_the_models_own_recipe() {
    let fake = Fake::honest(holding("ash", 2).with_model("net", b"file", "mobilenet-eval", 5));
    let out = tempfile::tempdir().unwrap();
    let summary = summary(&fetch(&[&fake], out.path(), &["--cut", "features", "--model", "net", "--indices", "1"]));
    assert_eq!((&summary["recipe"], &summary["samples"]), (&json!("mobilenet-eval"), &json!(1)));
    let file = std::fs::read(out.path().join("1.npy")).unwrap();
    assert!(String::from_utf8_lossy(&file).contains("'shape': (5,)"));
    let values: Vec<_> = file[128..].as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect();
    assert_eq!(values, features("ash/1.png", 5));
    assert_eq!(rows(out.path())[0]["flip"], json!(false));

    let without = fetch(&[&fake], out.path(), &["--cut", "features"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without.stderr).contains("--model"));
}

#[test]
fn a_broken_photo_is_a_line_and_not_the_end_and_its_old_array_goes() {
    let mut holding = holding("ash", 3);
    holding.photos[1].bytes = b"no photo".to_vec();
    let fake = Fake::honest(holding);
    for cut in ["encoded", "flipped"] {
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("1.npy"), "of an earlier run").unwrap();
        let arguments = ["--recipe", "imagenet-eval", "--cut", cut, "--max-failures", "34%"];
        let summary = summary(&fetch(&[&fake], out.path(), &arguments));
        let failures = json!([{ "kind": "unsupported-format", "count": 1, "keys": ["ash/1.png"] }]);
        assert_eq!((&summary["failures"], &summary["failed"]), (&failures, &json!(1)), "{cut}");
        assert!(!out.path().join("1.npy").exists());
        let row = &rows(out.path())[1];
        assert_eq!((&row["key"], &row["width"], &row["box"]), (&json!("ash/1.png"), &Value::Null, &Value::Null));
        assert_eq!(row["error"]["kind"], "unsupported-format");
        assert!(!row["error"]["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn too_many_failures_have_an_exit_code_of_their_own_and_what_came_is_kept() {
    let out = tempfile::tempdir().unwrap();
    let mut all_broken = holding("ash", 2);
    all_broken.photos.iter_mut().for_each(|photo| photo.bytes = b"no photo".to_vec());
    let broken = Fake::honest(all_broken);
    let failed = fetch(&[&broken], out.path(), &["--recipe", "imagenet-eval", "--cut", "encoded"]);
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    let said = String::from_utf8_lossy(&failed.stderr);
    for words in ["2 of 2 samples failed", "--max-failures 10%", "2 unsupported-format (ash/0.png, ash/1.png)"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let first = failed.stdout.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(first).unwrap()["failed"], json!(2));
    assert_eq!(rows(out.path()).len(), 2);

    let outside = fetch(&[&broken], out.path(), &["--recipe", "imagenet-eval", "--cut", "encoded", "--indices", "0-2"]);
    assert_eq!(outside.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&outside.stderr).contains("no sample 2"), "{outside:?}");

    let usage = fetch(&[&broken], out.path(), &["--recipe", "imagenet-eval", "--cut", "jpeg"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&usage.stderr).contains("normalized"));
}

#[test]
fn an_interrupt_ends_it_soon_and_leaves_only_whole_files() {
    let script: Script = Arc::new(|holding, _, fetch| {
        let mut all = holding.honest(fetch, 1);
        all.truncate(1);
        all.push(Step::Hang);
        steps(all)
    });
    let fake = Fake::start(holding("ash", 8), script);
    let out = tempfile::tempdir().unwrap();
    let arguments = ["--recipe", "imagenet-eval", "--cut", "encoded", "--streams", "1"];
    let child = command(&[&fake], out.path(), &arguments).spawn().unwrap();
    let (deadline, waiting) = std::sync::mpsc::channel::<()>();
    while !out.path().join("0.npy").exists() {
        let _ = waiting.recv_timeout(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(deadline);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(names(out.path()), BTreeSet::from(["0.npy".to_owned(), "samples.jsonl".to_owned()]));
    assert_eq!(rows(out.path()).len(), 1);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("1 of 8 samples are kept in"), "{said}");
    let first = output.stdout.split(|byte| *byte == b'\n').next().unwrap();
    let summary: Value = serde_json::from_slice(first).unwrap();
    assert_eq!((&summary["samples"], &summary["missing"]), (&json!(1), &json!(7)));
}

#[test]
fn people_are_given_a_table_and_a_folder_that_takes_nothing_is_refused_before_any_server_is_asked() {
    let fake = Fake::honest(holding("ash", 3));
    let out = tempfile::tempdir().unwrap();
    let table = |out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_profiler"));
        let address = fake.address().to_string();
        command.args(["fetch", "--servers", &address, "--dataset", "photos", "--recipe", "imagenet-eval", "--cut"]);
        command.args(["cropped", "--out"]).arg(out).stdin(Stdio::null()).output().unwrap()
    };
    let fetched = table(out.path());
    let said = String::from_utf8_lossy(&fetched.stdout);
    assert!(
        fetched.status.success() && said.contains("samples        3 of 3") && said.contains("failed         none"),
        "{said}"
    );
    let file = out.path().join("0.npy");
    let refused = table(&file);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains(&format!("--out {} is a file: give it a folder", file.display())), "{said}");
}
