//! Several processes, jobs and users on one folder: one limit, which holds at every moment.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use headwater_cache::{Cache, Outcome, PolicyName};
use tempfile::TempDir;

use crate::common::{MIB, blocks, files, is_there, put, settings};

/// What a job of the tests below is told: its folder, and its number.
const FOLDER: &str = "HEADWATER_TEST_CACHE";
const JOB: &str = "HEADWATER_TEST_JOB";
const LIMIT: u64 = 4 * MIB;

/// This program, running the one test that is a job, as another process.
fn job(program: &Path, folder: &Path, number: u32) -> Command {
    // Under the umask that keeps others out of what a program makes.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 077 && exec \"$0\" \"$@\""]).arg(program).args([
        "--exact",
        "sharing::a_job",
        "--nocapture",
        "--test-threads",
        "1",
    ]);
    command.env(FOLDER, folder).env(JOB, number.to_string()).stdout(Stdio::null());
    command
}

/// Not a promise, but the job that others start: it reads and puts, half of its samples being everybody's.
#[test]
fn a_job() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let number: u32 = std::env::var(JOB).unwrap().parse().unwrap();
    let cache = Cache::open(settings(Path::new(&folder), MIB / 4, LIMIT, PolicyName::Lru)).unwrap();
    for step in 0..1500_u32 {
        let sample = (step ^ number << 20).wrapping_mul(0x9e37_79b1) >> 16;
        let sample = sample % 200;
        let sample = if sample.is_multiple_of(2) { sample } else { 1000 * number + sample };
        let length = 5000 + sample as usize % 50 * 1000;
        if !is_there(&cache, sample, length) {
            put(&cache, sample, length);
        }
        assert!(cache.held().get() <= MIB / 4);
    }
    cache.settle();
    let counts = cache.counts();
    let hits = counts.total(Outcome::MemoryHit) + counts.total(Outcome::SsdHit);
    assert!(hits > 100 && counts.total(Outcome::Corrupt) == 0, "{counts:?}");
}

/// Runs jobs, and looks at the folder meanwhile 100 times a second.
fn run(folder: &TempDir, jobs: Vec<Command>) {
    let mut jobs: Vec<_> = jobs.into_iter().map(|mut job| job.spawn().unwrap()).collect();
    let mut samples = 0;
    while jobs.iter_mut().any(|job| job.try_wait().unwrap().is_none()) {
        let taken = blocks(folder);
        assert!(taken <= LIMIT, "{taken}");
        samples += 1;
        std::thread::park_timeout(Duration::from_millis(10));
    }
    for mut job in jobs {
        assert!(job.wait().unwrap().success());
    }
    assert!(samples > 1 && blocks(folder) > LIMIT / 2);
}

#[test]
fn two_and_four_processes_keep_one_limit_at_every_moment() {
    let program = std::env::current_exe().unwrap();
    for jobs in [2, 4] {
        let folder = TempDir::new().unwrap();
        run(&folder, (0..jobs).map(|number| job(&program, folder.path(), number)).collect());
        // The last of them leaves no books behind that the next does not find.
        let next = Cache::open(settings(folder.path(), 0, LIMIT, PolicyName::Lru)).unwrap();
        assert_eq!(
            crate::common::usage(&next, headwater_cache::Tier::Ssd),
            (blocks(&folder), files(&folder).len() as u64)
        );
    }
}

#[test]
fn two_users_and_four_jobs_share_a_folder_that_is_given_to_both() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("left out: only root can run jobs as two users");
        return;
    }
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    // The program where other users may read it.
    let program = folder.path().join("job");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let shared = folder.path().join("cache");
    std::fs::create_dir(&shared).unwrap();
    let (group, users) = (64_123, [64_001, 64_002]);
    std::os::unix::fs::chown(&shared, Some(users[0]), Some(group)).unwrap();
    std::fs::set_permissions(&shared, PermissionsExt::from_mode(0o2770)).unwrap();
    let jobs = (0..4).map(|number| {
        let mut job = job(&program, folder.path(), number);
        job.uid(users[number as usize % 2]).gid(group);
        job
    });
    run(&folder, jobs.collect());
    let owners: BTreeSet<_> = files(&folder).iter().map(|file| std::fs::metadata(file).unwrap().uid()).collect();
    assert_eq!(owners.into_iter().collect::<Vec<_>>(), users);
}
