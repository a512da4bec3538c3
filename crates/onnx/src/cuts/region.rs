//! What lies between two single values, and the cut of the fewest bytes in it.

use std::collections::HashSet;

use super::dag::Dag;
use super::flow::{Flow, UNLIMITED};

/// The operators behind one value and before another; before the outputs, where there is no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) before: usize,
    pub(super) behind: Option<usize>,
}

// === impl Region ===

impl Region {
    /// The operators of the region. Both ends separate: whatever is made between them lies between them.
    pub(super) fn operators(self, dag: &Dag<'_>) -> Vec<usize> {
        let after = |value: usize| dag.values[value].maker.map_or(0, |maker| maker + 1);
        (after(self.before)..self.behind.map_or(dag.operators.len(), after)).collect()
    }

    /// The values of the cut of the fewest bytes, and which operators lie in front of it; `None` where every cut goes
    /// through a value of unknown bytes. Operators that are tied stay together, and whatever an operator in front reads
    /// lies in front too.
    ///
    /// A value is paid for once, however many read it behind the cut: from its maker into a vertex of its own with its
    /// bytes, from there to each reader without limit. A reader pulls the maker to its side: also without limit.
    pub(super) fn minimum(
        self,
        dag: &Dag<'_>,
        operators: &[usize],
        tied: &HashSet<(usize, usize)>,
        bytes: &[Option<u64>],
    ) -> Option<(Vec<usize>, Vec<bool>)> {
        let first = operators.first().copied()?;
        let values: Vec<_> = [self.before]
            .into_iter()
            .chain(operators.iter().flat_map(|&operator| dag.operators[operator].makes.iter().copied()))
            .filter(|&value| dag.values[value].wanted || !dag.values[value].readers.is_empty())
            .collect();
        let (source, sink) = (0, 1);
        let of_operator = |operator: usize| 2 + operator - first;
        let of_value = |place: usize| 2 + operators.len() + place;
        let mut flow = Flow::new(2 + operators.len() + values.len());
        for (place, &value) in values.iter().enumerate() {
            let facts = &dag.values[value];
            let maker = if value == self.before { None } else { facts.maker };
            flow.edge(maker.map_or(source, of_operator), of_value(place), bytes[value].unwrap_or(UNLIMITED));
            for &reader in facts.readers.iter().filter(|_| Some(value) != self.behind) {
                flow.edge(of_value(place), of_operator(reader), UNLIMITED);
                if let Some(maker) = maker {
                    flow.edge(of_operator(reader), of_operator(maker), UNLIMITED);
                    if tied.contains(&(maker, reader)) {
                        flow.edge(of_operator(maker), of_operator(reader), UNLIMITED);
                    }
                }
            }
            if facts.wanted || Some(value) == self.behind {
                flow.edge(of_value(place), sink, UNLIMITED);
            }
        }
        let in_front = flow.minimum_cut(source, sink)?;
        let mut front = vec![false; dag.operators.len()];
        front[..first].fill(true);
        operators.iter().for_each(|&operator| front[operator] = in_front[of_operator(operator)]);
        let made_in_front = |place: usize, value: usize| match dag.values[value].maker.filter(|_| value != self.before)
        {
            Some(maker) => in_front[of_operator(maker)] && !in_front[of_value(place)],
            None => !in_front[of_value(place)],
        };
        let cut =
            values.iter().enumerate().filter(|&(place, &value)| made_in_front(place, value)).map(|(_, &value)| value);
        Some((cut.collect(), front))
    }
}
