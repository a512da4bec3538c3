//! A model that computes nothing: grey pixels, one after the other, as features.

use crate::graph::{GraphBuilder, Window};
use crate::value::{Dim, ValueFacts};

/// Channels of an input.
const CHANNELS: u64 = 3;

/// A model of input f32 `[N, 3, height, width]`, whose output `features`, f32 `[N, height * width]`, is the mean of the
/// channels of each pixel, row by row.
pub fn grey(height: u32, width: u32) -> Vec<u8> {
    let value = |name: &str, dims: &[u64]| {
        let batch = Dim::Symbol("batch".to_owned());
        ValueFacts::float32(name, &[batch].into_iter().chain(dims.iter().copied().map(Dim::Fixed)).collect::<Vec<_>>())
    };
    let (height, width) = (u64::from(height), u64::from(width));
    let mut graph = GraphBuilder::new("headwater-grey");
    graph
        .input(&value("input", &[CHANNELS, height, width]))
        .constant("mean.weight", &[1, CHANNELS as usize, 1, 1], &[1.0 / CHANNELS as f32; CHANNELS as usize])
        .constant("mean.bias", &[1], &[0.0])
        .conv("mean", ["input", "mean.weight", "mean.bias"], Window { kernel: 1, stride: 1, pad: 0 }, 1)
        .flatten("features", "mean")
        .output(&value("features", &[height * width]));
    graph.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, check};

    #[test]
    fn the_model_is_one_that_headwater_accepts() {
        let facts = check(&grey(28, 20), &Limits::default()).unwrap();
        let text = |values: &[ValueFacts]| values.iter().map(ValueFacts::to_string).collect::<Vec<_>>();
        assert_eq!(text(&facts.inputs), ["input float32 [batch, 3, 28, 20]"]);
        assert_eq!(text(&facts.outputs), ["features float32 [batch, 560]"]);
        assert_eq!(grey(28, 20), grey(28, 20));
    }
}
