//! Arrows between crates point one way: a photo passes through the workspace in the order in which its members are
//! listed, and nobody depends on what comes later. Heavy dependencies are fenced: one crate owns each.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics has said what it found"
)]

mod adding;
mod circles;
mod imports;
mod lines;
mod map;
mod modules;
mod sizes;
mod sources;

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The order of the path, with the places that are kept for crates to come.
const ORDER: [&str; 40] = [
    "headwater-types",
    "headwater-policy",
    "headwater-access",
    "headwater-identity",
    "headwater-spans",
    "headwater-discovery",
    "headwater-labels",
    "headwater-store",
    "headwater-cache",
    "headwater-image",
    "headwater-onnx",
    "headwater-delta",
    "headwater-versions",
    "headwater-features",
    "headwater-pipeline",
    "headwater-plan",
    "headwater-learn",
    "headwater-wire",
    "headwater-cli",
    "headwater-server",
    "headwater-client",
    "headwater-rollout",
    "headwater-federation",
    "headwater-pilot",
    "headwater-infer",
    "headwater-dissection",
    "headwater-tables",
    "headwater-extraction",
    "headwater-training",
    "headwater-report",
    "headwater-simulate",
    "headwater-epoch",
    "headwater-tune",
    "headwater-measure",
    "storage-server",
    "tuner",
    "profiler",
    "headwater-python",
    "headwater-testdata",
    "headwater-tests",
];

/// What each crate may know of the others. Reading it is reading the architecture.
pub(crate) const ALLOWED: [(&str, &[&str]); 40] = [
    ("headwater-types", &[]),
    ("headwater-policy", &["headwater-types"]),
    ("headwater-access", &["headwater-types"]),
    ("headwater-identity", &["headwater-types", "headwater-access"]),
    ("headwater-spans", &["headwater-access"]),
    ("headwater-discovery", &["headwater-types"]),
    ("headwater-labels", &["headwater-types"]),
    ("headwater-store", &["headwater-types"]),
    ("headwater-cache", &["headwater-types", "headwater-policy", "headwater-store"]),
    ("headwater-image", &["headwater-types"]),
    ("headwater-onnx", &["headwater-types"]),
    ("headwater-delta", &["headwater-types", "headwater-onnx"]),
    ("headwater-versions", &["headwater-types", "headwater-onnx", "headwater-delta"]),
    ("headwater-features", &["headwater-types", "headwater-image", "headwater-onnx", "headwater-delta"]),
    (
        "headwater-pipeline",
        &[
            "headwater-types",
            "headwater-policy",
            "headwater-store",
            "headwater-cache",
            "headwater-image",
            "headwater-features",
        ],
    ),
    ("headwater-plan", &["headwater-types"]),
    ("headwater-learn", &["headwater-types"]),
    ("headwater-wire", &["headwater-types", "headwater-access"]),
    ("headwater-cli", &["headwater-types", "headwater-access", "headwater-spans"]),
    (
        "headwater-server",
        &[
            "headwater-types",
            "headwater-policy",
            "headwater-access",
            "headwater-identity",
            "headwater-spans",
            "headwater-discovery",
            "headwater-labels",
            "headwater-learn",
            "headwater-store",
            "headwater-cache",
            "headwater-image",
            "headwater-versions",
            "headwater-features",
            "headwater-pipeline",
            "headwater-wire",
            "headwater-cli",
        ],
    ),
    (
        "headwater-client",
        &[
            "headwater-types",
            "headwater-access",
            "headwater-spans",
            "headwater-discovery",
            "headwater-image",
            "headwater-wire",
        ],
    ),
    ("headwater-rollout", &["headwater-types", "headwater-onnx", "headwater-delta", "headwater-client"]),
    ("headwater-federation", &["headwater-types", "headwater-plan", "headwater-learn", "headwater-client"]),
    ("headwater-pilot", &["headwater-types", "headwater-image", "headwater-plan", "headwater-client"]),
    ("headwater-infer", &["headwater-types", "headwater-features", "headwater-client", "headwater-pilot"]),
    (
        "headwater-dissection",
        &[
            "headwater-types",
            "headwater-image",
            "headwater-onnx",
            "headwater-delta",
            "headwater-features",
            "headwater-plan",
        ],
    ),
    ("headwater-tables", &["headwater-types", "headwater-plan", "headwater-cli"]),
    (
        "headwater-extraction",
        &[
            "headwater-types",
            "headwater-plan",
            "headwater-client",
            "headwater-pilot",
            "headwater-infer",
            "headwater-tables",
        ],
    ),
    (
        "headwater-training",
        &[
            "headwater-types",
            "headwater-onnx",
            "headwater-learn",
            "headwater-cli",
            "headwater-tables",
            "headwater-extraction",
        ],
    ),
    ("headwater-report", &["headwater-types", "headwater-plan"]),
    ("headwater-simulate", &["headwater-types", "headwater-policy", "headwater-plan", "headwater-report"]),
    ("headwater-epoch", &["headwater-types", "headwater-plan", "headwater-cli", "headwater-client", "headwater-pilot"]),
    (
        "headwater-tune",
        &[
            "headwater-types",
            "headwater-store",
            "headwater-onnx",
            "headwater-plan",
            "headwater-learn",
            "headwater-cli",
            "headwater-client",
            "headwater-rollout",
            "headwater-federation",
            "headwater-pilot",
            "headwater-tables",
            "headwater-extraction",
            "headwater-training",
        ],
    ),
    (
        "headwater-measure",
        &[
            "headwater-types",
            "headwater-policy",
            "headwater-image",
            "headwater-onnx",
            "headwater-features",
            "headwater-plan",
            "headwater-cli",
            "headwater-client",
            "headwater-pilot",
            "headwater-infer",
            "headwater-dissection",
            "headwater-tables",
            "headwater-report",
            "headwater-simulate",
            "headwater-epoch",
        ],
    ),
    ("storage-server", &["headwater-cli", "headwater-server"]),
    ("tuner", &["headwater-cli", "headwater-tune"]),
    ("profiler", &["headwater-cli", "headwater-measure"]),
    (
        "headwater-python",
        &[
            "headwater-types",
            "headwater-policy",
            "headwater-access",
            "headwater-spans",
            "headwater-cache",
            "headwater-image",
            "headwater-plan",
            "headwater-client",
            "headwater-pilot",
        ],
    ),
    ("headwater-testdata", &["headwater-types", "headwater-onnx"]),
    // The protocol alone: readers that no program of ours would be.
    ("headwater-tests", &["headwater-wire", "headwater-testdata"]),
];

