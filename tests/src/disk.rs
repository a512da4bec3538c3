//! A disk that is soon full: a tmpfs of a few pages, mounted for one process and gone with it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;
use tempfile::TempDir;

/// The folder under which the disk is mounted, for the programs that see it.
pub struct SmallDisk {
    folder: TempDir,
    bytes: u64,
    unshare: &'static str,
}

// === impl SmallDisk ===

impl SmallDisk {
    /// A disk of so many bytes; `None`, with a line that says why, where nobody may mount one.
    ///
    /// # Errors
    /// If no folder can be made.
    pub fn new(bytes: u64) -> Result<Option<Self>> {
        // Root of a user namespace of its own; where there are none, whoever is root.
        for unshare in ["unshare --map-root-user --mount", "unshare --mount"] {
            let disk = Self { folder: TempDir::new()?, bytes, unshare };
            fs::create_dir(disk.path())?;
            let mounted = disk.command("true")?.stderr(Stdio::null()).status();
            if mounted.is_ok_and(|status| status.success()) {
                return Ok(Some(disk));
            }
        }
        println!("skipped: this user may mount no disk that could be full (unshare --map-root-user --mount)");
        Ok(None)
    }

    /// The folder in which it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// A shell that runs this script with the disk in its place. Its arguments are the command's further ones.
    ///
    /// # Errors
    /// If the script cannot be written.
    pub fn command(&self, script: &str) -> Result<Command> {
        let mut command = Command::new("sh");
        command.arg(self.write(script)?);
        Ok(command)
    }

    /// A program that is this one with the disk in its place.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn program(&self, program: &Path) -> Result<PathBuf> {
        self.write(&format!("exec {} \"$@\"", program.display()))
    }

    fn write(&self, script: &str) -> Result<PathBuf> {
        let (inner, outer) = (self.folder.path().join("inner.sh"), self.folder.path().join("outer.sh"));
        let (place, bytes, unshare) = (self.path(), self.bytes, self.unshare);
        let mount = format!("mount -t tmpfs -o size={bytes} tmpfs '{}'", place.display());
        fs::write(&inner, format!("{mount} && {{\n{script}\n}}\n"))?;
        fs::write(&outer, format!("#!/bin/sh\nexec {unshare} sh '{}' \"$@\"\n", inner.display()))?;
        fs::set_permissions(&outer, Permissions::from_mode(0o755))?;
        Ok(outer)
    }
}
