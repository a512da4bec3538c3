//! The honest client's epoch beside readers that stopped, against its own time: on a second server that serves nobody
//! else, turn about, so that whatever else this machine does touches both.

use std::time::Duration;

use anyhow::Result;

use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::honest::Epoch;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Origin, Readers};
use crate::strain::stage::Stage;
use crate::strain::subject::{DEFAULT_MEMORY, Subject};

/// An epoch beside others may take so many times its own time.
const MOST_RATIO: f64 = 1.2;
/// Pairs of epochs, of which the medians count: so many, and more where these are over the limit, since others use this
/// machine too.
const ROUNDS: [usize; 2] = [5, 15];
/// How long readers may take to fill what they are given.
const SETTLE: Duration = Duration::from_secs(30);

/// Two servers of the same photos: one for whoever strains it, one for nobody else.
pub(super) struct Pair {
    pub(super) strained: Subject,
    free: Subject,
    samples: usize,
}

// === impl Pair ===

impl Pair {
    /// With default settings.
    pub(super) fn start(stage: &Stage, photos: &Photos) -> Result<Self> {
        Self::with(stage, photos, (DEFAULT_MEMORY, &[]))
    }

    /// With so much `--memory`, and these further settings.
    pub(super) fn with(stage: &Stage, photos: &Photos, (memory, further): (u64, &[&str])) -> Result<Self> {
        let options = ServerOptions::new(&stage.photos(photos)?).arg("--no-cache").args(further.iter().copied());
        let start = || stage.start(options.clone(), memory);
        Ok(Self { strained: start()?, free: start()?, samples: photos.count })
    }

    /// Readers of the strained one, once they have all that they are given.
    pub(super) fn strain(&self, stage: &Stage, manner: &Manner) -> Result<Readers> {
        let readers = Readers::open(stage.runtime(), &self.strained.address(), self.samples, manner)?;
        self.strained.settle(SETTLE)?;
        Ok(readers)
    }

    /// Epochs at a cut on both: whether those beside the readers are complete, and their time against the other.
    pub(super) fn compare(&self, stage: &Stage, cut: Cut, beside: &str) -> Result<Vec<Figure>> {
        self.compare_within(stage, (cut, beside), MOST_RATIO, || Ok(()))
    }

    /// The same with another limit than [`MOST_RATIO`], and `before` each epoch on the strained one.
    pub(super) fn compare_within(
        &self,
        stage: &Stage,
        (cut, beside): (Cut, &str),
        most_ratio: f64,
        mut before: impl FnMut() -> Result<()>,
    ) -> Result<Vec<Figure>> {
        let what = format!("{cut}: an epoch beside {beside}");
        let read = |subject: &Subject| Epoch::read(&subject.address(), cut, self.samples, stage.scratch());
        let (mut alone, mut strained, mut words) = (Vec::new(), Vec::new(), None);
        let [least, most] = stage.either(ROUNDS, [1, 1]);
        for round in 0..most {
            // Asked once: to stop at whichever round happens to keep the limit would be to choose the figure.
            if round == least && median(&mut strained) <= most_ratio * median(&mut alone) {
                break;
            }
            stage.progress(&format!("{what}, round {}", round + 1));
            let own = read(&self.free)?;
            anyhow::ensure!(own.complete, "{cut}: an epoch alone is not complete: {}", own.last_words());
            before()?;
            let epoch = read(&self.strained)?;
            words = words.or_else(|| epoch.words_of_memory());
            if !epoch.complete {
                let found = format!("{} (alone {:.2} s)", epoch.last_words(), own.seconds);
                let words = Figure::note("what it was told", words.unwrap_or_else(|| "nothing".to_owned()));
                return Ok(vec![Figure::holds(what, found, "complete", false), words]);
            }
            alone.push(own.seconds);
            strained.push(epoch.seconds);
        }
        let [own, seconds] = [median(&mut alone), median(&mut strained)];
        let found = format!("complete in {seconds:.2} s, alone {own:.2} s");
        let mut figures = vec![Figure::holds(&what, found, "complete", true)];
        figures.extend(words.map(|words| Figure::note("what it was told meanwhile", words)));
        if stage.is_full() {
            figures.push(Figure::at_most(what, seconds / own, "times its own", most_ratio));
        }
        Ok(figures)
    }
}

/// 1, 8 and 100 readers of another host at each cut, 8 of the honest client's own, and 100 of as many.
pub(super) fn every_cut(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(stage.either(120, 48));
    let folder = stage.photos(&photos)?;
    let start = || -> Result<(Subject, bool)> {
        let options = ServerOptions::new(&folder).arg("--no-cache");
        let with_model = stage.with_model(options.clone())?;
        let has_model = with_model.is_some();
        Ok((stage.start(with_model.unwrap_or(options), DEFAULT_MEMORY)?, has_model))
    };
    let ((strained, has_model), (free, _)) = (start()?, start()?);
    let pair = Pair { strained, free, samples: photos.count };
    let mut figures = Vec::new();
    let cuts: &[Cut] = stage.either(&Cut::ALL, &[Cut::DECODED]);
    for &cut in cuts {
        if cut == Cut::FEATURES && !has_model {
            figures.push(Figure::note(cut, "not tried: no ONNX Runtime here"));
            continue;
        }
        let crowds =
            [(1, Origin::Other), (8, Origin::Other), (8, Origin::Same), (100, Origin::Other), (100, Origin::Each)];
        for (connections, origin) in stage.either(&crowds[..], &crowds[1..2]) {
            let readers =
                pair.strain(stage, &Manner { connections: *connections, origin: *origin, ..Manner::stopped(cut) })?;
            let from = match origin {
                Origin::Other => "",
                Origin::Same => " of its own host",
                Origin::Each => " of as many hosts",
            };
            figures.extend(pair.compare(stage, cut, &format!("{connections} readers that stopped{from}"))?);
            drop(readers);
            figures.push(pair.strained.most_memory(&format!("with {connections} readers at {cut}{from}")));
        }
    }
    figures.push(Figure::number("looks at memory", pair.strained.memory.looks() as f64, ""));
    Ok(figures)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