/// Dependencies that few crates own (tests and the maker of test data aside).
const FENCED: [(&str, &[&str]); 20] = [
    ("ort", &["headwater-features"]),
    ("turbojpeg", &["headwater-image"]),
    ("object_store", &["headwater-store"]),
    ("cap-std", &["headwater-store"]),
    ("lz4_flex", &["headwater-store"]),
    ("snap", &["headwater-store"]),
    ("zstd", &["headwater-store", "headwater-labels", "headwater-delta"]),
    ("redb", &["headwater-labels"]),
    ("rustls", &["headwater-access"]),
    ("tokio-rustls", &["headwater-access"]),
    ("aws-lc-rs", &["headwater-access", "headwater-identity"]),
    ("reqwest", &["headwater-identity"]),
    ("parquet", &["headwater-tables"]),
    ("arrow-array", &["headwater-tables"]),
    ("prometheus-client", &["headwater-server"]),
    ("axum", &["headwater-server"]),
    ("indicatif", &["headwater-cli"]),
    ("tracing-subscriber", &["headwater-cli"]),
    ("pyo3", &["headwater-python"]),
    ("numpy", &["headwater-python"]),
];

pub(crate) fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().other_options(["--offline".into()]).exec().unwrap()
}

fn dependencies(metadata: &Metadata) -> BTreeMap<String, Vec<String>> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
            (package.name.to_string(), normal.map(|d| d.name.clone()).collect())
        })
        .collect()
}

#[test]
fn members_are_listed_in_the_order_of_the_path() {
    let metadata = metadata();
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    let manifest = std::fs::read_to_string(metadata.workspace_root.join("Cargo.toml")).unwrap();
    let listed: Vec<_> = manifest
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
        .map(|path| {
            let package = metadata
                .workspace_packages()
                .into_iter()
                .find(|p| p.manifest_path.parent().unwrap() == metadata.workspace_root.join(path));
            package.unwrap_or_else(|| panic!("no package in {path}")).name.to_string()
        })
        .collect();
    assert_eq!(listed.len(), metadata.workspace_packages().len());
    let places: Vec<_> =
        listed.iter().map(|name| place(name).unwrap_or_else(|| panic!("{name} has no place"))).collect();
    assert!(places.is_sorted(), "{listed:?}");
}

#[test]
fn arrows_point_one_way_and_only_where_they_are_drawn() {
    for (package, dependencies) in dependencies(&metadata()) {
        let (_, allowed) =
            ALLOWED.iter().find(|(name, _)| *name == package).unwrap_or_else(|| panic!("{package} is not drawn"));
        for dependency in dependencies.iter().filter(|name| ORDER.contains(&name.as_str())) {
            let place = |name: &str| ORDER.iter().position(|known| *known == name);
            assert!(place(dependency) < place(&package), "{package} depends on {dependency}, which comes later");
            assert!(allowed.contains(&dependency.as_str()), "the arrow {package} -> {dependency} is not drawn");
        }
    }
}

#[test]
fn heavy_dependencies_stay_behind_their_fences() {
    for (package, dependencies) in dependencies(&metadata()) {
        for (fenced, owners) in FENCED {
            let inside = owners.contains(&package.as_str()) || package == "headwater-testdata";
            assert!(
                inside || !dependencies.iter().any(|d| d == fenced),
                "{package} uses {fenced}, which is {}'s",
                owners.join(" and ")
            );
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere_but_in_the_image_crate() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        let inherits = manifest.contains("[lints]\nworkspace = true");
        assert!(inherits || package.name.as_str() == "headwater-image", "{} does not inherit the lints", package.name);
    }
}
