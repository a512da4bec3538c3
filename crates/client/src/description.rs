//! What a server says that it serves, checked.

use std::collections::BTreeSet;

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};
use headwater_types::listing::Sketch;
use headwater_types::{DatasetName, Digest, Fields, ImageLimits, Listing, Partition as Part};
use headwater_wire::field::fields_from;
use headwater_wire::proto;

/// What a server serves.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) samples: u64,
    pub(crate) digest: Digest,
    /// All different.
    pub(crate) classes: Vec<String>,
    /// Models are checked when one is asked for: a model that nobody asks for keeps nobody from the photos.
    pub(crate) models: Vec<proto::ModelDescription>,
    pub(crate) cpu_workers: u32,
    pub(crate) server_version: String,
    pub(crate) stored_bytes: u64,
    pub(crate) part: Part,
    pub(crate) listing: Listing,
    /// Random bytes that the server made at its start, by which it is known under all its addresses.
    pub(crate) instance: [u8; INSTANCE_BYTES],
    /// Whether the server knows epochs of single samples, and says the place of each in the call.
    pub(crate) sample_epochs: bool,
    /// BLAKE3 over the keys and labels; `None` from a server that lists no names.
    pub(crate) names: Option<Digest>,
    /// What photos may be at the server.
    pub(crate) limits: ImageLimits,
    /// What the server's listing left out, in its words.
    pub(crate) left_out: Vec<proto::LeftOut>,
    /// What the samples have beside their labels.
    pub(crate) fields: Fields,
    /// Counts the generations since the server's start; 0 from a server that lists only then.
    pub(crate) generation: u64,
    /// What holds the samples; empty from a server that does not say it.
    pub(crate) source: String,
}

/// Bytes by which a server is known.
pub(crate) const INSTANCE_BYTES: usize = 16;

// === impl Description ===

impl Description {
    /// Reads what a server answered that was asked for the dataset `name`.
    ///
    /// # Errors
    /// How the answer breaks the protocol.
    pub(crate) fn read(name: &DatasetName, answer: proto::DatasetDescription) -> Result<Self, String> {
        if answer.dataset != name.as_str() {
            return Err(format!("it described another dataset than {name}"));
        }
        let samples = answer.samples;
        if samples > MAX_SAMPLES {
            return Err(format!("{samples} samples are more than {MAX_SAMPLES}"));
        }
        let digest = read_digest(&answer.digest)?;
        check_classes(&answer.classes)?;
        let part = answer.part.and_then(|part| Part::new(part.number, part.count));
        let part = part.ok_or("it does not say which part of its listing it serves")?;
        let listing = answer.listing.and_then(read_listing).ok_or("what it says of its listing cannot be read")?;
        if samples > listing.samples {
            return Err(format!("its part has {samples} samples, and all parts together {}", listing.samples));
        }
        let names = &answer.names_digest;
        Ok(Self {
            samples,
            digest,
            classes: answer.classes,
            models: answer.models,
            cpu_workers: answer.cpu_workers,
            server_version: answer.server_version,
            stored_bytes: answer.stored_bytes,
            part,
            listing,
            instance: read_instance(&answer.instance)?,
            sample_epochs: answer.sample_epochs,
            names: (!names.is_empty()).then(|| read_digest(names)).transpose()?,
            limits: read_limits(answer.limits)?,
            left_out: answer.left_out,
            fields: fields_from(answer.fields).map_err(|error| error.to_string())?,
            generation: answer.generation,
            source: read_source(answer.source)?,
        })
    }
}

fn read_digest(bytes: &[u8]) -> Result<Digest, String> {
    Digest::try_from(bytes).map_err(|error| error.to_string())
}

fn check_classes(classes: &[String]) -> Result<(), String> {
    match classes.len() {
        many if many > MAX_CLASSES => Err(format!("{many} classes are more than {MAX_CLASSES}")),
        many if classes.iter().collect::<BTreeSet<_>>().len() < many => {
            Err("two of its classes have one name".to_owned())
        }
        _ => Ok(()),
    }
}

/// A word: a server is not trusted to be brief.
fn read_source(source: String) -> Result<String, String> {
    let is_word = source.len() <= 32 && source.chars().all(|c| c.is_ascii_graphic());
    if is_word { Ok(source) } else { Err("what it says of its source is no word".to_owned()) }
}

fn read_listing(listing: proto::Listing) -> Option<Listing> {
    let proto::Listing { samples, digest, sketch } = listing;
    Some(Listing { samples, digest: Digest::try_from(&digest[..]).ok()?, sketch: Sketch::from_hashes(&sketch)? })
}

/// A server that says no limits is older than the limits that servers say, and keeps the default ones.
fn read_limits(limits: Option<proto::PhotoLimits>) -> Result<ImageLimits, String> {
    limits.map_or(Ok(ImageLimits::default()), |limits| ImageLimits::try_from(limits).map_err(|error| error.to_string()))
}

fn read_instance(instance: &[u8]) -> Result<[u8; INSTANCE_BYTES], String> {
    instance.try_into().map_err(|_| format!("its instance is not {INSTANCE_BYTES} bytes"))
}
