//! What a server's metrics port says, from a server that has done everything once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use headwater_testdata::PhotoSet;
use headwater_tests::{Data, ServerOptions, fetch, get, root, run};
use tempfile::TempDir;

use crate::markdown::{code, head, sentence, table};

/// What the lines of a family say.
#[derive(Default)]
struct Family {
    help: String,
    kind: String,
    unit: String,
    labels: BTreeSet<String>,
}

pub(crate) fn page() -> String {
    let families = families(&scraped());
    for name in registered() {
        let full = format!("headwater_{name}");
        assert!(
            families.keys().any(|family| family.starts_with(&full) || family.starts_with(&name)),
            "{name} is registered, and no server shows it here"
        );
    }
    let mut page = head(
        "Metrics",
        "What `storage-server serve --metrics-listen HOST:PORT` serves at `/metrics`, in OpenMetrics' text format: a \
         counter's line has `_total` behind its name, and a histogram has `_bucket`, `_sum` and `_count`.",
    );
    let row = |(name, family): (String, Family)| {
        let labels: Vec<_> = family.labels.iter().map(|label| code(label)).collect();
        [code(&name), family.kind, labels.join(", "), family.unit, sentence(&family.help)]
    };
    table(&mut page, ["metric", "type", "labels", "unit", "what it is"], families.into_iter().map(row));
    page
}

/// From a server that has delivered samples and features, re-written photos, and failed.
fn scraped() -> String {
    let folder = TempDir::new().unwrap();
    let photos = folder.path().join("photos");
    PhotoSet { classes: 2, per_class: 8, ..PhotoSet::default() }.write(&photos).unwrap();
    std::fs::write(photos.join("checker/broken.jpg"), "no photo").unwrap();
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&photos).metrics().model("model", &data.model, &data.recipe).start().unwrap();
    let out = |name: &str| folder.path().join(name);
    fetch(&[server.address()], &out("crops"), &["--recipe", "imagenet-train", "--cut", "jpeg-crop"]).unwrap();
    let features = out("features").display().to_string();
    let address = server.address();
    let arguments = ["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--out", &features];
    run("tuner", arguments).unwrap().success().unwrap();
    get(&server.metrics_address().unwrap(), "/metrics").unwrap()
}

fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some((word, rest)) = line.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) {
            let Some((name, value)) = rest.split_once(' ') else { continue };
            let family = families.entry(name.to_owned()).or_default();
            match word {
                "HELP" => value.trim_end_matches('.').clone_into(&mut family.help),
                "TYPE" => value.clone_into(&mut family.kind),
                "UNIT" => value.clone_into(&mut family.unit),
                _ => continue,
            }
            name.clone_into(&mut current);
        } else if let (true, Some((_, labels))) = (line.starts_with(&current), line.split_once('{')) {
            let labels = labels.split_once('}').map_or("", |(labels, _)| labels);
            let names = labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
            families.get_mut(&current).unwrap().labels.extend(names.filter(|name| name != "le"));
        }
    }
    families
}

/// The names with which the server's sources register metrics.
fn registered() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in sources(&root().join("crates/server/src")) {
        let text = std::fs::read_to_string(file).unwrap();
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in ["register(", "register_with_unit(", "encode_descriptor("] {
            for after in shipped.split(call).skip(1) {
                if let Some(name) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                    names.insert(name.to_owned());
                }
            }
        }
    }
    assert!(names.len() > 10, "only {names:?} are registered");
    names
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false => files.push(path),
        }
    }
    files
}
