//! What runs are called: as their files, and with numbers where several are called the same.

use std::path::{Path, PathBuf};

/// Characters of a name: figures have room for their lines, too.
const LONGEST: usize = 28;

/// A name for each log, no two the same.
pub(super) fn names(logs: &[PathBuf]) -> Vec<String> {
    let stems: Vec<_> = logs.iter().map(|log| stem(log)).collect();
    let alike = |among: &[String], stem: &String| among.iter().filter(|other| *other == stem).count();
    let name = |(place, stem): (usize, &String)| match alike(&stems, stem) {
        1 => stem.clone(),
        _ => format!("{stem} ({})", alike(&stems[..=place], stem)),
    };
    stems.iter().enumerate().map(name).collect()
}

fn stem(log: &Path) -> String {
    log.file_stem().unwrap_or_default().to_string_lossy().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_called_as_their_files_and_none_twice() {
        let logs = ["a/esync.jsonl", "b/esync.jsonl", "sync"].map(PathBuf::from);
        assert_eq!(names(&logs), ["esync (1)", "esync (2)", "sync"]);
    }
}
