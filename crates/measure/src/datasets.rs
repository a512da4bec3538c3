//! `profiler datasets`: which datasets servers have, and how each of them is.

use std::fmt;

use anyhow::bail;
use clap::Args;
use headwater_cli::AccessArgs;
use headwater_client::{ClientOptions, ServedDataset, ServerSource, Servers, datasets};
use headwater_types::Digest;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  profiler datasets --servers node1:7440
  profiler datasets --servers node1:7440,node2:7440 --json

The exit code is 0 where every server answered and every dataset of theirs
is served or starting, and 1 otherwise: the table is printed all the same.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DatasetsArgs {
    /// Storage servers
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', required = true)]
    servers: Vec<ServerSource>,

    #[command(flatten)]
    access: AccessArgs,
}

/// What the servers have.
#[derive(Debug, Serialize)]
pub(crate) struct DatasetsReport {
    datasets: Vec<Row>,
    /// Servers that did not answer, and why.
    unanswered: Vec<Unanswered>,
}

/// A dataset of a server; what was not listed yet is null.
#[derive(Debug, Serialize)]
struct Row {
    dataset: String,
    state: &'static str,
    /// What the server is doing about it, or why it cannot be served.
    reason: String,
    samples: Option<u64>,
    classes: Option<u64>,
    bytes: Option<u64>,
    /// Bytes that the server has read of the dataset's own files or objects since its start.
    bytes_read: Option<u64>,
    source: Option<String>,
    part: Option<String>,
    generation: Option<u64>,
    digest: Option<Digest>,
    server: String,
}

#[derive(Debug, Serialize)]
struct Unanswered {
    server: String,
    error: String,
}

/// Asks all servers.
pub(crate) async fn ask(args: &DatasetsArgs) -> anyhow::Result<DatasetsReport> {
    let mut report = DatasetsReport { datasets: Vec::new(), unanswered: Vec::new() };
    let options = ClientOptions { access: args.access.open()?, ..ClientOptions::default() };
    let servers = Servers::new(args.servers.clone()).find().await?;
    for answer in datasets(&servers, &options).await? {
        let server = answer.server.to_string();
        match answer.datasets {
            Ok(datasets) => report.datasets.extend(datasets.into_iter().map(|dataset| row(dataset, &server))),
            Err(error) => report.unanswered.push(Unanswered { server, error: error.to_string() }),
        }
    }
    Ok(report)
}

fn row(dataset: ServedDataset, server: &str) -> Row {
    let listed = dataset.listed.as_ref();
    Row {
        dataset: dataset.name.to_string(),
        state: dataset.state.as_str(),
        samples: listed.map(|listed| listed.samples),
        classes: listed.map(|listed| listed.classes),
        bytes: listed.map(|listed| listed.stored.get()),
        bytes_read: listed.map(|listed| listed.fetched.get()),
        source: listed.map(|listed| listed.source.clone()),
        part: listed.map(|listed| listed.part.to_string()),
        generation: listed.map(|listed| listed.generation),
        digest: listed.map(|listed| listed.digest),
        reason: dataset.reason,
        server: server.to_owned(),
    }
}

// === impl DatasetsReport ===

impl DatasetsReport {
    /// Whether every server answered, and no dataset needs to be mended.
    ///
    /// # Errors
    /// How many did not, or need to be.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let broken = self.datasets.iter().filter(|row| row.state == "not-ready").count();
        match (self.unanswered.len(), broken) {
            (0, 0) => Ok(()),
            (0, broken) => bail!("{broken} datasets are not ready: mend what the table says, and reload the server"),
            (silent, broken) => bail!("{silent} servers did not answer, and {broken} datasets are not ready"),
        }
    }
}

impl fmt::Display for DatasetsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let wide = |of: fn(&Row) -> &str, head: &str| {
            self.datasets.iter().map(|row| of(row).chars().count()).max().unwrap_or(0).max(head.len())
        };
        let (name, server) = (wide(|row| &row.dataset, "dataset"), wide(|row| &row.server, "server"));
        write!(f, "{:name$}  {:server$}  state    ", "dataset", "server")?;
        write!(f, "  {:>12}  {:>8}  {:>16}  {:>13}", "samples", "classes", "bytes", "bytes read")?;
        write!(f, "  {:8}  generation", "source")?;
        for row in &self.datasets {
            write!(f, "\n{:name$}  {:server$}  {:9}", row.dataset, row.server, row.state)?;
            write!(f, "  {:>12}  {:>8}  {:>16}", number(row.samples), number(row.classes), number(row.bytes))?;
            write!(f, "  {:>13}", number(row.bytes_read))?;
            write!(f, "  {:8}  {}", row.source.as_deref().unwrap_or("-"), number(row.generation))?;
            if !row.reason.is_empty() {
                write!(f, "\n    {}", row.reason)?;
            }
        }
        for Unanswered { server, error } in &self.unanswered {
            write!(f, "\n{server} did not answer: {error}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use headwater_client::{DatasetState, ListedDataset};
    use headwater_types::{ByteCount, Partition};

    use super::*;

    fn report() -> DatasetsReport {
        let listed = ListedDataset {
            samples: 1_281_167,
            classes: 1000,
            stored: ByteCount::new(147_897_477_120),
            fetched: ByteCount::new(7_394_873_856),
            source: "folder".to_owned(),
            generation: 3,
            digest: Digest::of(b"d"),
            part: Partition::ALL,
        };
        let name = |name: &str| name.parse().unwrap();
        let serving = DatasetState::Serving;
        let served =
            ServedDataset { name: name("imagenet"), state: serving, reason: String::new(), listed: Some(listed) };
        let reason = "there is no folder /srv/val".to_owned();
        let broken = ServedDataset { name: name("val"), state: DatasetState::NotReady, reason, listed: None };
        let datasets = vec![row(served, "node1:7440"), row(broken, "node1:7440")];
        DatasetsReport { datasets, unanswered: Vec::new() }
    }

    #[test]
    fn a_table_says_what_there_is_and_what_is_to_be_mended() {
        let lines: Vec<_> = report().to_string().lines().map(|line| line.trim_end().to_owned()).collect();
        assert_eq!(
            lines,
            [
                "dataset   server      state           samples   classes             bytes     bytes read  source    \
                 generation",
                "imagenet  node1:7440  serving         1281167      1000      147897477120     7394873856  folder    3",
                "val       node1:7440  not-ready             -         -                 -              -  -         -",
                "    there is no folder /srv/val",
            ]
        );
    }

    #[test]
    fn what_is_broken_or_silent_decides_the_exit_code() {
        let mut report = report();
        assert_eq!(report.check().unwrap_err().to_string().split(':').next(), Some("1 datasets are not ready"));
        report.datasets.pop();
        assert!(report.check().is_ok());
        report.unanswered.push(Unanswered { server: "node2:7440".to_owned(), error: "gone".to_owned() });
        assert!(report.check().is_err());
    }
}
