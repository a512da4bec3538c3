//! One process, no Python: what is kept, where, and what is found again.

use std::collections::VecDeque;
use std::path::Path;

use headwater_policy::PolicyName;
use headwater_types::ByteCount;
use tempfile::TempDir;

use super::*;

/// A cache of `samples` values that take a block each or more; limits in blocks of 4096 bytes.
fn settings(folder: &Path, samples: u64, memory: u64, ssd: u64, policy: PolicyName) -> NodeSettings {
    let bytes = |blocks: u64| ByteCount::new(4096 * blocks);
    NodeSettings {
        shared_memory: folder.join("shm"),
        name: "tests".to_owned(),
        samples,
        dataset: vec!["a dataset".to_owned()],
        memory: ByteCount::new(table_bytes(samples) + 4096 * memory),
        ssd: (ssd > 0).then(|| (folder.join("ssd"), bytes(ssd))),
        policy: Some(policy),
    }
}

/// What a training process does with a sample: finds it, or reads and puts it. `blocks` is what its file takes.
fn access(node: &Node, index: u64, blocks: usize) -> &'static str {
    access_bytes(node, index, 4096 * blocks)
}

fn access_bytes(node: &Node, index: u64, bytes: usize) -> &'static str {
    let pickle = vec![index as u8; bytes - SAMPLE_HEAD];
    match node.find(index) {
        Some(Found::InMemory(value)) => {
            let mut bytes = vec![0; value.length()];
            let layout = value.read(&mut bytes).unwrap();
            assert_eq!(bytes[layout.pickle], pickle);
            node.hit(index, None, false).unwrap();
            "memory"
        }
        Some(Found::OnSsd(bytes, layout)) => {
            assert_eq!(bytes[layout.pickle], pickle);
            node.hit(index, Some(&bytes), false).unwrap();
            "ssd"
        }
        None => {
            assert_eq!(node.lead(index).unwrap(), Lead::Mine);
            node.origin(index).unwrap();
            node.put(index, &pickle, &[], 0.001).unwrap();
            "origin"
        }
    }
}

fn counts(node: &Node, names: [&str; 3]) -> [u64; 3] {
    let counts = node.counts().unwrap();
    names.map(|name| counts.get(name))
}

/// Two tiers by recency, in 20 lines: the oldest goes first.
struct Model {
    limits: [usize; 2],
    tiers: [VecDeque<(u64, usize)>; 2],
}

impl Model {
    fn taken(&self, tier: usize) -> usize {
        self.tiers[tier].iter().map(|(_, blocks)| blocks).sum()
    }

    fn access(&mut self, index: u64, blocks: usize) -> &'static str {
        let place = |tier: &VecDeque<(u64, usize)>| tier.iter().position(|(key, _)| *key == index);
        let found = self.tiers.each_ref().map(place);
        if let [Some(at), _] = found {
            self.tiers[0].remove(at);
        } else {
            found[1].map(|at| self.tiers[1].remove(at));
            while self.taken(0) + blocks > self.limits[0] {
                let old = self.tiers[0].pop_front().unwrap();
                while self.taken(1) + old.1 > self.limits[1] {
                    self.tiers[1].pop_front();
                }
                self.tiers[1].push_back(old);
            }
        }
        self.tiers[0].push_back((index, blocks));
        ["memory", "ssd", "origin"][found.iter().position(Option::is_some).unwrap_or(2)]
    }
}

#[test]
fn lru_agrees_with_the_model_to_the_access() {
    let folder = TempDir::new().unwrap();
    let node = Node::open(&settings(folder.path(), 300, 60, 120, PolicyName::Lru)).unwrap();
    let mut model = Model { limits: [60, 120], tiers: Default::default() };
    let (mut state, mut seen) = (7_u64, [0; 3]);
    for step in 0..4000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Small indices are asked for more often.
        let share = (state >> 33) as f64 / (1_u64 << 31) as f64;
        let index = (300.0 * share * share * share) as u64;
        let blocks = 1 + (index * 7 % 5) as usize;
        let expected = model.access(index, blocks);
        assert_eq!(access(&node, index, blocks), expected, "step {step}");
        seen[["memory", "ssd", "origin"].iter().position(|name| *name == expected).unwrap()] += 1;
    }
    assert_eq!(counts(&node, ["memory_hits", "ssd_hits", "origin"]), seen);
    assert!(seen.iter().all(|count| *count > 400), "{seen:?}");
    let usage = node.usage().unwrap();
    for (tier, usage) in usage.iter().enumerate() {
        assert_eq!(usage.bytes.get(), 4096 * model.taken(tier) as u64);
        assert_eq!(usage.entries, model.tiers[tier].len() as u64);
    }
}

