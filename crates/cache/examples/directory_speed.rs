//! How long a folder of entries takes to put, get, open and count: `directory_speed DIR [ENTRIES] [BYTES]`.
//!
//! DIR is filled and left there, so that a second run opens what the first has made.

use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use headwater_cache::{Directory, Entry, EntryKey, Kind};
use headwater_store::Version;
use headwater_types::{ByteCount, Digest};

/// Entries that are got: in the page cache, as those of a server that serves epoch after epoch.
const HOT: u64 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("give a folder")?);
    let entries: u64 = arguments.next().map_or(Ok(HOT), |text| text.parse())?;
    let length: usize = arguments.next().map_or(Ok(22_000), |text| text.parse())?;
    let dataset = Digest::of(b"directory_speed");
    let key = |number: u64| -> Result<EntryKey, Box<dyn std::error::Error>> {
        let sample = format!("class/{number}.jpg").parse()?;
        let most = ByteCount::new(length as u64 * 5 / 4 + 4096);
        Ok(EntryKey::new(Kind::Indexed, &dataset, &sample, Version::of_file(length as u64, 1, 2), most))
    };
    let mut out = io::stdout().lock();

    let began = Instant::now();
    let directory = Directory::open(&path, ByteCount::mebibytes(1 << 20))?;
    writeln!(out, "open       {:?}, {} on disk", began.elapsed(), directory.usage())?;

    let entry = Entry::Bytes((0..length).map(|at| (at * 7919 / 8) as u8).collect());
    let (mut put, began) = (0, Instant::now());
    for number in 0..entries {
        if directory.get(&key(number)?)?.is_none() {
            directory.put(&key(number)?, &entry)?;
            put += 1;
        }
    }
    writeln!(out, "put        {:?} each of {put}", each(began.elapsed(), put))?;

    let hot = entries.min(HOT);
    let keys = (0..hot).map(key).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        for key in &keys {
            black_box(directory.get(key)?);
        }
        rounds.push(each(began.elapsed(), hot));
    }
    rounds.sort_unstable();
    writeln!(out, "get        {:?} each: medians of 5 rounds over {hot}", rounds[2])?;
    let began = Instant::now();
    for number in 0..hot {
        black_box(key(number)?);
    }
    writeln!(out, "key        {:?} each", each(began.elapsed(), hot))?;

    let began = Instant::now();
    let counted = directory.sweep(None, |_| true)?;
    writeln!(out, "recount    {:?} for {entries}: {counted:?}", began.elapsed())?;
    let began = Instant::now();
    drop(Directory::open(&path, ByteCount::mebibytes(1 << 20))?);
    writeln!(out, "open again {:?}", began.elapsed())?;
    Ok(())
}

fn each(took: Duration, count: u64) -> Duration {
    took.div_f64(count.max(1) as f64)
}
