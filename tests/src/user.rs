//! A program run by somebody for whom permissions hold: who runs the tests may be root, who may read everything.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::process::program;

/// `nobody` on every Linux.
const NOBODY: u32 = 65_534;

/// A user without rights, and a folder that is theirs.
pub struct Unprivileged {
    folder: TempDir,
    is_root: bool,
}

// === impl Unprivileged ===

impl Unprivileged {
    /// Whoever runs the tests; nobody, where that is root.
    ///
    /// # Errors
    /// If no folder can be made for them.
    pub fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let is_root = fs::metadata(folder.path())?.uid() == 0;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let user = Self { folder, is_root };
        user.own(user.folder())?;
        Ok(user)
    }

    /// Gives a file or folder to them.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn own(&self, path: &Path) -> Result<()> {
        if self.is_root {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
        Ok(())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program of this name, run by them.
    ///
    /// # Errors
    /// If it cannot be copied to where they may run it.
    pub fn command(&self, name: &str) -> Result<Command> {
        let program = program(name);
        if !self.is_root {
            return Ok(Command::new(program));
        }
        let copy: PathBuf = self.folder.path().join(name);
        if !copy.exists() {
            fs::copy(&program, &copy).with_context(|| copy.display().to_string())?;
        }
        let mut command = Command::new(copy);
        command.uid(NOBODY).gid(NOBODY);
        Ok(command)
    }
}
