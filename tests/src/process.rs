//! Where the programs are.

use std::path::PathBuf;

/// The program of this name, beside the tests' own folder.
///
/// # Panics
/// If it has not been built.
#[expect(clippy::panic, reason = "only tests call this")]
pub fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap_or_default();
    let built = tests.parent().and_then(|deps| deps.parent()).map(|profile| profile.join(name));
    match built {
        Some(path) if path.exists() => path,
        _ => panic!("{name} is not built: run `cargo build --workspace` first, or scripts/test"),
    }
}
