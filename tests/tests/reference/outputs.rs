//! What the programs print with `--json`, run on a small dataset: that each field is documented, and as what it is.

use std::collections::BTreeMap;
use std::path::Path;

use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{Run, Server, ServerOptions, get_json, run};
use serde_json::Value;
use tempfile::TempDir;

use crate::json::{Documented, Field, STATUS, paths};

/// Two workers of unlike speed.
const CLUSTER: &str = "{\"workers\":[{\"compute_us\":60000,\"communication_us\":4800000},\
                       {\"compute_us\":3400000,\"communication_us\":4800000}],\"batch\":64,\"model_bytes\":42600000}";

/// Runs every command, and holds what it prints against the fields that are documented for it.
pub(crate) fn compare(documented: &Documented) {
    let printed = printed();
    for (command, fields) in documented {
        let values = printed.get(command).unwrap_or_else(|| panic!("outputs.rs does not run {command}"));
        let mut found = BTreeMap::new();
        values.iter().for_each(|value| paths(value, "", &mut found));
        for (path, values) in &found {
            let field = fields.iter().find(|field| matches(&field.path, path));
            let field = field.unwrap_or_else(|| panic!("{command} prints {path}, which is not documented"));
            for value in values {
                assert!(is_of_kind(value, field), "{command} prints {path} as {value}, documented as {}", field.kind);
            }
        }
        for field in fields.iter().filter(|field| !field.path.contains(['*', '[', '.']) && !field.may_be_absent) {
            assert!(found.contains_key(&field.path), "{command} does not print {}, which is documented", field.path);
        }
    }
}

/// Whether a documented path, in which `*` is any name, is that of a value.
fn matches(documented: &str, path: &str) -> bool {
    match documented.split_once('*') {
        None => documented == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            let named = rest.find(['.', '[']).filter(|_| !after.is_empty()).unwrap_or(rest.len());
            matches(after, &rest[named..])
        }),
    }
}

fn is_of_kind(value: &Value, field: &Field) -> bool {
    let kind = field.kind.split(" or null").next().unwrap_or_default().split(':').next().unwrap_or_default();
    if value.is_null() {
        return field.kind.ends_with("or null") || kind == "any";
    }
    match kind {
        "string" => value.is_string(),
        "whole number" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "true or false" => value.is_boolean(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "any" => true,
        other => panic!("{other} is no kind of JSON"),
    }
}

/// Two servers with photos of their own, one of them broken, and a folder to write in.
struct Stage {
    folder: TempDir,
    servers: Vec<Server>,
}

// === impl Stage ===

impl Stage {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("extractor.onnx"), Extractor::onnx(1)).unwrap();
        std::fs::write(folder.path().join("extractor.toml"), Extractor::RECIPE).unwrap();
        let start = |seed| {
            let photos = folder.path().join(format!("photos-{seed}"));
            PhotoSet { classes: 2, per_class: 8, seed, ..PhotoSet::default() }.write(&photos).unwrap();
            std::fs::write(photos.join("checker/broken.jpg"), "no photo").unwrap();
            let recipe = folder.path().join("extractor.toml").display().to_string();
            let state = folder.path().join(format!("state-{seed}"));
            let server = ServerOptions::new(&photos).arg("--state").arg(state).metrics();
            server.model("model", &folder.path().join("extractor.onnx"), &recipe).start().unwrap()
        };
        let servers = [1, 2].map(start).into();
        Self { folder, servers }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a line of words; `@NAME` is a path in the folder, SERVERS both servers' addresses and the dataset, and
    /// ADDRESSES the addresses alone.
    fn run(&self, line: &str) -> Run {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap();
        let addresses: Vec<_> = self.servers.iter().map(Server::address).collect();
        let servers = ["--servers".to_owned(), addresses.join(","), "--dataset".to_owned(), "photos".to_owned()];
        let arguments = words.flat_map(|word| match word {
            "SERVERS" => servers.to_vec(),
            "ADDRESSES" => servers[..2].to_vec(),
            word => vec![match word.split_once('@') {
                Some((before, name)) => format!("{before}{}", self.path(name)),
                None => word.to_owned(),
            }],
        });
        run(program, arguments.collect::<Vec<_>>()).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        self.run(line).success().unwrap_or_else(|error| panic!("{line}: {error}")).json().unwrap()
    }
}

