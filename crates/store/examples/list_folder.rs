//! How long a folder of many files takes to list, and what its catalog weighs:
//! `cargo run -p headwater-store --example list_folder -- 1000000 1000`
//! makes so many one-byte files in so many folders of a temporary directory, lists them three times, and deletes them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use headwater_store::{Catalog, Location, StoreOptions, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let files = numbers.next().transpose()?.unwrap_or(100_000);
    let folders = numbers.next().transpose()?.unwrap_or(1_000).max(1);
    let root = tempfile::tempdir()?;
    println!("{files} files in {folders} folders below {}", root.path().display());
    make(root.path(), files, folders)?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let location = Location::folder(root.path());
    let store = runtime.block_on(open(&location, &StoreOptions::default()))?;
    for _ in 0..3 {
        let began = Instant::now();
        let catalog = runtime.block_on(store.list(None))?;
        report(&catalog, began.elapsed().as_secs_f64());
    }
    println!("deleting the files");
    Ok(root.close()?)
}

fn make(root: &Path, files: usize, folders: usize) -> io::Result<()> {
    for folder in 0..folders {
        let path = root.join(format!("n{folder:08}"));
        fs::create_dir(&path)?;
        for file in (folder..files).step_by(folders) {
            fs::write(path.join(format!("n{folder:08}_{file}.JPEG")), b"x")?;
        }
    }
    Ok(())
}

fn report(catalog: &Catalog, seconds: f64) {
    let keys: usize = catalog.iter().map(|(_, entry)| entry.key.len()).sum();
    let beside = (catalog.memory().as_usize() - keys) as f64 / catalog.len().max(1) as f64;
    println!(
        "{} samples in {seconds:.2} s, {:.0} a second; {beside:.1} bytes each beside the key; digest {}",
        catalog.len(),
        catalog.len() as f64 / seconds,
        catalog.digest().short(),
    );
}
