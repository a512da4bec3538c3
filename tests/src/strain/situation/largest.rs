//! What a server lets in, it can serve: a file near the most bytes, at the least memory, at every cut.

use anyhow::Result;

use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::honest::Epoch;
use crate::strain::photos::Photos;
use crate::strain::stage::Stage;

/// `--memory`.
const MEMORY: u64 = 300 << 20;

/// Every cut but features, whose samples are decoded as those of normalized are.
pub(super) fn every_cut(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::largest_files(stage.either(4, 1));
    // With its index: what is re-written is larger than what is stored.
    let subject = stage.start(ServerOptions::new(&stage.photos(&photos)?), MEMORY)?;
    let mut figures = Vec::new();
    for cut in &Cut::ALL[..Cut::ALL.len() - 1] {
        stage.progress(&format!("files of 62 MiB at {cut}"));
        let epoch = Epoch::read(&subject.address(), *cut, photos.count, stage.scratch())?;
        let found = if epoch.complete { format!("{:.2} s", epoch.seconds) } else { epoch.last_words() };
        figures.push(Figure::holds(format!("an epoch at {cut}"), found, "complete", epoch.complete));
    }
    figures.push(subject.most_memory("at most"));
    Ok(figures)
}
