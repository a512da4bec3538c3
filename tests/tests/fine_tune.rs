//! The main job: photos on two servers become features, and features become a trained head.

use headwater_testdata::python;
use headwater_tests::{Data, ServerOptions, run};

#[test]
fn a_head_is_trained_over_two_servers_and_runs_in_onnx_runtime() {
    let data = Data::photos().unwrap();
    let start = |part: &str| {
        ServerOptions::new(&data.photos)
            .arg("--partition")
            .arg(part)
            .model("model", &data.model, &data.recipe)
            .start()
            .unwrap()
    };
    let (one, two) = (start("1/2"), start("2/2"));
    let servers = format!("{},{}", one.address(), two.address());
    let file = |name: &str| data.scratch.path().join(name).display().to_string();
    let (head, joined, model) = (file("head.onnx"), file("joined.onnx"), data.model.display().to_string());
    let summary = run(
        "tuner",
        [
            "fine-tune",
            "--servers",
            &servers,
            "--dataset",
            "photos",
            "--model",
            "model",
            "--runs",
            "3",
            "--validation-fraction",
            "0.2",
            "--seed",
            "1",
            "--out",
            &head,
            "--join",
            &model,
            "--joined-out",
            &joined,
            "--json",
        ],
    )
    .unwrap()
    .success()
    .unwrap()
    .json()
    .unwrap();
    assert_eq!(summary["runs"].as_array().map(Vec::len), Some(3), "{summary}");
    let top1 = summary["validation_top1"].as_f64().unwrap();
    assert!(top1 > 0.75, "{summary}");
    assert!(summary["trained"].as_u64().unwrap() > 100, "{summary}");

    let Some(python) = python() else {
        println!("no Python with ONNX Runtime: the head is not run");
        return;
    };
    let script = "
import sys, numpy, onnxruntime
joined, head, extractor = (onnxruntime.InferenceSession(f, providers=['CPUExecutionProvider']) for f in sys.argv[1:4])
shape = [2 if not isinstance(d, int) else d for d in extractor.get_inputs()[0].shape]
x = numpy.random.default_rng(1).standard_normal(shape).astype(numpy.float32)
names = [o.name for o in extractor.get_outputs()]
features = extractor.run(['features'] if 'features' in names else [names[0]], {extractor.get_inputs()[0].name: x})[0]
a = head.run(['probs'], {'features': features.reshape(len(features), -1)})[0]
b = joined.run(['probs'], {joined.get_inputs()[0].name: x})[0]
assert abs(a - b).max() < 1e-4, abs(a - b).max()
assert abs(a.sum(1) - 1).max() < 1e-4
print('equal')
";
    let output = std::process::Command::new(python).args(["-c", script, &joined, &head, &model]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_dataset_without_labels_is_an_error_that_says_so() {
    let data = Data::photos().unwrap();
    let flat = data.scratch.path().join("flat");
    std::fs::create_dir(&flat).unwrap();
    let class = std::fs::read_dir(&data.photos).unwrap().next().unwrap().unwrap().path();
    for (number, entry) in std::fs::read_dir(class).unwrap().take(5).enumerate() {
        std::fs::copy(entry.unwrap().path(), flat.join(format!("{number}.jpg"))).unwrap();
    }
    let server = ServerOptions::new(&flat)
        .arg("--max-batch")
        .arg("1")
        .model("model", &data.model, &data.recipe)
        .start()
        .unwrap();
    let head = data.scratch.path().join("head.onnx");
    let arguments = [
        "fine-tune",
        "--servers",
        &server.address(),
        "--dataset",
        "photos",
        "--model",
        "model",
        "--out",
        head.to_str().unwrap(),
    ];
    let run = run("tuner", arguments).unwrap();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("label"), "{}", run.stderr);
    assert!(!head.exists());
}