fn printed() -> BTreeMap<&'static str, Vec<Value>> {
    let stage = Stage::new();
    sophon(&stage.folder.path().join("sizes.csv"), &stage.folder.path().join("times.csv"));
    let mut printed: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    let mut add = |command: &'static str, line: &str| {
        let value = stage.json(line);
        printed.entry(command).or_default().push(value.clone());
        value
    };
    add("storage-server index", "storage-server index --data @photos-1 --cache-dir @index --json");
    add("tuner extract", "tuner extract SERVERS --model model --out @features --json");
    add(
        "tuner extract",
        "tuner extract SERVERS --model model --plan auto --extractor @extractor.onnx --out @by-plan --json",
    );
    let tuned = "--epochs 1 --validation-fraction 0.2 --json";
    add(
        "tuner fine-tune",
        &format!(
            "tuner fine-tune SERVERS --model model --out @head.onnx --join @extractor.onnx --joined-out @joined.onnx \
             {tuned}"
        ),
    );
    add("tuner fine-tune", &format!("tuner fine-tune --features @features --out @head-2.onnx {tuned}"));
    let push = format!("--push fruit --relabel --seed 3 --bases @bases {tuned}");
    add("tuner fine-tune", &format!("tuner fine-tune SERVERS --model model --out @head-3.onnx {push}"));
    let push = "--bases @bases --activate --json";
    add("tuner push", &format!("tuner push ADDRESSES --model fruit=@head-2.onnx --base @head-3.onnx {push}"));
    add("tuner rollback", "tuner rollback ADDRESSES --model fruit --json");
    add(
        "profiler fetch",
        "profiler fetch SERVERS --recipe imagenet-train --cut cropped --wire-bytes --out @fetched --json",
    );
    add("profiler dataset", "profiler dataset SERVERS --recipe imagenet-train --out @photos.parquet --all --json");
    add("profiler network", "profiler network SERVERS --seconds 0.3 --json");
    add("profiler machine", "profiler machine --recipe @extractor.toml --model @extractor.onnx --seconds 0.2 --json");
    let model = "profiler model --model @extractor.onnx --recipe @extractor.toml --seconds 0.01";
    let cuts = add("profiler model", &format!("{model} --photos @photos-1 --samples 4 --json"));
    let cut = cuts["cuts"].as_array().unwrap().iter().find_map(|cut| cut["tensor"].as_str()).unwrap();
    add("profiler model", &format!("{model} --split-at {cut} --out @halves --json"));
    std::fs::write(stage.path("network.json"), cuts.to_string()).unwrap();
    let network = "--model @extractor.onnx --profile @network.json --servers-up-to 3 --server cores=2";
    add("tuner plan", &format!("tuner plan {network} --bandwidth 100Mbps --json"));
    let plan = "--profile @photos.parquet --bandwidth 100Mbps --trainer-cores 2";
    let planned = add("profiler plan", &format!("profiler plan {plan} --out @photos.plan --json"));
    let epoch = add(
        "profiler epoch",
        "profiler epoch SERVERS --recipe imagenet-train --mode plan @photos.plan --digest --json",
    );
    std::fs::write(stage.path("epoch.json"), epoch.to_string()).unwrap();
    add(
        "profiler epoch",
        "profiler epoch SERVERS --recipe imagenet-train --mode no-off --limit-bandwidth 100Mbps --json",
    );
    add("profiler compare", "profiler compare @epoch.json --json");
    add(
        "profiler import sophon",
        "profiler import sophon --sizes @sizes.csv --times @times.csv --out @openimages.parquet --json",
    );
    add("profiler report", &format!("profiler report {plan} --out @report.html --json"));
    let trace = "epoch\tjob\tsample\tbytes\n0\ta\tx\t5\n0\tb\tx\t5\n0\ta\ty\t7\n1\ta\tx\t5\n";
    std::fs::write(stage.path("trace.tsv"), trace).unwrap();
    let simulate = "profiler simulate cache --trace @trace.tsv --policy planned --memory 5 --ssd 7";
    add("profiler simulate cache", &format!("{simulate} --curve @curve.html --dump --json"));
    add("profiler simulate cache", &format!("{simulate} --json"));
    std::fs::write(stage.path("cluster.json"), CLUSTER).unwrap();
    let rounds = "profiler simulate sync --workers @cluster.json --rounds 3 --json";
    add("profiler simulate sync", &format!("{rounds} --mode esync --overlap"));
    add("profiler simulate sync", &format!("{rounds} --mode async"));
    let log = headwater_tests::root().join("fuzz/corpus/sync_log/async.jsonl");
    add("profiler report sync", &format!("profiler report sync {} --out @training.html --json", log.display()));
    add("profiler explain", "profiler explain --profile @photos.parquet --plan @photos.plan --sample 1 --json");
    add("profiler recipe NAME", "profiler recipe imagenet-train --json");
    assert!(planned["modes"].as_array().is_some_and(|modes| !modes.is_empty()));
    let lines = std::fs::read_to_string(stage.folder.path().join("fetched/samples.jsonl")).unwrap();
    let rows = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    printed.insert("profiler fetch, each line of samples.jsonl", rows);
    let metrics = stage.servers[0].metrics_address().unwrap();
    printed.insert(STATUS, vec![get_json(&metrics, "/status.json").unwrap()]);
    let failed = stage.run("profiler plan --profile @nowhere --bandwidth 1Gbps --trainer-cores 1 --json");
    let error = failed.stderr.lines().find_map(|line| serde_json::from_str(line).ok());
    printed.insert(
        "every program, on standard error, where it fails",
        vec![error.unwrap_or_else(|| panic!("{}", failed.stderr))],
    );
    printed
}

/// SOPHON's two files, of three photos.
fn sophon(sizes: &Path, times: &Path) {
    let row = "2359329;(1024, 768);150561;150561;602145;602145;\n";
    let head = "index;raw;decoding;original_shape;RandomResizedCrop;RandomHorizontalFlip;ToTensor;Normalize;\n";
    std::fs::write(sizes, format!("{head}0;90000;{row}1;200000;{row}2;600000;{row}")).unwrap();
    let row = "0.001,0.004,0.001,0.00006,0.00045,0.00035,\n";
    let head = "index,loader,decoding,RandomResizedCrop,RandomHorizontalFlip,ToTensor,Normalize,\n";
    std::fs::write(times, format!("{head}0,{row}1,{row}2,{row}")).unwrap();
}
