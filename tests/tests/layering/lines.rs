//! No line is longer than a screen is wide, prose included.

use std::path::{Path, PathBuf};

use super::metadata;

const COLUMNS: usize = 120;

/// Suffixes of what people read and write; files without a suffix are scripts.
const SUFFIXES: [&str; 9] = ["rs", "py", "md", "proto", "toml", "sh", "yaml", "service", ""];

/// What is made by others, or by a program from what stands elsewhere.
const NOT_OURS: [&str; 8] = [
    "target",
    "docs/reference",
    "LICENSE",
    "THIRD-PARTY-NOTICES",
    "__pycache__",
    "fuzz/corpus",
    "fuzz/target",
    ".demo",
];

#[test]
fn no_line_is_longer_than_120_columns() {
    let root = metadata().workspace_root.into_std_path_buf();
    let (mut files, mut long) = (0, Vec::new());
    walk(&root, &root, &mut |path| {
        files += 1;
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let is_page = path.extension().is_some_and(|suffix| suffix == "md");
        for (line, text) in text.lines().enumerate() {
            // A row of a table is one line, in Markdown.
            if text.chars().count() > COLUMNS && !(is_page && text.starts_with('|')) {
                long.push(format!("{}:{}", path.display(), line + 1));
            }
        }
    });
    println!("{files} files");
    assert!(long.is_empty(), "{} lines are longer than {COLUMNS} columns:\n{}", long.len(), long.join("\n"));
    assert!(files > 500, "{files}");
}

fn walk(root: &Path, folder: &Path, look: &mut impl FnMut(&Path)) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let within = path.strip_prefix(root).unwrap();
        let hidden = name.starts_with('.') && name != ".ci";
        if hidden || path.is_symlink() || NOT_OURS.iter().any(|other| within.ends_with(other)) {
            continue;
        }
        let suffix = path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
        if path.is_dir() {
            walk(root, &path, look);
        } else if SUFFIXES.contains(&suffix) {
            look(&path);
        }
    }
}
