//! What runs are called: as their files, and with numbers where several are called the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Characters of a name: figures have room for their lines, too.
const LONGEST: usize = 28;

/// A name for each log, no two the same.
pub(super) fn names(logs: &[PathBuf]) -> Vec<String> {
    let stem = |log: &PathBuf| {
        let stem = log.file_stem().unwrap_or_default().to_string_lossy();
        stem.chars().take(LONGEST).collect::<String>()
    };
    let stems: Vec<_> = logs.iter().map(stem).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let name = |stem: &String| {
        let several = stems.iter().filter(|other| *other == stem).count() > 1;
        (several, stem.clone())
    };
    let all: Vec<_> = stems.iter().map(name).collect();
    let numbered = all.iter().map(|(several, stem)| {
        let number = seen.entry(stem.as_str()).or_default();
        *number += 1;
        if *several { format!("{stem} ({number})") } else { stem.clone() }
    });
    numbered.collect()
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
