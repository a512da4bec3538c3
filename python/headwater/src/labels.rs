//! Labels that models gave to photos, asked of their servers.

use std::time::Duration;

use headwater_client::label_calls::{AskLabels, CountLabels, LabelSource, LabelledSample, LabellerChoice, Question};
use headwater_client::{ClientOptions, Retry, Servers};
use pyo3::prelude::*;

use crate::access::Access;
use crate::errors::{self, HeadwaterError, argument};
use crate::network::Network;
use crate::texts;

/// Of a photo: server, key, its best classes with their scores, and its best class by the labeller that was compared
/// with.
type Labelled = (String, String, Vec<(String, f32)>, Option<String>);

/// Asks every server for photos, each server's in the order of the question. At most one of `label`, `changed_since`
/// and `uncertain` says which; without them it is all that have labels.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn labels(
    py: Python<'_>,
    servers: Vec<String>,
    dataset: &str,
    whose: (Option<String>, String),
    which: (Option<String>, Option<String>, bool),
    bounds: (f32, Option<u64>),
    patience: (f64, bool, Access),
) -> PyResult<Vec<Labelled>> {
    let (min_score, limit) = bounds;
    let question = match which {
        (Some(label), ..) => Question::Label(label),
        (_, Some(digest), _) => Question::ChangedSince(LabellerChoice { model: None, digest }),
        (.., true) => Question::Uncertain,
        _ => Question::All,
    };
    let dataset = dataset.parse().map_err(argument)?;
    let ask = AskLabels { dataset, labeller: labeller(whose)?, question, min_score, limit };
    let (servers, options, network) = means(&servers, patience)?;
    let answers = network.wait(py, headwater_client::ask_labels(&servers, &ask, &options))?;
    let answers = answers.map_err(|error| errors::server(&error))?;
    Ok(answers
        .into_iter()
        .flat_map(|of| {
            let (server, source) = (of.server.to_string(), of.source);
            of.samples.into_iter().map(move |sample| labelled(&server, &source, &sample))
        })
        .collect())
}

/// Asks every server how many photos have each label: each server's labels with their counts.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn label_counts(
    py: Python<'_>,
    servers: Vec<String>,
    dataset: &str,
    whose: (Option<String>, String),
    min_score: f32,
    patience: (f64, bool, Access),
) -> PyResult<Vec<(String, u64)>> {
    let dataset = dataset.parse().map_err(argument)?;
    let count = CountLabels { dataset, labeller: labeller(whose)?, min_score };
    let (servers, options, network) = means(&servers, patience)?;
    let counted = network.wait(py, headwater_client::count_labels(&servers, &count, &options))?;
    let counted = counted.map_err(|error| errors::server(&error))?;
    let of_server = |(_, source, counts): (_, LabelSource, Vec<u64>)| -> Vec<(String, u64)> {
        let named = (0..).zip(counts).filter(|(_, count)| *count > 0);
        named.map(|(class, count)| (source.class_name(class), count)).collect()
    };
    Ok(counted.into_iter().flat_map(of_server).collect())
}

fn labeller((model, digest): (Option<String>, String)) -> PyResult<LabellerChoice> {
    let model = model.map(|model| model.parse()).transpose().map_err(argument)?;
    Ok(LabellerChoice { model, digest })
}

fn means(
    servers: &[String],
    (connect_for, allow_partial, access): (f64, bool, Access),
) -> PyResult<(Servers, ClientOptions, Network)> {
    let servers = texts::servers(servers)?;
    let connect_for = Duration::try_from_secs_f64(connect_for).map_err(argument)?;
    let retry = Retry { connect_for, ..Retry::default() };
    let options = ClientOptions { retry, allow_partial, access: access.open()?, ..ClientOptions::default() };
    let cannot_start = |error| HeadwaterError::new_err(format!("cannot start threads: {error}"));
    Ok((servers, options, Network::start().map_err(cannot_start)?))
}

fn labelled(server: &str, source: &LabelSource, sample: &LabelledSample) -> Labelled {
    let best = sample.best.iter().map(|best| (source.class_name(best.class.0), best.score)).collect();
    let earlier = source.before.as_deref().unwrap_or(source);
    let before = sample.before.map(|class| earlier.class_name(class.0));
    (server.to_owned(), sample.key.as_str().to_owned(), best, before)
}
