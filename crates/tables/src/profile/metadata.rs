//! What a profile is of: key-value metadata of the Parquet file, each entry readable on its own by whoever opens it.
//!
//! | key | value |
//! |---|---|
//! | `headwater.profile` | version of this form: `1` |
//! | `headwater.provenance` | TOML: who measured what, when and how, with the errors of the fits and the overheads |
//! | `headwater.servers` | JSON list: address, digest, first sample, samples, CPU workers, devices |
//! | `headwater.ways` | JSON list, in the order of the columns |
//! | `headwater.digest` | BLAKE3 of the entries above and of every row |

use headwater_plan::{Profile, Provenance, Server};
use headwater_types::caps::{MAX_PLAN_HEAD_BYTES, MAX_PROFILE_SERVERS};
use headwater_types::digest::Digester;
use headwater_types::{Digest, Way};
use parquet::file::metadata::KeyValue;
use serde::de::DeserializeOwned;

use super::error::ProfileFileError;

const VERSION_KEY: &str = "headwater.profile";
const VERSION: &str = "1";
const PROVENANCE: &str = "headwater.provenance";
const SERVERS: &str = "headwater.servers";
const WAYS: &str = "headwater.ways";
const DIGEST: &str = "headwater.digest";

/// What a profile is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metadata {
    pub(super) provenance: Provenance,
    pub(super) servers: Vec<Server>,
    pub(super) ways: Vec<Way>,
}

// === impl Metadata ===

impl Metadata {
    pub(super) fn to_key_values(profile: &Profile) -> Result<Vec<KeyValue>, ProfileFileError> {
        let json = |key, value: serde_json::Result<String>| {
            value.map_err(|error| ProfileFileError::Metadata { key, fault: format!("not to be written: {error}") })
        };
        let entries = [
            (VERSION_KEY, VERSION.to_owned()),
            (PROVENANCE, profile.provenance().to_toml()),
            (SERVERS, json(SERVERS, serde_json::to_string(profile.servers()))?),
            (WAYS, json(WAYS, serde_json::to_string(profile.ways()))?),
        ];
        let mut pairs: Vec<_> = entries.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
        let digest = digest(&pairs, profile)?;
        pairs.push(KeyValue::new(DIGEST.to_owned(), digest.to_string()));
        Ok(pairs)
    }

    pub(super) fn from_key_values(pairs: &[KeyValue]) -> Result<Self, ProfileFileError> {
        let version = text(pairs, VERSION_KEY)?;
        if version != VERSION {
            return Err(ProfileFileError::Version(version.chars().take(64).collect()));
        }
        let servers: Vec<Server> = json(pairs, SERVERS)?;
        if servers.len() > MAX_PROFILE_SERVERS {
            let fault = format!("a list of {} servers, of which there may be {MAX_PROFILE_SERVERS}", servers.len());
            return Err(ProfileFileError::Metadata { key: SERVERS, fault });
        }
        let provenance = Provenance::from_toml(text(pairs, PROVENANCE)?)
            .map_err(|error| ProfileFileError::Metadata { key: PROVENANCE, fault: format!("unreadable ({error})") })?;
        Ok(Self { provenance, servers, ways: json(pairs, WAYS)? })
    }
}

/// The digest that the metadata says.
pub(super) fn said_digest(pairs: &[KeyValue]) -> Result<Digest, ProfileFileError> {
    let digest = text(pairs, DIGEST)?.parse();
    digest.map_err(|_| ProfileFileError::Metadata { key: DIGEST, fault: "no digest".to_owned() })
}

/// Of the entries as they stand there, and of every row.
pub(super) fn digest(pairs: &[KeyValue], profile: &Profile) -> Result<Digest, ProfileFileError> {
    let mut digester = Digester::default();
    for key in [VERSION_KEY, PROVENANCE, SERVERS, WAYS] {
        digester.field(text(pairs, key)?.as_bytes());
    }
    let mut row = Vec::new();
    for facts in (0..profile.len()).filter_map(|index| profile.facts(index)) {
        row.clear();
        row.extend_from_slice(&facts.width.unwrap_or(0).to_le_bytes());
        row.extend_from_slice(&facts.height.unwrap_or(0).to_le_bytes());
        row.push(facts.measured.into());
        row.extend_from_slice(facts.key.unwrap_or_default().as_bytes());
        digester.field(&row);
    }
    digester.field(profile.digest().as_bytes());
    Ok(digester.finish())
}

fn text<'a>(pairs: &'a [KeyValue], key: &'static str) -> Result<&'a str, ProfileFileError> {
    let found = pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref());
    let text = found.ok_or_else(|| ProfileFileError::Metadata { key, fault: "missing".to_owned() })?;
    if text.len() > MAX_PLAN_HEAD_BYTES {
        let fault = format!("longer than {MAX_PLAN_HEAD_BYTES} bytes");
        return Err(ProfileFileError::Metadata { key, fault });
    }
    Ok(text)
}

fn json<T: DeserializeOwned>(pairs: &[KeyValue], key: &'static str) -> Result<T, ProfileFileError> {
    serde_json::from_str(text(pairs, key)?)
        .map_err(|error| ProfileFileError::Metadata { key, fault: format!("unreadable ({error})") })
}
