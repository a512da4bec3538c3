//! The order of a job that takes what is cached first.
//!
//! Several jobs that read the same samples, each in an order of its own, read most of them from the origin, each for
//! itself. A job that looks ahead a little, and takes what others have just brought, shares their reads. It sees the
//! first samples of its order that it has not taken yet, so many as the window has places, and takes of these the first
//! one that is cached; where none is, the first one.
//!
//! Every sample is taken once. None is taken before all but `window - 1` of those that stand before it in the order.
//! What a job will do depends only on its order, its window, what it has taken, and what is cached: so it is resumed
//! from the samples that it has taken, in whatever order it took them.
//!
//! An order that depends on what is cached is no longer the function of a seed alone. So it is off unless it is asked
//! for.

/// What is left of an epoch, for one job.
#[derive(Clone, Debug)]
pub struct Opportunistic {
    /// The order, from the first sample that has not come into the window.
    rest: std::vec::IntoIter<u32>,
    /// The first samples that are not taken, in their order.
    waiting: Vec<u32>,
    window: usize,
}

// === impl Opportunistic ===

impl Opportunistic {
    /// An epoch in this order, of which some samples may be taken already. A window of 0 is one of 1: the order itself.
    pub fn new(order: Vec<u32>, window: usize, taken: impl Fn(u32) -> bool) -> Self {
        let left: Vec<_> = order.into_iter().filter(|&sample| !taken(sample)).collect();
        let mut epoch = Self { rest: left.into_iter(), waiting: Vec::new(), window: window.max(1) };
        epoch.fill();
        epoch
    }

    /// Takes the next samples, so many or all that are left: one pass over the window.
    pub fn take(&mut self, count: usize, is_cached: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut taken = Vec::new();
        let mut place = 0;
        let mut later = Vec::with_capacity(self.waiting.len());
        while taken.len() < count && place < self.waiting.len() {
            let sample = self.waiting[place];
            place += 1;
            if is_cached(sample) {
                taken.push(sample);
                self.waiting.extend(self.rest.next());
            } else {
                later.push(sample);
            }
        }
        later.extend_from_slice(&self.waiting[place..]);
        let missing = (count - taken.len()).min(later.len());
        taken.extend(later.drain(..missing));
        self.waiting = later;
        self.fill();
        // What came into the window while the first ones were taken was not looked at.
        while taken.len() < count && !self.waiting.is_empty() {
            let missing = (count - taken.len()).min(self.waiting.len());
            taken.extend(self.waiting.drain(..missing));
            self.fill();
        }
        taken
    }

    /// Samples that are not taken.
    pub fn left(&self) -> usize {
        self.waiting.len() + self.rest.len()
    }

    /// The samples among which the next one is: what to ask a server about.
    pub fn waiting(&self) -> &[u32] {
        &self.waiting
    }

    fn fill(&mut self) {
        while self.waiting.len() < self.window {
            let Some(sample) = self.rest.next() else { return };
            self.waiting.push(sample);
        }
    }
}
