//! Where the programs are.

use std::path::PathBuf;

/// A folder that has the programs; without it they are looked for beside the tests.
const FOLDER: &str = "HEADWATER_BIN";

/// The program of this name, in `HEADWATER_BIN` or beside the tests' own folder.
///
/// # Panics
/// If it has not been built.
#[expect(clippy::panic, reason = "only tests call this")]
pub fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap_or_default();
    let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let built = folder.or_else(|| Some(tests.parent()?.parent()?.to_owned())).map(|folder| folder.join(name));
    match built {
        Some(path) if path.exists() => path,
        _ => panic!("{name} is not built: run `cargo build --workspace` first, or scripts/test"),
    }
}
