//! The maximum flow from a source to a sink, and the cut that bounds it (Dinic 1970).

/// An edge of this capacity is never cut.
pub(super) const UNLIMITED: u64 = u64::MAX / 4;

/// A graph through which something flows.
#[derive(Debug)]
pub(super) struct Flow {
    /// Where an edge leads, and what it still takes. Each is followed by its way back.
    edges: Vec<(usize, u64)>,
    /// The edges that leave each vertex.
    leaving: Vec<Vec<usize>>,
}

// === impl Flow ===

impl Flow {
    pub(super) fn new(vertices: usize) -> Self {
        Self { edges: Vec::new(), leaving: vec![Vec::new(); vertices] }
    }

    pub(super) fn edge(&mut self, from: usize, to: usize, capacity: u64) {
        self.leaving[from].push(self.edges.len());
        self.edges.push((to, capacity.min(UNLIMITED)));
        self.leaving[to].push(self.edges.len());
        self.edges.push((from, 0));
    }

    /// For each vertex, whether it lies on the source's side of the smallest cut; `None` where no cut is smaller than
    /// an edge without limit.
    pub(super) fn minimum_cut(mut self, source: usize, sink: usize) -> Option<Vec<bool>> {
        let mut total = 0_u64;
        loop {
            let levels = self.levels(source);
            if levels[sink].is_none() {
                return (total < UNLIMITED).then(|| levels.iter().map(Option::is_some).collect());
            }
            let mut tried = vec![0; self.leaving.len()];
            while let Some(more) = self.augment(source, sink, &levels, &mut tried) {
                total = total.saturating_add(more);
                if total >= UNLIMITED {
                    return None;
                }
            }
        }
    }

    /// The distance of each vertex from the source, by edges that take more; `None` for those out of reach.
    fn levels(&self, source: usize) -> Vec<Option<usize>> {
        let mut levels = vec![None; self.leaving.len()];
        levels[source] = Some(0);
        let mut queue = std::collections::VecDeque::from([(source, 0)]);
        while let Some((vertex, level)) = queue.pop_front() {
            for &(to, left) in self.leaving[vertex].iter().map(|&edge| &self.edges[edge]) {
                if left > 0 && levels[to].is_none() {
                    levels[to] = Some(level + 1);
                    queue.push_back((to, level + 1));
                }
            }
        }
        levels
    }

    /// Sends as much as one shortest path takes. Without recursion: a path may be as long as a network is deep.
    fn augment(&mut self, source: usize, sink: usize, levels: &[Option<usize>], tried: &mut [usize]) -> Option<u64> {
        let (mut path, mut vertex): (Vec<usize>, _) = (Vec::new(), source);
        while vertex != sink {
            let next = levels[vertex].map(|level| level + 1);
            let open = |&&edge: &&usize| self.edges[edge].1 > 0 && levels[self.edges[edge].0] == next;
            let skipped = self.leaving[vertex][tried[vertex]..].iter().take_while(|edge| !open(edge)).count();
            tried[vertex] += skipped;
            match self.leaving[vertex].get(tried[vertex]) {
                Some(&edge) => {
                    path.push(edge);
                    vertex = self.edges[edge].0;
                }
                None => {
                    let back = path.pop()?;
                    vertex = self.edges[back ^ 1].0;
                    tried[vertex] += 1;
                }
            }
        }
        let most = path.iter().map(|&edge| self.edges[edge].1).min()?;
        for edge in path {
            self.edges[edge].1 -= most;
            self.edges[edge ^ 1].1 += most;
        }
        Some(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_cut_is_found_and_what_is_without_limit_is_never_cut() {
        let mut flow = Flow::new(4);
        for (from, to, capacity) in [(0, 2, 3), (0, 3, 2), (2, 3, 5), (2, 1, 2), (3, 1, 3)] {
            flow.edge(from, to, capacity);
        }
        assert_eq!(flow.minimum_cut(0, 1), Some(vec![true, false, false, false]));
        let mut flow = Flow::new(3);
        flow.edge(0, 2, UNLIMITED);
        flow.edge(2, 1, 7);
        assert_eq!(flow.minimum_cut(0, 1), Some(vec![true, false, true]));
        let mut flow = Flow::new(2);
        flow.edge(0, 1, UNLIMITED);
        assert_eq!(flow.minimum_cut(0, 1), None);
    }
}
