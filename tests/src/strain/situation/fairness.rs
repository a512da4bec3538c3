//! Many clients of one server: one that is stopped, one with many calls, one whose work can wait, and strangers.

use std::time::Duration;

use anyhow::Result;
use headwater_wire::proto::Priority;

use super::beside::Pair;
use crate::strain::crowd::Crowd;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Readers};
use crate::strain::stage::Stage;
use crate::strain::stopped::Stopped;
use crate::strain::subject::DEFAULT_MEMORY;

/// `--memory` beside a program that is stopped.
const LITTLE_MEMORY: u64 = 512 << 20;
/// An epoch beside it may take so many times its own time.
const BESIDE_STOPPED: f64 = 1.2;
/// Strangers' connections, and the time in which they come.
const STRANGERS: [usize; 2] = [10_000, 600];
const COME: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(1)];
/// An epoch beside them may take so many times its own time.
const BESIDE_STRANGERS: f64 = 1.1;
/// Calls of the greedy client.
const CALLS: usize = 64;
/// Half of the server is twice the time; what both clients do besides shares the cores with it.
const HALF: f64 = 2.5;
/// Beside low work an epoch has eight ninths of the server.
const MOST: f64 = 1.5;

/// A program of ours at `decoded` that is stopped by a signal, and an epoch of another.
pub(super) fn stopped(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::with(stage, &Photos::large(stage.either(24, 18)), (LITTLE_MEMORY, &[]))?;
    let stopped = Stopped::start(&pair.strained, Cut::DECODED)?;
    pair.strained.settle(Duration::from_secs(30))?;
    let mut figures = vec![pair.strained.most_memory("with a stopped program")];
    for &cut in stage.either(&[Cut::DECODED, Cut::CROPPED][..], &[Cut::CROPPED]) {
        let beside = (cut, "a program that is stopped at decoded");
        figures.extend(pair.compare_within(stage, beside, BESIDE_STOPPED, || Ok(()))?);
    }
    figures.push(pair.strained.most_memory("with epochs beside it"));
    drop(stopped);
    Ok(figures)
}

/// Connections that say nothing, drip, speak HTTP/1 or make noise, while an epoch runs.
pub(super) fn strangers(stage: &Stage) -> Result<Vec<Figure>> {
    let pair = Pair::start(stage, &Photos::middle(stage.either(2000, 48)))?;
    let (count, within) = (stage.either(STRANGERS[0], STRANGERS[1]), stage.either(COME[0], COME[1]));
    let address = pair.strained.address();
    let (mut crowd, mut opened) = (None::<Crowd>, Vec::new());
    let mut figures = {
        let beside = format!("{count} connections of strangers");
        pair.compare_within(stage, (Cut::CROPPED, &beside), BESIDE_STRANGERS, || {
            opened.extend(crowd.take().map(|crowd| crowd.opened()));
            crowd = Some(Crowd::come(&address, count, within));
            Ok(())
        })?
    };
    opened.extend(crowd.take().map(|crowd| crowd.opened()));
    let least = opened.iter().copied().min().unwrap_or_default();
    // In its small form an epoch may be over before all have come.
    let wanted = stage.either(count / 2, 1);
    figures.push(Figure::holds("connections in an epoch, at least", least, &format!(">= {wanted}"), least >= wanted));
    pair.strained.settle(Duration::from_secs(5))?;
    let open = pair.strained.metric("headwater_connections")?;
    figures.push(Figure::at_most("places taken afterwards", open, "", 0.0));
    figures.push(pair.strained.most_memory("at most"));
    Ok(figures)
}

/// A client with 64 calls beside one with its usual two: each has half. Then the same with low work.
pub(super) fn shares(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(stage.either(240, 48));
    let further = ["--max-connections", "300", "--max-streams", "300"];
    let pair = Pair::with(stage, &photos, (DEFAULT_MEMORY, &further))?;
    let mut figures = Vec::new();
    for (priority, most, what) in
        [(Priority::Normal, HALF, "a client of 64 calls"), (Priority::Low, MOST, "low work of 64 calls")]
    {
        let manner = Manner::greedy(Cut::CROPPED, CALLS, priority);
        let mut readers = None::<Readers>;
        let beside = (Cut::CROPPED, what);
        figures.extend(pair.compare_within(stage, beside, most, || {
            // Others than in the round before, which may have ended.
            drop(readers.take());
            readers = Some(Readers::open(stage.runtime(), &pair.strained.address(), photos.count, &manner)?);
            Ok(())
        })?);
        let left = readers.as_mut().map_or(0, Readers::at_work);
        figures.push(Figure::number(format!("calls of {what} at work afterwards"), left as f64, ""));
    }
    figures.push(pair.strained.most_memory("at most"));
    Ok(figures)
}
