//! What each flow has had so far, by start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM '96), level within level:
//!
//! ```text
//! priority ─▶ client ─▶ job ─▶ call          each node has had so much, on the clock of the node above it
//! ```
//!
//! The next turn goes down the tree to whoever has had least. A node that wants nothing for a while gains nothing by
//! it: when it comes back it begins where the clock of its level stands, which is what the others have had. Who has no
//! call any more is forgotten, and with the last turn of all everything is: then nobody has had more than another.

use std::collections::HashMap;
use std::sync::Arc;

use headwater_types::Priority;

use super::flow::{Alive, Flow, LEVELS};

/// What all flows have had.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Of all priorities.
    clock: f64,
    priorities: [Node; Priority::COUNT],
}

/// A priority, a client, a job or a call.
#[derive(Debug, Default)]
struct Node {
    /// What it has had, divided by its weight.
    had: f64,
    /// What those below it have had, who had the last turn: where a newcomer among them begins.
    clock: f64,
    below: HashMap<Arc<str>, Node>,
    /// What its last turn cost, where it is a call.
    last: Option<f64>,
    /// Whether it goes on, where it is a call.
    call: Option<Alive>,
}

/// What decides who is next, from the outermost level: the lowest.
pub(super) type Rank = [f64; LEVELS + 1];

/// Nodes of one level that are kept whoever they are. Past this those go that have no call any more.
const KEPT: usize = 32;

// === impl Books ===

impl Books {
    /// Where the flow stands: who has the lowest rank is next.
    pub(super) fn rank(&self, flow: &Flow) -> Rank {
        let mut rank = [0.0; LEVELS + 1];
        let node = &self.priorities[flow.priority() as usize];
        rank[0] = node.had.max(self.clock);
        let mut above = node;
        for (at, name) in rank[1..].iter_mut().zip(flow.path()) {
            let Some(node) = above.below.get(name) else {
                *at = above.clock;
                break;
            };
            *at = node.had.max(above.clock);
            above = node;
        }
        rank
    }

    /// What the last turn of the flow cost, where it has had one.
    pub(super) fn last(&self, flow: &Flow) -> Option<f64> {
        self.node(flow)?.last
    }

    /// The flow's call.
    fn node(&self, flow: &Flow) -> Option<&Node> {
        let priority = &self.priorities[flow.priority() as usize];
        flow.path().iter().try_fold(priority, |node, name| node.below.get(name))
    }

    /// The flow has a turn, which will cost so much, as far as is known.
    pub(super) fn charge(&mut self, flow: &Flow, cost: f64) {
        let node = &mut self.priorities[flow.priority() as usize];
        node.begin(&mut self.clock, cost / f64::from(flow.priority().weight()));
        let mut above = node;
        for name in flow.path() {
            above.tidy();
            let node = above.below.entry(Arc::clone(name)).or_default();
            node.begin(&mut above.clock, cost);
            above = node;
        }
        above.call.get_or_insert_with(|| flow.alive());
    }

    /// The turn cost so much more than was thought, or less. What is forgotten stays so.
    pub(super) fn correct(&mut self, flow: &Flow, more: f64) {
        if self.node(flow).is_none() {
            return;
        }
        let mut node = &mut self.priorities[flow.priority() as usize];
        node.had += more / f64::from(flow.priority().weight());
        for name in flow.path() {
            let Some(below) = node.below.get_mut(name) else { return };
            below.had += more;
            node = below;
        }
    }

    /// Keeps what the turn of a flow cost, for its next.
    pub(super) fn remember(&mut self, flow: &Flow, cost: f64) {
        let mut node = Some(&mut self.priorities[flow.priority() as usize]);
        for name in flow.path() {
            node = node.and_then(|node| node.below.get_mut(name));
        }
        if let Some(node) = node {
            node.last = Some(cost);
        }
    }
}

// === impl Node ===

impl Node {
    /// Has a turn for so much. The level's clock is where it begins.
    fn begin(&mut self, clock: &mut f64, cost: f64) {
        let start = self.had.max(*clock);
        *clock = start;
        self.had = start + cost;
    }

