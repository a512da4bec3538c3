//! Epochs over a range of one resource.

use crate::chart::{Axis, Series, lines};
use crate::number::number;

/// Epochs over an axis, by mode; in words where there is nothing to wait for.
pub(crate) fn epochs(label: &str, logarithmic: bool, places: &[f64], series: &[Series]) -> String {
    let waits = |series: &Series| series.values.iter().flatten().any(|epoch| *epoch > 0.0);
    if !series.iter().filter(|series| series.chosen).any(waits) {
        return "<p>Nothing was given that the plan could wait for: there is nothing to draw.</p>".to_owned();
    }
    let named = |series: &Series| Series {
        name: series.name.strip_prefix("static:").unwrap_or(&series.name).to_owned(),
        values: series.values.iter().map(|epoch| epoch.filter(|epoch| *epoch > 0.0)).collect(),
        chosen: series.chosen,
    };
    let x = Axis { label, logarithmic, format: number };
    let y = Axis { label: "epoch, s", logarithmic: true, format: number };
    lines(x, y, places, &series.iter().map(named).collect::<Vec<_>>())
}
