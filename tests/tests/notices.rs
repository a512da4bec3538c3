//! Whatever is linked into what we ship is named in THIRD-PARTY-NOTICES, with its licence, and the file is that of
//! Cargo.lock.
//!
//! `HEADWATER_BLESS=1 cargo test -p headwater-tests --test notices` writes it. A crate that leaves the choice is used
//! under the Apache License; of any other, the licence's own file stands there, and so do those of bundled C sources.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use headwater_tests::{check_generated, root};

/// What is shipped: the programs, and the Python package's inside.
const SHIPPED: [&str; 4] = ["storage-server", "tuner", "profiler", "headwater-python"];
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
const APACHE: &str = "Apache-2.0";

const HEAD: &str = "\
Third-party software in Headwater
=================================

Headwater's programs and its Python package are linked with the software that is listed here, each under the licence
that stands with it. Rust's standard library is used under the Apache License, Version 2.0. ONNX Runtime is not linked:
where its library is installed beside the programs, its own notices are, in share/doc/headwater/onnxruntime.

This file is generated: see tests/tests/notices.rs.
";

/// A text, and who is used under it.
type Texts = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_notices_name_everything_that_is_linked_in() {
    let texts = texts();
    let named: BTreeSet<&String> = texts.values().flatten().collect();
    assert!(named.len() > 100, "{} crates are too few to be all", named.len());
    check_generated("THIRD-PARTY-NOTICES", &page(&texts)).unwrap();
}

#[test]
fn bundled_c_sources_bring_their_licences() {
    let page = page(&texts());
    for line in [
        "libjpeg-turbo Licenses",
        "The Independent JPEG Group's JPEG software",
        "Copyright (c) 2015-2020 the fiat-crypto",
    ] {
        assert!(page.contains(line), "no {line:?}");
    }
}

fn page(texts: &Texts) -> String {
    let mut page = HEAD.to_owned();
    for (text, names) in texts {
        writeln!(page, "\n{}\n", "-".repeat(80)).unwrap();
        for name in names {
            writeln!(page, "  {name}").unwrap();
        }
        writeln!(page, "\n{text}").unwrap();
    }
    page
}

fn texts() -> Texts {
    let metadata = MetadataCommand::new().other_options(["--locked".into()]).exec().unwrap();
    let linked = linked();
    let packages: Vec<&Package> = metadata.packages.iter().filter(|package| linked.contains(&name(package))).collect();
    assert_eq!(packages.len(), linked.len());
    let apache = std::fs::read_to_string(root().join("LICENSE")).unwrap();
    let mut texts = Texts::new();
    let mut add = |text: &str, package: &Package| texts.entry(trimmed(text)).or_default().insert(titled(package));
    for package in &packages {
        let under_apache = is_apache(package);
        if under_apache {
            add(&apache, package);
        }
        let mut files = licence_files(package);
        if files.is_empty() && !under_apache {
            files = siblings(&metadata, package).flat_map(licence_files).collect();
            assert!(
                !files.is_empty(),
                "{} has no licence file, and no other crate of its repository has one",
                package.name
            );
        }
        for file in files.iter().filter(|file| !under_apache || says_more(file)) {
            add(&std::fs::read_to_string(file).unwrap(), package);
        }
    }
    texts
}

/// `name version` of what is linked into what we ship, without our own crates: not what only builds or tests it.
fn linked() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for platform in PLATFORMS {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(root())
            .args(["tree", "--locked", "--prefix", "none", "--format", "{p}", "--target", platform]);
        cargo.args(["--edges", "normal,no-proc-macro"]).args(SHIPPED.iter().flat_map(|package| ["--package", package]));
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for line in String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.contains(" (/")) {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(version)) = (words.next(), words.next()) {
                found.insert(format!("{name} {}", version.trim_start_matches('v')));
            }
        }
    }
    found
}

fn name(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

fn titled(package: &Package) -> String {
    let repository = package.repository.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
    format!("{}: {}{repository}", name(package), package.license.as_deref().unwrap_or("licence in a file"))
}

/// Whether the Apache License alone will do.
fn is_apache(package: &Package) -> bool {
    let Some(licence) = &package.license else { return false };
    !licence.contains("AND") && licence.split(" OR ").flat_map(|one| one.split('/')).any(|one| one.trim() == APACHE)
}

/// Other packages of the same repository.
fn siblings<'a>(metadata: &'a Metadata, package: &'a Package) -> impl Iterator<Item = &'a Package> {
    let same = |other: &&Package| package.repository.is_some() && other.repository == package.repository;
    metadata.packages.iter().filter(same)
}

/// The licences and notices of a package; of one that bundles sources of another language, those of all its folders.
fn licence_files(package: &Package) -> Vec<PathBuf> {
    let folder = package.manifest_path.parent().unwrap().as_std_path();
    let mut files = Vec::new();
    collect(folder, package.links.is_some(), &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, deep: bool, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            collect(&path, deep, files);
        } else if path.is_file() && is_licence(&path) {
            files.push(path);
        }
    }
}

fn is_licence(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let known = ["licen", "copying", "copyright", "notice", "unlicense"].iter().any(|start| name.starts_with(start));
    let is_text = !name.ends_with(".rtf") && !name.ends_with(".rs") && !name.ends_with(".html");
    (known || name == "readme.ijg") && is_text
}

/// Whether a file of a package under the Apache License must stand beside that: its notices.
fn says_more(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.starts_with("notice")
}

/// The text without spaces at lines' ends, so that copies of one licence are equal.
fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n").trim_start_matches(['\n', '\u{feff}']).to_owned()
}
