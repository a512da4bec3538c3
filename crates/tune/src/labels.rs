//! `tuner labels`: which photos are what.

use anyhow::{Context as _, anyhow};
use headwater_cli::{Outcome, OutputFile, Outputs};
use headwater_client::label_calls::{AskLabels, Question};
use headwater_client::{AskedLabels, ask_labels, count_labels};
use headwater_store::{S3Options, Site, upload};
use headwater_tables::labels::{self, LabelRow, LabellerNames};
use tokio_util::sync::CancellationToken;

use crate::args::LabelsArgs;
use crate::report::{CountSummary, ExportSummary, LabelsSummary, PhotosSummary};

/// The answer did not come before the command was stopped.
#[derive(Debug, thiserror::Error)]
#[error("stopped before the servers had answered")]
pub(crate) struct Unanswered;

/// Asks, and gives the answer of all servers together. After `stop` there is none.
pub(crate) async fn ask(args: &LabelsArgs, stop: &CancellationToken) -> anyhow::Result<Outcome<LabelsSummary>> {
    let export = args.export.as_ref().map(Export::open).transpose()?;
    let (servers, options) = (&args.parts.servers(), args.parts.options()?);
    let Some(question) = args.ask() else {
        let count = args.count();
        let counted = stop.run_until_cancelled(Box::pin(count_labels(servers, &count, &options)));
        let counted = counted.await.ok_or(Unanswered)??;
        say_different(counted.iter().map(|(_, source, _)| source.digest));
        return Ok(Outcome::done(LabelsSummary::Counts(CountSummary::new(&counted))));
    };
    let asked = stop.run_until_cancelled(Box::pin(ask_labels(servers, &question, &options)));
    let asked = asked.await.ok_or(Unanswered)??;
    say_different(asked.iter().map(|of| of.source.digest));
    let chosen = merged(&asked, &question);
    let Some(Export { file, bucket }) = export else {
        return Ok(Outcome::done(LabelsSummary::Photos(PhotosSummary::new(&asked, &chosen))));
    };
    let path = file.path().to_owned();
    let names: Vec<_> = asked.iter().map(names).collect();
    labels::write(file, chosen.iter().map(|(of, row)| row_of(&asked[*of], &names[*of], *row)))?;
    let mut place = path.display().to_string();
    if let Some((bucket, key)) = bucket {
        place = format!("s3://{bucket}/{key}");
        let table = tokio::fs::read(&path).await.context("the table before it is sent");
        tokio::fs::remove_file(&path).await.context("the table that was sent")?;
        let (table, to) = (table?.into(), S3Options::default());
        let sent = stop.run_until_cancelled(upload(&bucket, &key, &table, &to)).await.ok_or(Unanswered)?;
        sent.map_err(|why| anyhow!("--export {place}: {why}"))?;
    }
    Ok(Outcome::done(LabelsSummary::Export(ExportSummary::new(&asked, chosen.len(), place))))
}

/// Where a table is written: a file, which is then sent to a bucket where one is named.
struct Export {
    file: OutputFile,
    bucket: Option<(String, String)>,
}

// === impl Export ===

impl Export {
    fn open(site: &Site) -> anyhow::Result<Self> {
        let (path, bucket) = match site {
            Site::Local(path) => (path.clone(), None),
            Site::S3 { bucket, prefix } => {
                let name = format!("headwater-labels-{}.parquet", std::process::id());
                (std::env::temp_dir().join(name), Some((bucket.clone(), prefix.clone())))
            }
        };
        Ok(Self { file: Outputs::new().file("--export", &path)?, bucket })
    }
}

/// Says where servers answer for different models: their labels do not mean the same.
fn say_different<D: PartialEq + ToString>(digests: impl Iterator<Item = D>) {
    let digests: Vec<_> = digests.collect();
    if digests.windows(2).any(|pair| pair[0] != pair[1]) {
        let digests = digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        tracing::warn!(digests, "the servers' labels are of different models: say whose with --labeller");
    }
}

/// Which of whose samples are the answer: the server's place, and the sample's place in its answer.
fn merged(asked: &[AskedLabels], question: &AskLabels) -> Vec<(usize, usize)> {
    let each = asked.iter().enumerate().flat_map(|(of, asked)| (0..asked.samples.len()).map(move |row| (of, row)));
    let mut all: Vec<_> = each.collect();
    let score = |(of, row): &(usize, usize)| asked[*of].samples[*row].best.first().map_or(0.0, |best| best.score);
    match question.question {
        // Sorting is stable: of one score the servers' order holds.
        Question::Label(_) => all.sort_by(|one, other| score(other).total_cmp(&score(one))),
        Question::Uncertain => all.sort_by(|one, other| score(one).total_cmp(&score(other))),
        Question::All | Question::ChangedSince(_) => {}
    }
    all.truncate(question.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
    all
}

fn names(of: &AskedLabels) -> (LabellerNames, Classes, String) {
    let labeller = LabellerNames {
        model: of.source.model.to_string(),
        digest: of.source.digest.to_string(),
        model_digest: of.source.model_digest.to_string(),
    };
    (labeller, Classes::of(of), of.server.to_string())
}

/// The names of a server's classes, those of the compared labeller included.
struct Classes {
    now: Vec<String>,
    before: Vec<String>,
}

// === impl Classes ===

impl Classes {
    /// As many names as any sample needs.
    fn of(of: &AskedLabels) -> Self {
        let most = |classes: &mut dyn Iterator<Item = u32>| classes.max().map_or(0, |class| class + 1);
        let now = most(&mut of.samples.iter().flat_map(|sample| sample.best.iter().map(|best| best.class.0)));
        let before = most(&mut of.samples.iter().filter_map(|sample| sample.before).map(|class| class.0));
        let earlier = of.source.before.as_deref().unwrap_or(&of.source);
        Self {
            now: (0..now).map(|class| of.source.class_name(class)).collect(),
            before: (0..before).map(|class| earlier.class_name(class)).collect(),
        }
    }
}

fn row_of<'a>(
    of: &'a AskedLabels,
    (labeller, classes, server): &'a (LabellerNames, Classes, String),
    row: usize,
) -> LabelRow<'a> {
    let sample = &of.samples[row];
    let name = |class: u32| classes.now.get(class as usize).map_or("", String::as_str);
    LabelRow {
        server,
        key: sample.key.as_str(),
        version: sample.version,
        best: sample.best.iter().map(|best| (name(best.class.0), best.score)).collect(),
        before: sample.before.and_then(|class| classes.before.get(class.0 as usize)).map(String::as_str),
        labeller,
    }
}
