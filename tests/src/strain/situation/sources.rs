//! Sources of very many samples: a server is killed while it indexes tar files, and started again over a bucket of ten
//! million objects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::strain::figure::Figure;
use crate::strain::made_up::{MadeUpBucket, write_shards};
use crate::strain::stage::Stage;
use crate::strain::subject::nap;
use crate::strain::timed::Timed;

/// Over what any of it takes.
const MOST: Duration = Duration::from_secs(900);
/// From one look at what is kept to the next.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a restart may take: until it answers, and until it serves, in seconds.
const HEALTH: f64 = 2.0;
const SERVING: f64 = 10.0;
/// Memory of a process for each sample beside its key, in bytes.
const BESIDE_KEY: f64 = 100.0;

/// What a catalog takes for each member beside its key, in bytes.
const CATALOG_BESIDE_KEY: f64 = 28.0;
/// What a catalog takes for names of shards and classes, in bytes: a share of one for each of a million members.
const NAMES: usize = 4096;
/// Members that are indexed a second from the page cache.
const INDEXED: f64 = 100_000.0;

/// A start, and two more, over a bucket whose objects are made up: the second has changed by a thousandth.
pub(super) fn objects(stage: &Stage) -> Result<Vec<Figure>> {
    let count: u64 = stage.either(10_000_000, 20_000);
    let bucket = MadeUpBucket::start(count)?;
    let restarts = Restarts { stage, state: &stage.scratch().join("objects"), bucket: &bucket, count };
    let mut figures = vec![Figure::number("objects", count as f64, "")];
    figures.extend(restarts.first()?);
    figures.extend(restarts.again("restart")?);
    bucket.change();
    figures.extend(restarts.again("restart, 1 of 1,000 changed")?);
    Ok(figures)
}

/// Starts of a server over one bucket.
struct Restarts<'a> {
    stage: &'a Stage,
    state: &'a Path,
    bucket: &'a MadeUpBucket,
    count: u64,
}

// === impl Restarts ===

impl Restarts<'_> {
    fn start(&self, name: &str) -> Result<Timed> {
        self.stage.progress(name);
        let log = self.stage.scratch().join(format!("{}.log", name.replace(' ', "-")));
        Timed::start("s3://photos", self.state, &log, &["--s3-endpoint", &self.bucket.address])
    }

    /// Nothing is kept yet: what it serves has to be listed.
    fn first(&self) -> Result<Vec<Figure>> {
        let mut server = self.start("first start")?;
        let serves = server.serves(self.stage.runtime(), MOST)?;
        // It is kept beside serving.
        server.until(MOST, "the catalog is kept", |_| Ok(kept(self.state, "lists") > 0))?;
        let mut figures = vec![Figure::number("first start: serves after", serves, "s")];
        figures.extend(self.memory("first start", &server)?);
        figures.push(Figure::number("first start: ends after", server.end()?, "s"));
        Ok(figures)
    }

    /// What the last start listed is served until it is listed anew.
    fn again(&self, name: &str) -> Result<Vec<Figure>> {
        let mut server = self.start(name)?;
        let answers = server.answers(MOST)?;
        let serves = server.serves(self.stage.runtime(), MOST)?;
        let mut figures = vec![
            self.judged(format!("{name}: answers after"), answers, "s", HEALTH),
            self.judged(format!("{name}: serves after"), serves, "s", SERVING),
        ];
        let (_, listed) = server.listed(MOST)?;
        figures.push(Figure::number(format!("{name}: has listed anew after"), listed, "s"));
        let changed = name.contains("changed");
        let is_served = |server: &Timed| Ok(server.metric("dataset_generation")? == if changed { 2.0 } else { 1.0 });
        // A listing that was quick enough is served as the first generation.
        if self.stage.is_full() {
            server.until(MOST, "what was listed anew is served", is_served)?;
        }
        figures.extend(self.memory(name, &server)?);
        server.end()?;
        Ok(figures)
    }

    fn memory(&self, name: &str, server: &Timed) -> Result<Vec<Figure>> {
        let [now, most] = server.memory()?;
        let keys = self.bucket.key_bytes();
        let each = |bytes: u64| bytes.saturating_sub(keys) as f64 / self.count as f64;
        Ok(vec![
            Figure::number(format!("{name}: RSS at most"), most as f64 / f64::from(1 << 20), "MiB"),
            self.judged(format!("{name}: RSS at most, each beside its key"), each(most), "B", BESIDE_KEY),
            Figure::number(format!("{name}: RSS then, each beside its key"), each(now), "B"),
        ])
    }

    /// A figure with a limit that holds for the full number of objects on a machine of one's own.
    fn judged(&self, what: String, value: f64, unit: &str, limit: f64) -> Figure {
        if self.stage.is_full() { Figure::at_most(what, value, unit, limit) } else { Figure::number(what, value, unit) }
    }
}

