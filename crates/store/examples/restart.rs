//! What a restart over many samples costs:
//! `cargo run --release -p headwater-store --example restart -- FOLDER 10000000`
//! lists so many made-up objects and keeps their catalog below FOLDER; run once more it loads that, and compares it
//! with a listing of the same objects but for one in a thousand. It says at each step what memory the process has.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_store::{
    Apart, Catalog, CatalogBuilder, Extent, Kept, Location, Start, Store, StoreError, StoreOptions, Version, start,
};
use headwater_types::{Digest, SampleFailure};

/// Objects that are made up while they are listed.
struct MadeUp {
    samples: u64,
    /// Whether a catalog was kept: then the listing begins late, and some objects are others.
    is_again: bool,
    options: StoreOptions,
}

#[async_trait]
impl Store for MadeUp {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        if self.is_again {
            tokio::time::sleep(Duration::from_secs(6)).await;
        }
        let began = Instant::now();
        let mut found = CatalogBuilder::of(&self.options, base);
        for n in 0..self.samples {
            let stamp = if self.is_again && n % 1000 == 0 { "changed" } else { "as it was" };
            found.push(&key(n, self.samples), Version::of_object(100_000 + n % 50_000, stamp))?;
        }
        say("listed, not sorted yet", began);
        let catalog = found.finish();
        say("sorted and digested", began);
        Ok(catalog)
    }

    fn place(&self) -> Digest {
        Digest::of(b"made up")
    }

    fn source(&self) -> &'static str {
        "folder"
    }

    async fn read(&self, _: &Extent) -> Result<Bytes, SampleFailure> {
        Ok(Bytes::new())
    }

    fn check(&self, _: &Extent) -> Result<(), SampleFailure> {
        Ok(())
    }

    fn check_now(&self, _: &Extent) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder, and the number of samples")?);
    let samples = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let location: Location = "s3://made-up".parse()?;
    let kept = Kept::at(Apart::from(&location, "FOLDER", folder.clone())?);
    let options = StoreOptions { kept, ..StoreOptions::default() };
    let store: Arc<dyn Store> = Arc::new(MadeUp { samples, is_again: folder.exists(), options: options.clone() });
    let key_bytes: u64 = (0..samples).map(|n| key(n, samples).len() as u64).sum();
    println!("{samples} samples, {:.1} bytes each key", key_bytes as f64 / samples as f64);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let began = Instant::now();
    let catalog = runtime.block_on(async {
        match start(&location, &store, &options).await?.0 {
            Start::Listed(catalog) => Ok::<_, StoreError>(catalog),
            Start::Kept(kept, underway) => {
                say("the kept catalog is served, 5 s of them waited", began);
                let listed = underway.done().await?;
                let compared = Instant::now();
                let replaced = kept.differences(&listed).replaced;
                println!("{} samples are others, found in {:.1} s", replaced.len(), compared.elapsed().as_secs_f64());
                Ok(listed)
            }
        }
    })?;
    let beside = (catalog.memory().get() - key_bytes) as f64 / samples as f64;
    println!("{beside:.1} bytes each beside the key in the catalog");
    // Waits until the catalog is kept.
    drop(runtime);
    say("done", began);
    Ok(())
}

/// As in ImageNet: 28 bytes or so.
fn key(n: u64, samples: u64) -> String {
    let class = n / (samples / 1000).max(1);
    format!("n{class:08}/n{class:08}_{n}.JPEG")
}

fn say(what: &str, began: Instant) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned();
    let (now, most) = (of("VmRSS:"), of("VmHWM:"));
    println!("{:6.1} s  {what}: {now} of memory, {most} at most so far", began.elapsed().as_secs_f64());
}
