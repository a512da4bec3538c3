//! What a person can see of the models, and of the fronts of cut networks: which they are, what waits for them, and how
//! they run.

use std::fmt;
use std::sync::{Arc, OnceLock};

use headwater_features::{Extractor, InferenceCounts};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::families::Families;
use crate::models::Models;

/// The models; nothing before they are loaded.
pub(super) type Later = Arc<OnceLock<Arc<Models>>>;

/// The registered models of a server.
pub(super) struct ModelMetrics(pub(super) Later);

impl fmt::Debug for ModelMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelMetrics")
    }
}

impl Collector for ModelMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let now = self.0.get().map(|models| models.now());
        let fronts = self.0.get().map(|models| models.fronts()).unwrap_or_default();
        let models: Vec<_> = now.iter().flat_map(|now| now.models.iter().cloned()).chain(fronts).collect();
        let mut families = Families(encoder);
        let info = models.iter().map(|model| {
            let labels = [
                ("model", label(model)),
                ("digest", model.digest().to_string()),
                ("device", model.runs_on()),
                ("recipe", model.recipe().name().to_string()),
            ];
            (labels, 1.0)
        });
        families.gauges(
            "model_info",
            "Registered models: the BLAKE3 of the file, where it runs, its recipe",
            None,
            info,
        )?;
        let of_model = |model: &Arc<Extractor>| [("model", label(model))];
        let waiting = models.iter().map(|model| (of_model(model), model.waiting() as f64));
        families.gauges(
            "inference_queue_samples",
            "Samples that wait in a model's queue for a worker",
            None,
            waiting,
        )?;
        let largest = models.iter().map(|model| (of_model(model), model.max_batch().get() as f64));
        families.gauges("inference_batch_limit_samples", "Most samples of one run of a model", None, largest)?;
        batch_sizes(&mut families, &models)?;
        outcomes(&mut families, &models)
    }
}

/// A model's name; of the front of a cut network, with the cut.
fn label(model: &Extractor) -> String {
    match model.cut() {
        None => model.name().to_string(),
        Some(cut) => format!("{}@{cut}", model.name()),
    }
}

/// How many samples ran together: a histogram over runs.
fn batch_sizes(families: &mut Families<'_>, models: &[Arc<Extractor>]) -> Result<(), fmt::Error> {
    let help = "Samples in one run of a model";
    let mut family = families.0.encode_descriptor("inference_batch_samples", help, None, MetricType::Histogram)?;
    for model in models {
        let InferenceCounts { batches, batched, batch_sizes, .. } = model.counts();
        let bounds =
            (0..).map(|power| if power + 1 < batch_sizes.len() as i32 { 2_f64.powi(power) } else { f64::INFINITY });
        let buckets: Vec<(f64, u64)> = bounds.zip(batch_sizes).collect();
        let labels = [("model", label(model))];
        let mut of_model = family.encode_family(&labels)?;
        of_model.encode_histogram::<NoLabelSet>(batched as f64, batches, &buckets, None)?;
    }
    Ok(())
}

/// Samples by what became of them.
fn outcomes(families: &mut Families<'_>, models: &[Arc<Extractor>]) -> Result<(), fmt::Error> {
    let help = "Samples that left a model's queue, by outcome: done, failed, cancelled (nobody waited any more), or \
                with an infinity or NaN among the features (not_finite, counted as failed too, and as done where they \
                were asked for all the same)";
    let mut family = families.0.encode_descriptor("inference_samples", help, None, MetricType::Counter)?;
    for model in models {
        let InferenceCounts { samples, failed, cancelled, non_finite, .. } = model.counts();
        for (outcome, count) in
            [("done", samples), ("failed", failed), ("cancelled", cancelled), ("not_finite", non_finite)]
        {
            let labels = [("model", label(model)), ("outcome", outcome.to_owned())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
