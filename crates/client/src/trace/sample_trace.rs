//! The trace of a sample: that of its chunk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_spans::{Kind, Span};

/// The trace of a sample, or none. It says nothing of what the sample is: all are equal.
#[derive(Clone, Debug, Default)]
pub struct SampleTrace(Option<Arc<Followed>>);

/// A chunk that is of a trace. Its span ends when its last sample is no longer needed.
#[derive(Debug)]
struct Followed {
    /// Where it is not, those who are called are told so, and no more is done.
    is_recorded: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    span: Span,
    came: u64,
    /// Samples whose recipe was run to its end here, and for how long all together.
    finished: u64,
    took: Duration,
    /// From when to when that was.
    times: Option<(Instant, Instant)>,
}

/// The rest of a sample's recipe is being run, until this is dropped.
#[derive(Debug)]
#[must_use = "the work ends when this is dropped"]
pub struct Finishing(Option<(Arc<Followed>, Instant)>);

// === impl SampleTrace ===

impl SampleTrace {
    pub(crate) fn new(span: Span) -> Self {
        let is_recorded = span.is_recorded();
        let is_of_a_trace = is_recorded || span.context().is_some();
        Self(is_of_a_trace.then(|| {
            let state = State { span, came: 0, finished: 0, took: Duration::ZERO, times: None };
            Arc::new(Followed { is_recorded, state: Mutex::new(state) })
        }))
    }

    /// The rest of the sample's recipe is run from now on.
    pub fn finishing(&self) -> Finishing {
        Finishing(self.recorded().map(|followed| (Arc::clone(followed), Instant::now())))
    }

    /// A call, which is a part of this.
    pub(super) fn child(&self, name: &'static str) -> Span {
        self.0.as_ref().map_or(Span::NONE, |followed| followed.lock().span.child(name, Kind::Client))
    }

    /// A sample has come.
    pub(crate) fn came(&self) {
        if let Some(followed) = self.recorded() {
            followed.lock().came += 1;
        }
    }

    /// Something happens that is worth a word.
    pub(crate) fn event(&self, name: &'static str, key: &'static str, words: &str) {
        if let Some(followed) = self.recorded() {
            followed.lock().span.event(name, (key, words.to_owned()));
        }
    }

    /// Nothing will come of it any more.
    pub(crate) fn fail(&self, why: &str) {
        if let Some(followed) = self.recorded() {
            followed.lock().span.fail(why);
        }
    }

    /// What a sample carries of it.
    pub(crate) fn of_sample(&self) -> Self {
        Self(self.recorded().cloned())
    }

    fn recorded(&self) -> Option<&Arc<Followed>> {
        self.0.as_ref().filter(|followed| followed.is_recorded)
    }
}

impl PartialEq for SampleTrace {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

// === impl Followed ===

impl Followed {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.span.set("headwater.samples.came", state.came);
        if let Some(times) = state.times {
            let mut finish = state.span.past("finish", times);
            finish.set("headwater.samples", state.finished);
            finish.set("headwater.finish_seconds", state.took);
        }
    }
}

// === impl Finishing ===

impl Drop for Finishing {
    fn drop(&mut self) {
        let Some((followed, began)) = self.0.take() else { return };
        let ended = Instant::now();
        let mut state = followed.lock();
        state.finished += 1;
        state.took += ended - began;
        let (first, last) = state.times.unwrap_or((began, ended));
        state.times = Some((first.min(began), last.max(ended)));
    }
}
