//! Which build of Headwater this is: for `--version`, metrics and logs.

use std::sync::OnceLock;

/// The version of every program and of the protocol's implementation.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Set once, by [`settings::parse`](crate::settings::parse), with what the program's build script found.
static BUILD: OnceLock<Build> = OnceLock::new();

/// What a program's `main` hands to [`settings::parse`](crate::settings::parse): made by [`build!`](crate::build).
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The commit, abbreviated; `unknown` where it was built from a source archive.
    pub commit: &'static str,
}

/// The program's build: its package has `build = "../cli/build/commit.rs"`.
#[macro_export]
macro_rules! build {
    () => {
        $crate::version::Build { commit: env!("HEADWATER_COMMIT") }
    };
}

/// The commit that the running program is built from, abbreviated; `unknown` where nobody knows.
pub fn commit() -> &'static str {
    BUILD.get().map_or("unknown", |build| build.commit)
}

/// Called by the program's `main`, through `settings::parse`; the first call counts.
pub(crate) fn install(build: Build) {
    BUILD.get_or_init(|| build);
}

/// `0.1.0 (1a2b3c4)`.
pub(crate) fn long() -> String {
    format!("{VERSION} ({})", commit())
}
