//! A server in a container with little memory has defaults that fit into it, says so, and serves: it is not killed for
//! what its settings would let it take on a machine of its own.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use headwater_tests::{Data, Logged, program};
use serde_json::Value;

const LIMIT: u64 = 512 << 20;

/// A control group with a limit of memory.
struct Group(PathBuf);

// === impl Group ===

impl Group {
    /// `None` where none can be made here.
    fn new() -> Option<Self> {
        let places = [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")];
        places.iter().find_map(|(mount, limit)| {
            if !Path::new(mount).join("cgroup.procs").exists() {
                return None;
            }
            let group = Self(Path::new(mount).join(format!("headwater-test-{}", std::process::id())));
            fs::create_dir(&group.0).ok()?;
            fs::write(group.0.join(limit), LIMIT.to_string()).ok()?;
            Some(group)
        })
    }

    /// This program, as it runs in the group.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new("sh");
        let procs = self.0.join("cgroup.procs");
        command.args(["-c", "echo $$ > \"$1\"; shift; exec \"$@\"", "sh"]).arg(procs).arg(program(name));
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes are gone, but the kernel may be told so only in a moment.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn defaults_fit_into_a_small_container() {
    let Some(group) = Group::new() else {
        eprintln!("skipped: no control group with a limit of memory can be made here");
        return;
    };
    let data = Data::photos().unwrap();
    let mut command = group.command("storage-server");
    command.args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--no-cache", "--data"]);
    let server = Logged::start(command.arg(&data.photos));
    let address = server.address("serving");
    let said: Value = serde_json::from_str(&server.says("the container's limit of memory")).unwrap();
    assert_eq!(said["container_bytes"], LIMIT);
    let bytes = |name: &str| said[name].as_u64().unwrap();
    assert_eq!(bytes("memory_bytes"), 192 << 20);
    assert!(bytes("max_sample_memory_bytes") < bytes("memory_bytes"));

    let mut epoch = Command::new(program("profiler"));
    epoch.args(["epoch", "--servers", &address, "--dataset", "photos", "--recipe", "imagenet-train"]);
    epoch.args(["--mode", "decoded", "--max-failures", "0", "--json"]).stdout(Stdio::null());
    let mut epoch = Logged::start(&mut epoch);
    assert_eq!(epoch.code(), Some(0), "{}\n{}", epoch.log(), server.log());
    drop(server);
}
