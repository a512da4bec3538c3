//! Build script of the three programs: gives them `HEADWATER_COMMIT`, the commit that they are built from, for
//! `headwater_cli::build!`.
//!
//! It is the variable `HEADWATER_COMMIT` where that is set, as packages and images do, else what is checked out in this
//! repository, else `unknown`: a source archive builds as well. `.git` is read, and git not run, since the script
//! starts again only where a file that it names has changed: those by which HEAD moves. It is the programs' script and
//! not that of `headwater-cli`, so that a commit links three programs anew and compiles no library.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Digits that are shown, as `git log --oneline` does.
const SHOWN: usize = 7;
const VARIABLE: &str = "HEADWATER_COMMIT";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let given = env::var(VARIABLE).ok().filter(|commit| !commit.trim().is_empty());
    let commit = given.or_else(checked_out).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env={VARIABLE}={}", commit.trim().chars().take(SHOWN).collect::<String>());
}

/// The commit of HEAD. Only this workspace's own `.git` counts, never one of a folder around it.
fn checked_out() -> Option<String> {
    let dot_git = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?).ancestors().nth(2)?.join(".git");
    let git = folder(&dot_git)?;
    let common = fs::read_to_string(git.join("commondir")).map_or_else(|_| git.clone(), |path| git.join(path.trim()));
    watch(&git.join("HEAD"));
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(branch) = head.trim().strip_prefix("ref: ") else { return hash(&head) };
    // A branch is a file, or a line of `packed-refs` until it moves: then its folder changes.
    let loose = common.join(branch);
    loose.ancestors().find(|path| path.exists()).into_iter().for_each(watch);
    watch(&common.join("packed-refs"));
    let packed = || {
        let lines = fs::read_to_string(common.join("packed-refs")).ok()?;
        lines.lines().find_map(|line| hash(line.strip_suffix(branch)?))
    };
    fs::read_to_string(loose).ok().and_then(|text| hash(&text)).or_else(packed)
}

/// `.git` itself, or the folder that it names in a further working tree.
fn folder(dot_git: &Path) -> Option<PathBuf> {
    if dot_git.is_dir() {
        return Some(dot_git.to_owned());
    }
    let text = fs::read_to_string(dot_git).ok()?;
    Some(dot_git.parent()?.join(text.trim().strip_prefix("gitdir: ")?))
}

/// A file that is not there is not named: cargo would start the script at every build.
fn watch(path: &Path) {
    if path.exists() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}
