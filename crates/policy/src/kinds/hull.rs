//! The kinds of one sample that are worth their bytes at some price.

/// One kind that a sample may be kept as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Bytes that it takes.
    pub bytes: u64,
    /// What it saves, in seconds: 0 where it is worth nothing.
    pub value: f64,
}

/// From one kind to the next larger one that is worth its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The kind that it leads to.
    pub(super) kind: usize,
    /// Bytes that it takes more.
    pub(super) bytes: u64,
    /// Value that it has more, for each of these bytes: less than the step before.
    pub(super) density: f64,
}

/// The upper convex hull of a sample's kinds over their bytes, from nothing: the steps of the greedy solution of a
/// multiple-choice knapsack (Sinha and Zoltners 1979; Kellerer, Pferschy and Pisinger 2004, chapter 11). A kind below
/// the hull is chosen at no price.
pub(super) fn steps(kinds: &[Choice]) -> Vec<Step> {
    let mut order: Vec<_> = kinds.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.bytes.cmp(&b.bytes).then(b.value.total_cmp(&a.value)));
    let mut hull: Vec<(usize, Choice)> = Vec::new();
    for (kind, choice) in order {
        if choice.value <= hull.last().map_or(0.0, |(_, last)| last.value) || choice.value.is_nan() {
            continue;
        }
        while let Some(&(_, last)) = hull.last() {
            let before = hull.len().checked_sub(2).map_or(NOTHING, |place| hull[place].1);
            if density(before, choice) < density(before, last) {
                break;
            }
            hull.pop();
        }
        hull.push((kind, choice));
    }
    let before = std::iter::once(NOTHING).chain(hull.iter().map(|&(_, choice)| choice));
    let step = |(before, &(kind, choice)): (Choice, &(usize, Choice))| Step {
        kind,
        bytes: choice.bytes - before.bytes,
        density: density(before, choice),
    };
    before.zip(&hull).map(step).collect()
}

const NOTHING: Choice = Choice { bytes: 0, value: 0.0 };

/// Value for each byte, of what a kind has more than one before it.
fn density(before: Choice, choice: Choice) -> f64 {
    let (bytes, value) = (choice.bytes - before.bytes, choice.value - before.value);
    if bytes == 0 { f64::INFINITY } else { value / bytes as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(kinds: &[(u64, f64)]) -> Vec<usize> {
        let choices: Vec<_> = kinds.iter().map(|&(bytes, value)| Choice { bytes, value }).collect();
        let steps = steps(&choices);
        assert!(steps.windows(2).all(|pair| pair[0].density > pair[1].density), "{steps:?}");
        steps.iter().map(|step| step.kind).collect()
    }

    #[test]
    fn kinds_below_the_hull_are_left_out() {
        assert_eq!(kinds(&[(10, 5.0), (20, 8.0), (40, 9.0)]), [0, 1, 2]);
        assert_eq!(kinds(&[(10, 1.0), (20, 8.0), (30, 8.5)]), [1, 2], "the first is below the line to the second");
        assert_eq!(kinds(&[(30, 8.0), (20, 8.0), (20, 3.0), (50, 7.0)]), [1], "larger and worth no more");
        assert_eq!(kinds(&[(10, 5.0), (20, 10.0)]), [1], "as dense, and worth more");
        assert_eq!(kinds(&[(10, 0.0), (20, f64::NAN), (0, 1.0)]), [2]);
        assert_eq!(kinds(&[]), [] as [usize; 0]);
    }
}