    fn tidy(&mut self) {
        if self.below.len() > KEPT {
            self.below.retain(|_, node| node.is_alive());
        }
    }

    /// Whether it is a call that goes on, or has one.
    fn is_alive(&self) -> bool {
        self.call.as_ref().is_some_and(Alive::is) || self.below.values().any(Self::is_alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many turns of one unit each of these flows has, where all of them always want one.
    fn shares(flows: &[Flow], turns: usize) -> Vec<usize> {
        let (mut books, mut had) = (Books::default(), vec![0; flows.len()]);
        for _ in 0..turns {
            let next = next(&books, flows);
            books.charge(&flows[next], 1.0);
            had[next] += 1;
        }
        had
    }

    fn next(books: &Books, flows: &[Flow]) -> usize {
        let ranks: Vec<_> = flows.iter().map(|flow| books.rank(flow)).collect();
        (0..flows.len()).min_by(|&one, &other| ranks[one].partial_cmp(&ranks[other]).unwrap()).unwrap()
    }

    fn normal(client: &str, job: &str) -> Flow {
        Flow::new(Priority::Normal, client, job)
    }

    #[test]
    fn a_client_of_64_calls_has_what_one_of_a_single_call_has() {
        let mut flows: Vec<_> = (0..64).map(|_| normal("a", "")).collect();
        flows.push(normal("b", ""));
        let had = shares(&flows, 6400);
        assert_eq!((had[..64].iter().sum::<usize>(), had[64]), (3200, 3200));
        assert!(had[..64].iter().all(|&calls| calls == 50), "{had:?}");
    }

    #[test]
    fn jobs_of_a_client_share_what_the_client_has() {
        let flows = [normal("a", "train"), normal("a", "train"), normal("a", "other"), normal("b", "")];
        assert_eq!(shares(&flows, 800), [100, 100, 200, 400]);
    }

    #[test]
    fn a_lower_priority_has_an_eighth_and_never_nothing() {
        let flows = [normal("a", ""), Flow::new(Priority::Low, "b", ""), Flow::new(Priority::High, "c", "")];
        assert_eq!(shares(&flows, 73 * 10), [80, 10, 640]);
        // A client with low work besides has no less of the normal work for it.
        let flows = [normal("a", ""), normal("b", ""), Flow::new(Priority::Low, "a", "")];
        assert_eq!(shares(&flows, 180), [80, 80, 20]);
    }

    #[test]
    fn dear_turns_are_fewer() {
        let (dear, cheap) = (normal("a", ""), normal("b", ""));
        let (flows, mut books, mut had) = ([dear, cheap], Books::default(), [0_usize; 2]);
        for _ in 0..300 {
            let next = next(&books, &flows);
            let cost = [2.0, 1.0][next];
            books.charge(&flows[next], 1.0);
            books.correct(&flows[next], cost - 1.0);
            had[next] += 1;
        }
        assert!(had[0].abs_diff(100) <= 2, "{had:?}");
    }

    #[test]
    fn who_was_away_has_saved_nothing_up_and_who_was_alone_owes_nothing() {
        let (alone, away) = (normal("a", ""), normal("b", ""));
        let mut books = Books::default();
        for _ in 0..1000 {
            books.charge(&alone, 1.0);
        }
        let (flows, mut had) = ([alone, away], [0_usize; 2]);
        for _ in 0..100 {
            let next = next(&books, &flows);
            books.charge(&flows[next], 1.0);
            had[next] += 1;
        }
        assert!(had[0].abs_diff(had[1]) <= 2, "{had:?}");
    }

    #[test]
    fn calls_that_are_over_are_forgotten() {
        let mut books = Books::default();
        for _ in 0..10_000 {
            books.charge(&normal("a", ""), 1.0);
        }
        let calls = books.priorities[Priority::Normal as usize].below["a"].below[""].below.len();
        assert!(calls <= KEPT + 1, "{calls}");
    }
}
