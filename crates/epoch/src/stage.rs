//! How far an epoch has come.

use headwater_pilot::Headway;

/// What an epoch is doing.
#[derive(Clone, Copy, Debug)]
pub enum EpochStage {
    /// Samples are profiled before it begins.
    Profiling(Headway),
    /// The network is measured, for this many milliseconds more.
    Network(u64),
    /// This many samples have come, of these.
    Streaming(Headway),
}

/// Hears of each stage.
pub type StageListener<'a> = &'a (dyn Fn(EpochStage) + Send + Sync);
