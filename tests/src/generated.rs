//! Files in the repository that are made from the code: compared with what the code makes of them now, or written anew.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Set to 1, generated files are written and not compared.
const BLESS: &str = "HEADWATER_BLESS";

/// The repository's root.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// Checks that a file of the repository holds this text; with `HEADWATER_BLESS=1` it does afterwards.
///
/// # Errors
/// If the file says something else: with the first line that differs, and what to run.
pub fn check_generated(path: &str, text: &str) -> Result<()> {
    let file = root().join(path);
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        return std::fs::write(&file, text).with_context(|| path.to_owned());
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == text {
        return Ok(());
    }
    let line = found.lines().zip(text.lines()).take_while(|(found, made)| found == made).count();
    bail!(
        "{path} is not what the code makes of it now: line {} is {:?} and should be {:?}. Run the test with \
         {BLESS}=1, and commit \
         the file",
        line + 1,
        found.lines().nth(line).unwrap_or("missing"),
        text.lines().nth(line).unwrap_or("missing"),
    )
}