#[test]
fn nothing_that_came_first_gives_way_to_what_came_later() {
    for policy in [PolicyName::Static, PolicyName::Planned] {
        let folder = TempDir::new().unwrap();
        let node = Node::open(&settings(folder.path(), 40, 10, 5, policy)).unwrap();
        for pass in 0..3 {
            for index in 0..40 {
                let index = (index * 7 + pass) % 40;
                access(&node, index, 1);
            }
        }
        assert_eq!(counts(&node, ["memory_hits", "ssd_hits", "rejected"]), [20, 10, 75], "{policy}");
    }
}

#[test]
fn lfu_keeps_what_is_used_often() {
    let folder = TempDir::new().unwrap();
    let node = Node::open(&settings(folder.path(), 100, 5, 0, PolicyName::Lfu)).unwrap();
    for _ in 0..3 {
        (0..3).for_each(|index| {
            access(&node, index, 1);
        });
    }
    (10..60).for_each(|index| {
        access(&node, index, 1);
    });
    assert!((0..3).all(|index| access(&node, index, 1) == "memory"));
}

#[test]
fn with_one_tier_the_other_works_alone() {
    let folder = TempDir::new().unwrap();
    let ssd = Node::open(&settings(folder.path(), 10, 0, 5, PolicyName::Lru)).unwrap();
    assert_eq!([0, 1, 0, 0].map(|index| access(&ssd, index, 1)), ["origin", "origin", "ssd", "ssd"]);
    assert_eq!(ssd.usage().unwrap().map(|usage| usage.entries), [0, 2]);
    drop(ssd);
    let folder = TempDir::new().unwrap();
    let memory = Node::open(&settings(folder.path(), 10, 2, 0, PolicyName::Lru)).unwrap();
    assert_eq!([0, 1, 2, 0].map(|index| access(&memory, index, 1)), ["origin"; 4]);
    assert_eq!(counts(&memory, ["evicted", "demoted", "admitted"]), [2, 0, 4]);
}

#[test]
fn the_last_to_leave_removes_what_is_in_memory_and_the_ssd_stays() {
    let folder = TempDir::new().unwrap();
    let asked = settings(folder.path(), 20, 5, 10, PolicyName::Lru);
    let (first, second) = (Node::open(&asked).unwrap(), Node::open(&asked).unwrap());
    (0..15).for_each(|index| {
        access(&first, index, 1);
    });
    assert_eq!(access(&second, 14, 1), "memory");
    assert_eq!(first.counts().unwrap(), second.counts().unwrap());
    drop(first);
    assert_eq!(access(&second, 13, 1), "memory");
    assert_eq!(remove_orphans(&folder.path().join("shm")).unwrap(), 0);
    drop(second);
    assert_eq!(std::fs::read_dir(folder.path().join("shm")).unwrap().count(), 0);
    let again = Node::open(&asked).unwrap();
    assert_eq!(again.usage().unwrap().map(|usage| usage.entries), [0, 10]);
    assert_eq!((0..20).filter(|index| access(&again, *index, 1) == "ssd").count(), 10);
}

#[test]
fn what_a_dead_job_left_is_removed_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let shm = folder.path().join("shm");
    let node = Node::open(&settings(folder.path(), 20, 5, 0, PolicyName::Lru)).unwrap();
    (0..5).for_each(|index| {
        access(&node, index, 1);
    });
    let place = std::fs::read_dir(&shm).unwrap().next().unwrap().unwrap().path();
    // As it looks once its process is dead: nobody has a lock.
    let name = format!("{}-of-the-dead", place.file_name().unwrap().to_str().unwrap());
    let dead = shm.join(name);
    std::fs::create_dir(&dead).unwrap();
    for inner in ["members", "values", "unfinished"] {
        std::fs::create_dir(dead.join(inner)).unwrap();
    }
    std::fs::copy(place.join("table"), dead.join("table")).unwrap();
    std::fs::write(dead.join("members/1"), b"").unwrap();
    std::fs::write(dead.join("values/3"), b"value").unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&dead, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::create_dir(shm.join("psm_others")).unwrap();
    assert_eq!(remove_orphans(&shm).unwrap(), 1);
    assert!(!dead.exists() && shm.join("psm_others").exists());
    assert!((0..5).all(|index| access(&node, index, 1) == "memory"));
}

