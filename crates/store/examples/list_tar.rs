//! How long tar files take to index, and what their catalog weighs:
//! `cargo run -p headwater-store --example list_tar -- 1000000 100`
//! makes so many members of one byte in so many tar files of a temporary directory; lists them twice by reading them,
//! and twice from the indexes that were kept; and deletes them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use headwater_store::{Apart, Catalog, Kept, Location, StoreOptions, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let members = numbers.next().transpose()?.unwrap_or(100_000);
    let shards = numbers.next().transpose()?.unwrap_or(10).max(1);
    let (root, state) = (tempfile::tempdir()?, tempfile::tempdir()?);
    println!("{members} members in {shards} tar files below {}", root.path().display());
    for shard in 0..shards {
        write(&root.path().join(format!("{shard:06}.tar")), (shard..members).step_by(shards))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let location: Location = format!("tar:{}", root.path().display()).parse()?;
    let kept = Kept::at(Apart::from(&location, "--state", state.path().to_owned())?);
    for (what, kept) in [("read", Kept::nowhere()), ("read and kept", kept.clone()), ("from what is kept", kept)] {
        let options = StoreOptions { kept, ..StoreOptions::default() };
        let store = runtime.block_on(open(&location, &options))?;
        let began = Instant::now();
        let catalog = runtime.block_on(store.list(None))?;
        report(what, &catalog, began.elapsed().as_secs_f64());
    }
    println!("deleting the files");
    Ok(root.close()?)
}

fn write(path: &Path, members: impl Iterator<Item = usize>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for member in members {
        file.write_all(&header(&format!("n{:08}/n{member:08}.JPEG", member % 1000)))?;
        file.write_all(&[b'x'; 512])?;
    }
    file.write_all(&[0; 1024])
}

/// The header of a member of 512 bytes.
fn header(name: &str) -> [u8; 512] {
    let mut block = [0; 512];
    let fields = [(0, name), (100, "0000644"), (124, "00000001000"), (148, "        "), (156, "0"), (257, "ustar")];
    for (at, text) in fields {
        block[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn report(what: &str, catalog: &Catalog, seconds: f64) {
    let keys: usize = catalog.iter().map(|(_, entry)| entry.key.len()).sum();
    let beside = (catalog.memory().as_usize() - keys) as f64 / catalog.len().max(1) as f64;
    println!(
        "{what}: {} samples in {seconds:.2} s, {:.0} a second; {beside:.1} bytes each beside the key; digest {}",
        catalog.len(),
        catalog.len() as f64 / seconds,
        catalog.digest().short(),
    );
}
