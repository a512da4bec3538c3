//! Photos, an extractor, and a head that was trained on its features; and what is asked of servers that have them.

use std::path::{Path, PathBuf};

use headwater_tests::{Data, Run, ServerOptions, run};
use serde_json::Value;
use tempfile::TempDir;

/// Photos with an extractor, and a head that was trained on its features.
pub(crate) struct Trained {
    pub(crate) data: Data,
    pub(crate) head: PathBuf,
    pub(crate) joined: PathBuf,
    pub(crate) state: TempDir,
}

// === impl Trained ===

impl Trained {
    pub(crate) fn new() -> Self {
        let (data, state) = (Data::photos().unwrap(), TempDir::new().unwrap());
        let at = |name: &str| data.scratch.path().join(name);
        let (head, joined, model) = (at("head.onnx"), at("joined.onnx"), data.model.display().to_string());
        let server = ServerOptions::new(&data.photos).model("model", &data.model, &data.recipe).start().unwrap();
        let (head_file, joined_file) = (head.display().to_string(), joined.display().to_string());
        let servers = server.address();
        let fixed = ["--dataset", "photos", "--model", "model", "--runs", "1", "--seed", "1"];
        let files = ["--out", &head_file, "--join", &model, "--joined-out", &joined_file];
        let arguments = [&["fine-tune", "--servers", &servers][..], &fixed, &files].concat();
        run("tuner", arguments).unwrap().success().unwrap();
        Self { data, head, joined, state }
    }

    /// A server of these photos, or of a part of them, with the extractor, the head, and both joined.
    pub(crate) fn serve(&self, photos: &Path, part: &str) -> ServerOptions {
        self.serve_in(&part.replace('/', "-"), photos, part)
    }

    /// The same, with this folder for what it keeps.
    pub(crate) fn serve_in(&self, state: &str, photos: &Path, part: &str) -> ServerOptions {
        let state = self.state.path().join(state);
        let server = ServerOptions::new(photos).arg("--state").arg(state).arg("--partition").arg(part);
        let joined = format!("joined={},recipe={}", self.joined.display(), self.data.recipe);
        let server = server.model("model", &self.data.model, &self.data.recipe);
        let server = server.arg("--model").arg(format!("{joined},output=probs"));
        server.arg("--head").arg(format!("head={}", self.head.display())).arg("--max-batch").arg("4")
    }

    pub(crate) fn photos(&self) -> u64 {
        count(&self.data.photos)
    }
}

fn count(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
}

pub(crate) fn relabel(servers: &str, model: &str, further: &[&str]) -> Run {
    let fixed = ["relabel", "--servers", servers, "--dataset", "photos", "--model", model, "--json"];
    run("tuner", [&fixed[..], further].concat()).unwrap()
}

pub(crate) fn done(run: Run) -> Value {
    run.success().unwrap().json().unwrap()
}

pub(crate) fn ask(servers: &str, further: &[&str]) -> Run {
    run("tuner", [&["labels", "--servers", servers, "--dataset", "photos", "--json"][..], further].concat()).unwrap()
}

/// The labels of all photos: key, label and score of the best class.
pub(crate) fn all(servers: &str, model: &str) -> Vec<(String, String, f64)> {
    let answer = done(ask(servers, &["--model", model, "--uncertain"]));
    let photo = |photo: &Value| {
        let text = |name: &str| photo[name].as_str().unwrap().to_owned();
        (text("key"), text("label"), photo["score"].as_f64().unwrap())
    };
    let mut photos: Vec<_> = answer["photos"].as_array().unwrap().iter().map(photo).collect();
    photos.sort_by(|one, other| one.0.cmp(&other.0));
    photos
}

#[track_caller]
pub(crate) fn check(summary: &Value, expected: [(&str, u64); 4]) {
    for (name, count) in expected {
        assert_eq!(summary[name].as_u64(), Some(count), "{name}: {summary}");
    }
}
