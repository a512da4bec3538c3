//! A device that was asked for is the device that runs, or nothing starts: at a server and at the tuner, within
//! seconds, with what is missing on the machine.

use std::time::{Duration, Instant};

use headwater_tests::{Data, Run, Server, ServerOptions, run};

/// Every form of a device that is an accelerator, and which of them an error names.
const FORMS: [(&str, &str); 6] = [
    ("cuda", "cuda"),
    ("cuda:0", "cuda"),
    ("cuda:7", "cuda:7"),
    ("cuda:0,cuda:1", "cuda"),
    ("tensorrt", "tensorrt"),
    ("tensorrt:1", "tensorrt:1"),
];

/// Longer than a machine under load takes to say that there is no such device.
const SECONDS: Duration = Duration::from_secs(60);

/// The forms; none where there may be such a device, which is another test's matter.
fn forms() -> &'static [(&'static str, &'static str)] {
    if std::path::Path::new("/proc/driver/nvidia/version").exists() {
        println!("this machine has an NVIDIA driver: nothing is tried");
        return &[];
    }
    &FORMS
}

/// What a program said that could not have its device.
fn without(device: &str, named: &str, start: impl FnOnce() -> Run) {
    let began = Instant::now();
    let said = start();
    assert_eq!(said.code, Some(1), "{device}: {}", said.stderr);
    assert!(began.elapsed() < SECONDS, "{device}: {:?}", began.elapsed());
    for words in [&format!("cannot run on {named}: "), "missing here: no NVIDIA driver", "pip install onnxruntime-gpu"]
    {
        assert!(said.stderr.contains(words), "{device}, {words}: {}", said.stderr);
    }
}

#[test]
fn a_server_does_not_start_without_its_device() {
    let data = Data::photos().unwrap();
    let model = format!("m={},recipe={}", data.model.display(), data.recipe);
    let photos = data.photos.display().to_string();
    let serve = ["serve", "--data", &photos, "--dataset", "d", "--listen", "127.0.0.1:0", "--model", &model];
    for (device, named) in forms() {
        without(device, named, || run("storage-server", serve.into_iter().chain(["--device", *device])).unwrap());
    }
}

#[test]
fn a_tuner_extracts_nothing_without_its_device() {
    let data = Data::photos().unwrap();
    let server: Server = ServerOptions::new(&data.photos).model("m", &data.model, &data.recipe).start().unwrap();
    let (address, out) = (server.address(), data.scratch.path().join("out").display().to_string());
    let extractor = data.model.display().to_string();
    let servers = ["--servers", &address, "--dataset", "photos", "--model", "m", "--out", &out];
    let here = ["--plan", "auto", "--extractor", &extractor, "--device"];
    for (device, named) in forms() {
        for command in ["extract", "fine-tune"] {
            let line = [command].into_iter().chain(servers).chain(here).chain([*device]);
            without(device, named, || run("tuner", line).unwrap());
        }
    }
    assert!(!data.scratch.path().join("out").exists(), "nothing was extracted");
    let (profile, device) = (data.scratch.path().join("p.parquet").display().to_string(), forms().first());
    let here = ["dataset", "--servers", &address, "--dataset", "photos", "--model", "m", "--extractor", &extractor];
    if let Some((device, named)) = device {
        without(device, named, || {
            run("profiler", here.iter().chain(&["--out", &profile, "--device", device])).unwrap()
        });
    }
}

#[test]
fn devices_that_do_not_go_together_are_refused_with_the_fix() {
    let data = Data::photos().unwrap();
    let model = format!("m={},recipe={}", data.model.display(), data.recipe);
    let photos = data.photos.display().to_string();
    let serve = ["storage-server", "serve", "--data", &photos, "--dataset", "d", "--model", &model];
    let tuner = ["tuner", "extract", "--servers", "a:1", "--dataset", "d", "--model", "m", "--out", "o"];
    let here = ["--plan", "auto", "--extractor", "m.onnx"];
    let tuner_here = [&tuner[..], &here].concat();
    let profiler =
        ["profiler", "dataset", "--servers", "a:1", "--dataset", "d", "--out", "p", "--recipe", "imagenet-eval"];
    for (line, further, words) in [
        (&serve[..], &["--device", "cpu,cuda"][..], "cpu and cuda do not go together"),
        (&serve, &["--device", "cuda,tensorrt:1"], "cuda and tensorrt:1 do not go together"),
        (&serve, &["--device", "cuda,cuda:0"], "cuda is named twice"),
        (&serve, &["--device", "cuda:x"], "there is no device \"cuda:x\": use cpu, cuda, cuda:N"),
        (&serve, &["--device", "gpu"], "there is no device \"gpu\""),
        (&serve, &["--precision", "fp16"], "is of --device tensorrt: on cpu"),
        (&serve, &["--device", "cuda", "--precision", "fp16"], "exported in float16"),
        (&serve, &["--device", "tensorrt", "--precision", "int8"], "there is no precision \"int8\": use fp32 or fp16"),
        (&tuner_here, &["--device", "cpu,cuda"], "cpu and cuda do not go together"),
        (&tuner_here, &["--device", "cuda", "--precision", "fp16"], "exported in float16"),
        (&tuner, &["--device", "cuda"], "give --extractor FILE.onnx"),
        (&profiler, &["--device", "cuda"], "give --model and --extractor"),
    ] {
        let said = run(line[0], line[1..].iter().chain(further)).unwrap();
        assert_eq!(said.code, Some(2), "{further:?}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{further:?}: {}", said.stderr);
    }
}
