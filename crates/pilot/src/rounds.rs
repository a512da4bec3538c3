//! How many samples a round measures at each way: what the precision asks for, within what time is left.

use std::time::Duration;

/// How far the measuring of one way has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stand {
    /// Samples that were measured.
    pub(crate) have: usize,
    /// Samples that there are to measure.
    pub(crate) most: usize,
    /// Samples that should be measured in all.
    pub(crate) goal: usize,
    /// Wall seconds that one sample took.
    pub(crate) seconds: f64,
}

/// The number of samples that the next round brings each way to; `None` where a round is not worth its time.
pub(crate) fn next(ways: &[Stand], left: Option<Duration>) -> Option<Vec<usize>> {
    // A few more would cost a round and bring nothing.
    let worth = |way: &Stand| {
        let goal = way.goal.min(way.most);
        if goal > way.have + way.have / 10 { goal } else { way.have }
    };
    let goals: Vec<_> = ways.iter().map(worth).collect();
    let takes: f64 = ways.iter().zip(&goals).map(|(way, goal)| (goal - way.have) as f64 * way.seconds).sum();
    let part = left.map_or(1.0, |left| if takes > 0.0 { (left.as_secs_f64() / takes).min(1.0) } else { 1.0 });
    let upto = |(way, goal): (&Stand, usize)| way.have + ((goal - way.have) as f64 * part) as usize;
    let next: Vec<_> = ways.iter().zip(goals).map(upto).collect();
    let gains = |(way, &next): (&Stand, &usize)| next > way.have + way.have / 10;
    ways.iter().zip(&next).any(gains).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(have: usize, goal: usize, seconds: f64) -> Stand {
        Stand { have, most: 1000, goal, seconds }
    }

    #[test]
    fn each_way_is_measured_as_often_as_it_takes_and_no_more_than_time_allows() {
        let ways = [stand(32, 200, 0.01), stand(32, 32, 0.01), stand(32, 5000, 0.001)];
        assert_eq!(next(&ways, None), Some(vec![200, 32, 1000]));
        // It would take 1.68 s and 0.968 s.
        let left = |seconds| next(&ways, Some(Duration::from_secs_f64(seconds)));
        assert_eq!(left(60.0), Some(vec![200, 32, 1000]));
        assert_eq!(left(1.324), Some(vec![116, 32, 516]));
        assert_eq!(left(0.0), None);
    }

    #[test]
    fn a_few_more_are_not_worth_a_round() {
        assert_eq!(next(&[stand(100, 109, 0.1), stand(50, 20, 0.1)], None), None);
        assert_eq!(next(&[], None), None);
    }
}
