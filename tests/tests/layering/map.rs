//! What the architecture's pages name exists: files, folders, modules and types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::modules::Modules;
use super::{ALLOWED, metadata};

/// Folders against which a page's paths are read.
const FOLDERS: [&str; 6] =
    ["", "crates", "tests/tests", "docs/architecture", "python/headwater", "python/headwater/py/headwater"];

#[test]
fn everything_that_the_map_names_is_there() {
    let root = metadata().workspace_root.into_std_path_buf();
    let crates = crates();
    let mut names = 0;
    let mut missing = Vec::new();
    for page in pages(&root) {
        let text = std::fs::read_to_string(&page).unwrap();
        for name in quoted(&text).iter().flat_map(|name| branches(name)) {
            match is_there(&name, &root, &crates) {
                Some(true) => names += 1,
                Some(false) => missing.push(format!("{}: {name}", page.display())),
                None => {}
            }
        }
    }
    println!("{names} names of files and modules");
    assert!(missing.is_empty(), "{} names of nothing:\n{}", missing.len(), missing.join("\n"));
    assert!(names > 100, "{names}");
}

#[test]
fn the_table_of_crates_is_what_each_may_use() {
    let root = metadata().workspace_root.into_std_path_buf();
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let [name, _, uses] = line.strip_prefix("| `")?.strip_suffix('|')?.split('|').collect::<Vec<_>>()[..] else {
            return None;
        };
        let uses = uses.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Some((name.trim().trim_end_matches('`').to_owned(), uses.collect::<Vec<_>>()))
    });
    let rows: BTreeMap<_, _> = rows.collect();
    let short = |name: &&str| name.trim_start_matches("headwater-").to_owned();
    for (name, allowed) in ALLOWED {
        let allowed: Vec<_> = allowed.iter().map(short).collect();
        assert_eq!(rows.get(&short(&name)), Some(&allowed), "the row of {name} in ARCHITECTURE.md");
    }
}

#[test]
fn names_in_braces_are_several() {
    assert_eq!(branches("store::s3::{http, tries}"), ["store::s3::http", "store::s3::tries"]);
    assert_eq!(branches("types/src/scale.rs"), ["types/src/scale.rs"]);
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root.join("docs/architecture")).unwrap();
    let pages = folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "md"));
    [root.join("ARCHITECTURE.md")].into_iter().chain(pages).collect()
}

/// What stands in backticks, blocks of code aside.
fn quoted(text: &str) -> Vec<String> {
    let prose: Vec<_> = text.split("```").step_by(2).collect();
    prose.join(" ").split('`').skip(1).step_by(2).map(|name| name.replace('\n', " ")).collect()
}

/// `a::{b, c}` is `a::b` and `a::c`.
fn branches(name: &str) -> Vec<String> {
    let Some((stem, rest)) = name.split_once('{') else { return vec![name.to_owned()] };
    rest.trim_end_matches('}').split(',').map(|leaf| format!("{stem}{}", leaf.trim())).collect()
}

/// The modules of each crate, by the name that the pages give it.
fn crates() -> BTreeMap<String, Modules> {
    let metadata = metadata();
    let packages = metadata.workspace_packages().into_iter();
    packages
        .filter_map(|package| {
            let library = package.targets.iter().find(|target| target.src_path.ends_with("src/lib.rs"))?;
            let name = package.name.trim_start_matches("headwater-").to_owned();
            Some((name, Modules::read(library.src_path.as_std_path())))
        })
        .collect()
}

/// Whether the file or module is there; `None` for what is no name of either.
fn is_there(name: &str, root: &Path, crates: &BTreeMap<String, Modules>) -> Option<bool> {
    let is_path = name.contains('/') || [".rs", ".py", ".md", ".toml"].iter().any(|end| name.ends_with(end));
    if name.contains([' ', '<', '*']) || name.starts_with(['-', '/']) {
        return None;
    }
    if is_path {
        let beside = |folder: &&str| root.join(folder).join(name).exists();
        let test = root.join("tests/tests").join(name.trim_end_matches(".rs")).join("main.rs").exists();
        return Some(test || FOLDERS.iter().any(beside));
    }
    let mut segments = name.split("::").map(str::to_owned);
    let modules = crates.get(&segments.next()?)?;
    let path: Vec<_> = segments.collect();
    (!path.is_empty()).then(|| modules.have(&path))
}