#[test]
fn a_change_that_was_cut_is_counted_anew() {
    let folder = TempDir::new().unwrap();
    let node = Node::open(&settings(folder.path(), 20, 10, 10, PolicyName::Lru)).unwrap();
    (0..15).for_each(|index| {
        access(&node, index, 1);
    });
    // Member 7 never lived: it stands for one that died in the middle of these.
    {
        let mut books = node.books().unwrap();
        for (index, state) in [(0, layout::State::ToSsd), (10, layout::State::Demoting), (19, layout::State::ToMemory)]
        {
            let row = books.row(index).unwrap().0;
            books.amend(index, layout::Row { state, mover: 7, reader: 7, length: 4096, ..row }).unwrap();
        }
        books.header.is_changing = true;
        books.header.bytes = [1 << 40, 7];
        node.table.set_header(&books.header).unwrap();
        books.keep_locked();
        let mut header = node.table.header().unwrap().unwrap();
        header.is_changing = true;
        node.table.set_header(&header).unwrap();
        node.table.unlock();
    }
    std::fs::write(folder.path().join("ssd/unfinished/7-3"), b"half").unwrap();
    let usage = node.usage().unwrap();
    assert_eq!(usage.map(|usage| (usage.entries, usage.bytes.get())), [(10, 40960), (4, 16384)]);
    assert!(!folder.path().join("ssd/unfinished/7-3").exists() && !folder.path().join("ssd/values/0").exists());
    assert_eq!([0, 10, 19, 1].map(|index| access(&node, index, 1)), ["origin", "memory", "origin", "ssd"]);
}

/// Nobody else would have put it right: whoever needs room finds it by other values giving way.
#[test]
fn what_a_dead_member_was_writing_takes_no_room() {
    let folder = TempDir::new().unwrap();
    let asked = settings(folder.path(), 20, 10, 10, PolicyName::Lru);
    let node = Node::open(&asked).unwrap();
    (0..15).for_each(|index| {
        access(&node, index, 1);
    });
    let whole = node.usage().unwrap();
    {
        let mut books = node.books().unwrap();
        let row = books.row(19).unwrap().0;
        let state = layout::State::ToSsd;
        books.change(19, &row, layout::Row { state, mover: 7, reader: 7, length: 4096, ..row }).unwrap();
    }
    let member = asked.folder(rustix::process::geteuid().as_raw()).join("members/7");
    std::fs::write(&member, b"").unwrap();
    assert_eq!(node.usage().unwrap(), whole);
    assert!(!member.exists(), "the dead is forgotten");
}

#[test]
fn ten_thousand_values_are_ready_at_once() {
    let folder = TempDir::new().unwrap();
    let asked = settings(folder.path(), 10_000, 0, 10_000, PolicyName::Static);
    let node = Node::open(&asked).unwrap();
    (0..10_000).for_each(|index| {
        access(&node, index, 1);
    });
    drop(node);
    let again = Node::open(&asked).unwrap();
    assert_eq!(again.usage().unwrap()[1].entries, 10_000);
    assert!((0..10_000).step_by(97).all(|index| access(&again, index, 1) == "ssd"));
}

/// The trace of [`Model`]'s kind whose answer is known: memory .32345, SSD .23175, origin .4448 of 20,000 accesses.
#[test]
fn lru_on_the_known_trace_has_the_known_hits() {
    let data = std::env::var_os("HEADWATER_TEST_DATA").map_or("../../../shared/data".into(), std::path::PathBuf::from);
    let Ok(trace) = std::fs::read_to_string(data.join("traces/zipf_var.tsv")) else {
        println!("no trace: the model's test stands alone");
        return;
    };
    // Files of 16 times the sizes, for the head of a value takes 64 bytes and the smallest size is 4.
    let folder = if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() }.unwrap();
    let mut asked = settings(folder.path(), 1000, 0, 1, PolicyName::Lru);
    asked.memory = ByteCount::new(table_bytes(1000) + 16 * 530_088);
    asked.ssd = Some((folder.path().join("ssd"), ByteCount::new(16 * 1_060_176)));
    let node = Node::open(&asked).unwrap();
    {
        let mut books = node.books().unwrap();
        books.header.blocks = [1, 1];
        books.begin().unwrap();
    }
    for line in trace.lines().filter(|line| !line.starts_with('#')) {
        let (key, size) = line.split_once('\t').unwrap();
        access_bytes(&node, key.parse().unwrap(), 16 * size.parse::<usize>().unwrap());
    }
    assert_eq!(counts(&node, ["memory_hits", "ssd_hits", "origin"]), [6469, 4635, 8896]);
    let usage = node.usage().unwrap().map(|usage| (usage.entries, usage.bytes.get() / 16));
    assert_eq!(usage, [(97, 522_151), (202, 1_058_767)]);
}
