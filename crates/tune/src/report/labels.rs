//! Answers about labels.

use std::collections::BTreeMap;
use std::fmt;

use headwater_client::label_calls::LabelSource;
use headwater_client::{AskedLabels, ServerAddress};
use serde::Serialize;

/// An answer.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum LabelsSummary {
    Counts(CountSummary),
    Photos(PhotosSummary),
    Export(ExportSummary),
}

/// How many photos have each label.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CountSummary {
    /// The most first.
    labels: Vec<LabelCount>,
    sources: Vec<Source>,
}

#[derive(Clone, Debug, Serialize)]
struct LabelCount {
    label: String,
    count: u64,
}

/// Photos with their labels.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PhotosSummary {
    photos: Vec<Photo>,
    sources: Vec<Source>,
}

#[derive(Clone, Debug, Serialize)]
struct Photo {
    server: String,
    key: String,
    label: String,
    score: f32,
    /// The best classes, the best first.
    labels: Vec<Label>,
    /// The label by the labeller that this one is compared with; absent where there is no such.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Label {
    label: String,
    score: f32,
}

/// Photos that were written to a file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExportSummary {
    photos: usize,
    export: String,
    sources: Vec<Source>,
}

/// Whose labels they are, on one server.
#[derive(Clone, Debug, Serialize)]
struct Source {
    server: String,
    model: String,
    digest: String,
    model_digest: String,
    /// Photos of the dataset on that server.
    samples: u64,
    /// Those with labels, in the version that is there.
    labelled: u64,
    /// Those that could not be labelled.
    failed: u64,
    /// The digest of the labeller that is compared with; absent where there is no such.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

// === impl Source ===

impl Source {
    fn new(server: &ServerAddress, source: &LabelSource) -> Self {
        Self {
            server: server.to_string(),
            model: source.model.to_string(),
            digest: source.digest.to_string(),
            model_digest: source.model_digest.to_string(),
            samples: source.samples,
            labelled: source.labelled,
            failed: source.failed,
            before: source.before.as_ref().map(|before| before.digest.to_string()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, model, samples, labelled, failed, .. } = self;
        let digest = &self.model_digest[..self.model_digest.len().min(12)];
        write!(f, "{server}: {labelled} of {samples} photos labelled by {model} {digest}")?;
        if *failed > 0 { write!(f, ", {failed} failed") } else { Ok(()) }
    }
}

// === impl CountSummary ===

impl CountSummary {
    pub(crate) fn new(counted: &[(ServerAddress, LabelSource, Vec<u64>)]) -> Self {
        let mut by_label = BTreeMap::<String, u64>::new();
        for (_, source, counts) in counted {
            for (class, count) in (0..).zip(counts).filter(|(_, count)| **count > 0) {
                *by_label.entry(source.class_name(class)).or_default() += count;
            }
        }
        let mut labels: Vec<_> = by_label.into_iter().map(|(label, count)| LabelCount { label, count }).collect();
        labels.sort_by_key(|of| std::cmp::Reverse(of.count));
        let sources = counted.iter().map(|(server, source, _)| Source::new(server, source)).collect();
        Self { labels, sources }
    }
}

// === impl PhotosSummary ===

impl PhotosSummary {
    /// These samples of these answers: the answer's place, and the sample's place in it.
    pub(crate) fn new(asked: &[AskedLabels], chosen: &[(usize, usize)]) -> Self {
        let photo = |(of, row): &(usize, usize)| {
            let AskedLabels { server, source, samples } = &asked[*of];
            let sample = &samples[*row];
            let label = |class| source.class_name(class);
            let labels = sample.best.iter().map(|best| Label { label: label(best.class.0), score: best.score });
            let labels: Vec<_> = labels.collect();
            let best = labels.first().cloned().unwrap_or(Label { label: String::new(), score: 0.0 });
            let earlier = source.before.as_deref().unwrap_or(source);
            let before = sample.before.map(|class| earlier.class_name(class.0));
            let (server, key) = (server.to_string(), sample.key.as_str().to_owned());
            Photo { server, key, label: best.label, score: best.score, labels, before }
        };
        let sources = asked.iter().map(|of| Source::new(&of.server, &of.source)).collect();
        Self { photos: chosen.iter().map(photo).collect(), sources }
    }
}

// === impl ExportSummary ===

impl ExportSummary {
    pub(crate) fn new(asked: &[AskedLabels], photos: usize, export: String) -> Self {
        let sources = asked.iter().map(|of| Source::new(&of.server, &of.source)).collect();
        Self { photos, export, sources }
    }
}

impl fmt::Display for LabelsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = match self {
            Self::Counts(CountSummary { labels, sources }) => {
                labels.iter().try_for_each(|of| writeln!(f, "{:>10}  {}", of.count, of.label))?;
                sources
            }
            Self::Photos(PhotosSummary { photos, sources }) => {
                photos.iter().try_for_each(|photo| writeln!(f, "{photo}"))?;
                sources
            }
            Self::Export(ExportSummary { photos, export, sources }) => {
                writeln!(f, "{photos} photos written to {export}")?;
                sources
            }
        };
        let lines: Vec<_> = sources.iter().map(Source::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}  {}  {}", self.score, self.label, self.key)?;
        self.before.as_ref().map_or(Ok(()), |before| write!(f, "  (was {before})"))
    }
}
