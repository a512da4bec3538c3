//! What a person sees of a server: the page of the metrics port, and the status that it asks for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

use std::fs;
use std::path::Path;

use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{Server, ServerOptions, fetch, get, get_json, get_with, run};
use serde_json::Value;
use tempfile::TempDir;

/// A name that is a tag, and is to stay a name.
const HOSTILE: &str = "<img src=x onerror=alert(1)>.jpg";

fn photos(folder: &Path) {
    PhotoSet { classes: 2, per_class: 8, ..PhotoSet::default() }.write(folder).unwrap();
}

fn status(server: &Server) -> Value {
    get_json(&server.metrics_address().unwrap(), "/status.json").unwrap()
}

/// The element of a list that has this text in this field.
fn with<'a>(list: &'a Value, field: &str, text: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|each| each[field] == text);
    found.unwrap_or_else(|| panic!("no {field} {text} in {list:#}"))
}

#[test]
fn the_status_tells_of_cuts_stages_cache_failures_and_models() {
    let folder = TempDir::new().unwrap();
    let (data, model, recipe) =
        (folder.path().join("photos"), folder.path().join("m.onnx"), folder.path().join("m.toml"));
    photos(&data);
    fs::write(data.join("checker").join(HOSTILE), "no photo").unwrap();
    fs::write(&model, Extractor::onnx(1)).unwrap();
    fs::write(&recipe, Extractor::RECIPE).unwrap();
    let options = ServerOptions::new(&data).metrics().arg("--state").arg(folder.path().join("state"));
    let options = options.args(["--max-connections", "7"]).model("m", &model, recipe.to_str().unwrap());
    let server = options.start().unwrap();
    let out = folder.path().join("out");
    for (cut, further) in [
        ("features", &["--model", "m"][..]),
        ("decoded", &["--recipe", "imagenet-eval"]),
        ("decoded", &["--recipe", "imagenet-eval"]),
    ] {
        fetch(&[server.address()], &out, &[&["--cut", cut][..], further].concat()).unwrap();
    }
    let now = status(&server);
    assert_eq!(
        (&now["ready"], &now["phase"], &now["serving"]),
        (&true.into(), &"ready".into(), &server.address().into())
    );
    let dataset = with(&now["datasets"], "dataset", "photos");
    assert_eq!((&dataset["standing"], &dataset["partition"]), (&"serving".into(), &"1/1".into()));
    assert_eq!(with(&dataset["delivered"], "cut", "features")["samples"], 16);
    assert_eq!(with(&dataset["delivered"], "cut", "decoded")["samples"], 32);
    for stage in ["fetch", "decode", "infer", "send"] {
        let stage = with(&now["stages"], "stage", stage);
        assert!(stage["samples"].as_u64() >= Some(16) && stage["seconds"].as_f64() > Some(0.0), "{stage}");
    }
    let held: u64 =
        now["cache"]["tiers"].as_array().unwrap().iter().map(|tier| tier["entries"].as_u64().unwrap()).sum();
    assert!(held >= 16, "{}", now["cache"]);
    let last = &now["failures"]["last"];
    assert_eq!(last.as_array().unwrap().len(), 1, "{last}");
    let key = format!("checker/{HOSTILE}");
    assert_eq!((&last[0]["key"], &last[0]["times"]), (&key.as_str().into(), &3.into()));
    let kind = last[0]["kind"].as_str().unwrap();
    assert_eq!(with(&now["failures"]["kinds"], "kind", kind)["samples"], 3);
    assert_eq!(with(&now["models"], "model", "m")["done"], 16);
    assert_eq!((&now["connections"]["limit"], &now["connections"]["streams"]), (&7.into(), &0.into()));
    assert!(now["memory"]["limit_bytes"].as_u64() > now["memory"]["used_bytes"].as_u64());

    // The page has no word of it, and a policy that lets nothing else in.
    let address = server.metrics_address().unwrap();
    let page = get(&address, "/").unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("content-type: text/html"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'; script-src 'nonce-"), "{page}");
    assert!(!page.contains("onerror") && !page.contains("unsafe-inline") && !page.contains("NONCE"), "{page}");
    let json = get(&address, "/status.json").unwrap();
    assert!(json.contains("content-type: application/json") && json.contains("cache-control: no-store"), "{json}");
}

#[test]
fn the_last_failures_and_every_list_end() {
    let folder = TempDir::new().unwrap();
    for number in 0..150 {
        fs::write(folder.path().join(format!("{number}.jpg")), "no photo").unwrap();
    }
    let server = ServerOptions::new(folder.path()).metrics().arg("--no-cache").start().unwrap();
    let out = TempDir::new().unwrap();
    fetch(&[server.address()], out.path(), &["--cut", "decoded", "--recipe", "imagenet-eval"]).unwrap();
    let now = status(&server);
    assert_eq!(now["failures"]["last"].as_array().unwrap().len(), 100);
    let kinds = now["failures"]["kinds"].as_array().unwrap();
    assert_eq!(kinds.iter().map(|kind| kind["samples"].as_u64().unwrap()).sum::<u64>(), 150);
    assert_eq!(now["cache"], Value::Null);
}

#[test]
fn a_token_shows_its_own_datasets_alone_and_the_page_asks_for_one() {
    let folder = TempDir::new().unwrap();
    let specs: Vec<_> = ["photos", "cars"]
        .map(|name| {
            let data = folder.path().join(name);
            photos(&data);
            fs::write(data.join("checker").join(format!("broken-{name}.jpg")), "no photo").unwrap();
            format!("{name}={}", data.display())
        })
        .into();
    let token = |holder: &str, further: &[&str]| {
        let made = ["token", "--holder", holder, "--role", "read", "--json"];
        let made = run("storage-server", [&made[..], further].concat()).unwrap().success().unwrap().json().unwrap();
        ["token", "line"].map(|name| made[name].as_str().unwrap().to_owned())
    };
    let ([all, one], [guest, other]) = (token("all", &[]), token("guest", &["--datasets", "cars"]));
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, format!("{one}\n{other}\n")).unwrap();
    let file = folder.path().join("all.token");
    fs::write(&file, &all).unwrap();
    let options = ServerOptions::several(&specs).metrics().args(["--insecure", "--no-cache", "--tokens"]).arg(&tokens);
    let server = options.start().unwrap();
    for dataset in ["photos", "cars"] {
        let out = folder.path().join("out").join(dataset);
        let given = ["fetch", "--servers", &server.address(), "--dataset", dataset, "--token-file"].map(str::to_owned);
        let what = ["--cut", "decoded", "--recipe", "imagenet-eval", "--max-failures", "100%", "--out"];
        let words = given.into_iter().chain([file.display().to_string()]).chain(what.map(str::to_owned));
        run("profiler", words.chain([out.display().to_string()])).unwrap().success().unwrap();
    }
    let address = server.metrics_address().unwrap();
    let asked = |token: &str| get_with(&address, "/status.json", &[&format!("Authorization: Bearer {token}")]).unwrap();
    assert!(get(&address, "/").unwrap().starts_with("HTTP/1.1 200"));
    for path in ["/status.json", "/metrics"] {
        assert!(get(&address, path).unwrap().starts_with("HTTP/1.1 401"), "{path}");
    }
    assert!(asked("hw-0123456789abcdef0123456789abcdef").starts_with("HTTP/1.1 401"));
    let (sees_all, sees_one) = (asked(&all), asked(&guest));
    assert!(sees_all.contains("broken-photos.jpg") && sees_all.contains("broken-cars.jpg"), "{sees_all}");
    assert!(sees_one.contains("broken-cars.jpg") && !sees_one.contains("photos"), "{sees_one}");
}
