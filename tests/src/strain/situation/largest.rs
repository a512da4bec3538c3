//! What a server lets in, it can serve: a file near the most bytes, at the least memory, at every cut.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::run::run;
use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::honest::Epoch;
use crate::strain::photos::Photos;
use crate::strain::stage::Stage;

/// The least `--memory` that the server says it starts with, in bytes.
fn least_memory(photos: &Path) -> Result<u64> {
    let photos = photos.display().to_string();
    let refused = run("storage-server", ["serve", "--data", &photos, "--dataset", "photos", "--memory", "1MiB"])?;
    let least = refused.stderr.split("give at least ").nth(1).and_then(|rest| rest.split("MiB").next());
    let least = least.and_then(|number| number.trim().parse::<u64>().ok());
    Ok(least.with_context(|| format!("no least --memory in {}", refused.stderr))? << 20)
}

/// Every cut but features, whose samples are decoded as those of normalized are.
pub(super) fn every_cut(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::largest_files(stage.either(4, 1));
    // With its index: what is re-written is larger than what is stored.
    let folder = stage.photos(&photos)?;
    let memory = least_memory(&folder)?;
    let subject = stage.start(ServerOptions::new(&folder), memory)?;
    let mut figures = vec![Figure::number("the least --memory", (memory >> 20) as f64, "MiB")];
    for cut in &Cut::ALL[..Cut::ALL.len() - 1] {
        stage.progress(&format!("files of 62 MiB at {cut}"));
        let epoch = Epoch::read(&subject.address(), *cut, photos.count, stage.scratch())?;
        let found = if epoch.complete { format!("{:.2} s", epoch.seconds) } else { epoch.last_words() };
        figures.push(Figure::holds(format!("an epoch at {cut}"), found, "complete", epoch.complete));
    }
    figures.push(subject.most_memory("at most"));
    Ok(figures)
}
