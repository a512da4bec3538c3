//! Lines whose points are at places of their own, as plots take them.

use super::limits::POINTS;
use crate::chart::Series;

/// A named line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// Place and value, by place.
    pub(crate) points: Vec<(f64, f64)>,
}

// === impl Line ===

impl Line {
    /// Of more points than a page shows as many as it does, evenly, the first and the last among them.
    pub(crate) fn thin(name: String, points: &[(f64, f64)]) -> Self {
        let last = points.len().saturating_sub(1);
        let points = match points.len() {
            few if few <= POINTS => points.to_vec(),
            _ => (0..POINTS).map(|point| points[point * last / (POINTS - 1)]).collect(),
        };
        Self { name, points }
    }
}

/// All places of the lines, and a series for each with its values there.
pub(crate) fn series(lines: &[Line]) -> (Vec<f64>, Vec<Series>) {
    let mut places: Vec<_> = lines.iter().flat_map(|line| line.points.iter().map(|(place, _)| *place)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let of = |line: &Line| {
        let mut values = vec![None; places.len()];
        for (place, value) in &line.points {
            let at = places.partition_point(|known| known.total_cmp(place).is_lt());
            values[at] = Some(*value);
        }
        Series { name: line.name.clone(), values, chosen: false }
    };
    let series = lines.iter().map(of).collect();
    (places, series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_keeps_its_ends_and_each_line_its_places() {
        let points: Vec<_> = (0..1000).map(|place| (f64::from(place), 1.0)).collect();
        let line = Line::thin("a".into(), &points);
        assert_eq!((line.points.len(), line.points[0].0, line.points[POINTS - 1].0), (POINTS, 0.0, 999.0));
        let short = Line::thin("b".into(), &[(0.5, 2.0), (999.0, 3.0)]);
        let (places, series) = series(&[line, short]);
        assert_eq!(places.len(), POINTS + 1);
        assert_eq!((places[1], series[0].values[1], series[1].values[1]), (0.5, None, Some(2.0)));
        assert_eq!(series[1].values.iter().flatten().count(), 2);
    }
}
