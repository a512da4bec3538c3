//! What a server says of itself to those with which it shares one store, checked.

use bytes::Bytes;
use headwater_types::caps::MAX_INTRODUCED;
use headwater_types::{DatasetName, Digest, ServerName};

use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// Who a server is, and of what it can be the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// What it is called; `None` for a server that shares with nobody.
    pub name: Option<ServerName>,
    /// Made at random at its start.
    pub instance: [u8; 16],
    /// The version of its program.
    pub server_version: String,
    /// Whether it has CPU workers.
    pub has_workers: bool,
    /// Its datasets, each with the digests of the generations that it holds.
    pub datasets: Vec<(DatasetName, Vec<Digest>)>,
    /// A digest of each of its models: of everything that decides of the features of a sample.
    pub models: Vec<Digest>,
}

/// Longest version that is taken from a server.
const MAX_VERSION_BYTES: usize = 64;

// === impl Introduction ===

impl From<Introduction> for proto::Introduction {
    fn from(introduction: Introduction) -> Self {
        let Introduction { name, instance, server_version, has_workers, datasets, models } = introduction;
        let home = |(dataset, digests): (DatasetName, Vec<Digest>)| proto::HomeOfDataset {
            dataset: dataset.to_string(),
            digests: digests.into_iter().map(bytes_of).collect(),
        };
        Self {
            name: name.map(|name| name.to_string()).unwrap_or_default(),
            instance: instance.to_vec().into(),
            server_version,
            has_workers,
            datasets: datasets.into_iter().map(home).collect(),
            models: models.into_iter().map(bytes_of).collect(),
        }
    }
}

impl TryFrom<proto::Introduction> for Introduction {
    type Error = Invalid;

    fn try_from(introduction: proto::Introduction) -> Result<Self, Invalid> {
        let proto::Introduction { name, instance, server_version, has_workers, datasets, models } = introduction;
        let digests = datasets.iter().map(|dataset| dataset.digests.len()).max().unwrap_or_default();
        if [datasets.len(), models.len(), digests].into_iter().any(|length| length > MAX_INTRODUCED) {
            return Err(Invalid::new(format!("an introduction has a list of more than {MAX_INTRODUCED}")));
        }
        if server_version.len() > MAX_VERSION_BYTES || server_version.contains(char::is_control) {
            return Err(Invalid::new("an introduction has a version that is none"));
        }
        let name = (!name.is_empty()).then(|| name.parse().map_err(|error| Invalid::new(format!("{error}"))));
        let instance = instance[..].try_into().map_err(|_| Invalid::new("an introduction has no instance"))?;
        let home = |home: proto::HomeOfDataset| {
            let dataset = home.dataset.parse().map_err(|error| Invalid::new(format!("{error}")))?;
            Ok((dataset, all_digests(&home.digests)?))
        };
        Ok(Self {
            name: name.transpose()?,
            instance,
            server_version,
            has_workers,
            datasets: datasets.into_iter().map(home).collect::<Result<_, Invalid>>()?,
            models: all_digests(&models)?,
        })
    }
}

fn bytes_of(digest: Digest) -> Bytes {
    digest.as_bytes().to_vec().into()
}

fn all_digests(digests: &[Bytes]) -> Result<Vec<Digest>, Invalid> {
    let none = || Invalid::new("an introduction has an empty digest");
    digests.iter().map(|digest| digest_from(digest)?.ok_or_else(none)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introduction() -> Introduction {
        Introduction {
            name: Some("node1".parse().unwrap()),
            instance: [7; 16],
            server_version: "1.0.0".into(),
            has_workers: true,
            datasets: vec![("photos".parse().unwrap(), vec![Digest::of(b"now"), Digest::of(b"before")])],
            models: vec![Digest::of(b"model")],
        }
    }

    #[test]
    fn an_introduction_survives_the_wire_with_a_name_and_without() {
        for name in [introduction().name, None] {
            let said = Introduction { name, ..introduction() };
            assert_eq!(Introduction::try_from(proto::Introduction::from(said.clone())), Ok(said));
        }
    }

    #[test]
    fn what_is_no_name_no_digest_or_too_much_is_refused() {
        let good = proto::Introduction::from(introduction());
        let home = |dataset: &str, digests| proto::HomeOfDataset { dataset: dataset.into(), digests };
        type Break<'a> = &'a dyn Fn(&mut proto::Introduction);
        let breaks: [Break<'_>; 9] = [
            &|said| said.name = "../node1".into(),
            &|said| said.instance = Bytes::from_static(b"short"),
            &|said| said.server_version = "x".repeat(65),
            &|said| said.server_version = "\u{1b}[2J".into(),
            &|said| said.datasets = vec![home("no name", Vec::new())],
            &|said| said.datasets = vec![home("photos", vec![Bytes::from_static(b"short")])],
            &|said| said.datasets = vec![home("photos", vec![Bytes::new()])],
            &|said| said.datasets = vec![home("photos", vec![Bytes::from_static(&[1; 32]); MAX_INTRODUCED + 1])],
            &|said| said.models = vec![Bytes::from_static(&[1; 32]); MAX_INTRODUCED + 1],
        ];
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut said = good.clone();
            break_it(&mut said);
            assert!(Introduction::try_from(said).is_err(), "{number}");
        }
    }
}
