//! Memory with slow readers: what `--memory` says, and a constant, is the most.

use std::time::Duration;

use anyhow::Result;

use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Origin, Pace, Readers};
use crate::strain::stage::Stage;
use crate::strain::subject::nap;

/// `--memory`.
const MEMORY: u64 = 512 << 20;
/// How fast the readers read.
const PACE: Pace = Pace::BytesPerSecond(20_000);
/// How long they are watched at each step.
const WATCHED: Duration = Duration::from_secs(10);

/// More and more readers.
const STEPS: [usize; 5] = [4, 16, 32, 100, 1000];

/// What the readers ask for.
#[derive(Clone, Copy)]
struct Asked {
    photos: Photos,
    /// On each stream. Those that ask for little do not wait for each other: every one of them has a message underway.
    samples: usize,
}

/// Of 20-megapixel photos and of 1024-pixel ones.
pub(super) fn slow_readers(stage: &Stage) -> Result<Vec<Figure>> {
    let (large, middle) = (Photos::large(stage.either(24, 18)), Photos::middle(120));
    let all = [
        Asked { photos: large, samples: 2 },
        Asked { photos: large, samples: large.count },
        Asked { photos: middle, samples: 2 },
        Asked { photos: middle, samples: middle.count },
    ];
    let mut figures = Vec::new();
    for asked in stage.either(&all[..], &all[..1]) {
        for readers in stage.either(&STEPS[..], &STEPS[1..2]) {
            figures.extend(step(stage, asked, *readers)?);
        }
    }
    Ok(figures)
}

/// A server of its own for each: what one leaves behind is not the next one's.
fn step(stage: &Stage, Asked { photos, samples }: &Asked, count: usize) -> Result<Vec<Figure>> {
    let name = format!("{count} slow readers of {samples} {} photos each", photos.name);
    let options = ServerOptions::new(&stage.photos(photos)?).arg("--no-cache");
    let options = ["--max-connections", "2000", "--max-streams", "2000"].into_iter().fold(options, ServerOptions::arg);
    let subject = stage.start(options, MEMORY)?;
    stage.progress(&name);
    let (pace, origin, most_samples) = (PACE, Origin::Each, *samples);
    let manner =
        Manner { connections: count, pace, origin, most_samples, ..Manner::stopped(Cut::DECODED).with_our_windows() };
    let readers = Readers::open(stage.runtime(), &subject.address(), photos.count, &manner);
    if readers.is_ok() {
        nap(stage.either(WATCHED, WATCHED / 2));
    }
    let mut figures = vec![subject.most_memory(&format!("with {name}"))];
    match readers {
        // The server was killed for what it took.
        Err(error) if !subject.memory.was_too_much() => return Err(error.context(name)),
        Err(_) => {}
        Ok(readers) => {
            let refused = readers.refused().len();
            figures.push(Figure::at_most(format!("calls refused of {count}"), refused as f64, "", 0.0));
        }
    }
    Ok(figures)
}
