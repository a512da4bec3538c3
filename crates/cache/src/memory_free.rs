//! How much memory a process may take, and how much of it is free: what the system has, within the limits of the
//! process's control groups.
//!
//! What counts as free is what the kernel calls available: pages of files that it can drop at once are free. A control
//! group's limit is looked for in the group itself and in every group around it, in version 2 and in version 1.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use headwater_types::ByteCount;

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// The memory that this process may take beyond what it has.
///
/// # Errors
/// The system does not say what is available.
pub fn free_memory() -> io::Result<ByteCount> {
    let available = available(&fs::read_to_string("/proc/meminfo")?)
        .ok_or_else(|| io::Error::other("/proc/meminfo does not say MemAvailable"))?;
    let of_groups = own_folders().iter().filter_map(|folder| left(folder)).min();
    Ok(ByteCount::new(of_groups.map_or(available, |left| left.min(available))))
}

/// The memory that this process and those beside it in its container may take together; `None` where no control group
/// has a limit, and the machine's memory is the only one.
pub fn memory_limit() -> Option<ByteCount> {
    own_folders().iter().filter_map(|folder| limit(folder)).min().map(ByteCount::new)
}

/// The folders of the groups that this process is in.
fn own_folders() -> Vec<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    folders(&groups, Path::new(GROUPS))
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The folders of the groups that the process is in, and of all groups around them.
fn folders(groups: &str, mount: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let root = match controllers {
            "" => mount.to_owned(),
            _ if controllers.split(',').any(|each| each == "memory") => mount.join("memory"),
            _ => continue,
        };
        let group = Path::new(path.trim_start_matches('/'));
        // In a container the path may be that of the machine, which is not there: its own group is the root then.
        folders.extend(group.ancestors().map(|group| root.join(group)));
    }
    folders
}

/// What a group has in a file.
fn number(folder: &Path, name: &str) -> Option<u64> {
    fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok()
}

/// A group's limit; `None` for one without a limit. Version 1 writes a number of nearly 63 bits where there is none.
fn limit(folder: &Path) -> Option<u64> {
    let limit = number(folder, "memory.max").or_else(|| number(folder, "memory.limit_in_bytes"))?;
    (limit < 1 << 62).then_some(limit)
}

/// What a group leaves of its limit; `None` for one without a limit. Pages of files that nobody uses can be dropped.
fn left(folder: &Path) -> Option<u64> {
    let limit = limit(folder)?;
    let used = number(folder, "memory.current").or_else(|| number(folder, "memory.usage_in_bytes"))?;
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let of_files = |name: &str| {
        let found = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.and_then(|value| value.trim().parse::<u64>().ok())
    };
    let droppable = of_files("total_inactive_file").or_else(|| of_files("inactive_file")).unwrap_or_default();
    Some(limit.saturating_sub(used.saturating_sub(droppable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_what_is_available() {
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:   12 kB\n"), Some(12 * 1024));
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable: x kB\n"), None);
        assert!(free_memory().unwrap() > ByteCount::new(0));
    }

    #[test]
    fn the_narrowest_group_around_the_process_counts_less_what_can_be_dropped() {
        let mount = tempfile::TempDir::new().unwrap();
        let write = |group: &str, files: &[(&str, &str)]| {
            let folder = mount.path().join(group);
            fs::create_dir_all(&folder).unwrap();
            files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        };
        write("", &[("memory.max", "max\n"), ("memory.current", "5\n")]);
        write("pods", &[("memory.max", "1000\n"), ("memory.current", "700\n"), ("memory.stat", "inactive_file 50\n")]);
        write("pods/one", &[("memory.max", "max\n"), ("memory.current", "600\n")]);
        write("memory/old", &[("memory.limit_in_bytes", "900\n"), ("memory.usage_in_bytes", "100\n")]);
        write("memory", &[("memory.limit_in_bytes", "9223372036854771712\n"), ("memory.usage_in_bytes", "100\n")]);
        let groups = "0::/pods/one\n4:memory:/old\n3:cpuset:/\n";
        let folders = folders(groups, mount.path());
        assert_eq!(folders.iter().filter_map(|folder| left(folder)).collect::<Vec<_>>(), [350, 800]);
        assert_eq!(folders.iter().filter_map(|folder| limit(folder)).collect::<Vec<_>>(), [1000, 900]);
    }
}