/// Tar files that are indexed by a server that is killed at half of them, and by the next.
pub(super) fn members(stage: &Stage) -> Result<Vec<Figure>> {
    let (shards, members) = stage.either((100, 1_000_000), (10, 20_000));
    let (folder, state) = (stage.scratch().join("shards"), stage.scratch().join("members"));
    stage.progress("writing tar files");
    let bytes = write_shards(&folder, shards, members)? as f64;
    let data = format!("tar:{}", folder.display());
    let start = |name: &str| Timed::start(&data, &state, &stage.scratch().join(name), &["--no-cache"]);

    let mut server = start("killed.log")?;
    let half = shards as u64 / 2;
    // A small index may be done before anybody looks.
    server.until(MOST, "half of the tar files are indexed", |_| {
        nap(LOOK_EVERY);
        Ok(kept(&state, "") >= half)
    })?;
    server.kill()?;
    let indexed = kept(&state, "");

    let mut server = start("resumed.log")?;
    server.serves(stage.runtime(), MOST)?;
    let (listed, _) = server.listed(MOST)?;
    let samples = listed["samples"].as_u64().context("the log says no samples")?;
    let read = server.metric("source_fetched_bytes_total")? / bytes;
    let left = 1.0 - indexed as f64 / shards as f64;
    let mut figures = vec![
        Figure::number("tar files indexed when it was killed", indexed as f64, ""),
        Figure::holds("members that the next start serves", samples, &members.to_string(), samples == members as u64),
        Figure::at_most("read by the next start, of all bytes", read, "", left + 0.01),
    ];
    server.end()?;

    std::fs::remove_dir_all(&state)?;
    let mut server = start("anew.log")?;
    let (listed, _) = server.listed(MOST)?;
    let figure = |name: &str| listed[name].as_f64().with_context(|| format!("the log says no {name}"));
    let keys = members * "n00000000/n00000000.JPEG".len();
    let beside = (figure("memory")? - (keys + NAMES) as f64) / members as f64;
    figures.push(Figure::at_most("catalog, each beside its key", beside, "B", CATALOG_BESIDE_KEY));
    let rate = members as f64 / figure("seconds")?;
    figures.push(match stage.is_full() {
        true => Figure::holds("members indexed a second", format!("{rate:.0}"), ">= 100000", rate >= INDEXED),
        false => Figure::number("members indexed a second", rate, ""),
    });
    server.end()?;
    Ok(figures)
}

/// How many things are kept whole in this folder below each dataset's own; the folder itself is the empty name.
fn kept(state: &Path, folder: &str) -> u64 {
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let is_whole = |path: &&PathBuf| path.extension().is_none() && path.is_file();
    let of_dataset = |dataset: &PathBuf| names(&dataset.join(folder)).iter().filter(is_whole).count();
    names(&state.join("catalog")).iter().map(of_dataset).sum::<usize>() as u64
}
