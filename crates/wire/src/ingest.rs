//! Photos on their way into a dataset.

use headwater_types::caps::{MAX_LABEL_CLASSES, MAX_NAME_BYTES, MAX_TOP_K};
use headwater_types::{ByteCount, ClassId, DatasetName, Digest, ModelName, SampleFailure, SampleKey, Scored};

use crate::labels::TOP_K;
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A photo that is to be taken in, before its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingest {
    /// The dataset's name.
    pub dataset: DatasetName,
    /// The photo's own name, without folders.
    pub name: String,
    /// The photo's class; `None` for a photo right under the dataset's root.
    pub label: Option<String>,
    /// Whether a class that the dataset does not have yet may begin with the photo.
    pub new_class: bool,
    /// Bytes of the photo.
    pub length: ByteCount,
    /// Their BLAKE3.
    pub digest: Digest,
    /// Which labels the answer is to have; `None` for none.
    pub labels: Option<WantedLabels>,
}

/// Labels that are wanted of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLabels {
    /// Who labels; `None` for those that have labelled the dataset, or the only one that can.
    pub model: Option<ModelName>,
    /// Classes of each labeller, the best first.
    pub top_k: u32,
}

/// What came of a photo.
#[derive(Clone, Debug, PartialEq)]
pub enum Ingested {
    /// It is in the dataset.
    Taken {
        /// Its key there.
        key: SampleKey,
        /// Whether it was there before.
        duplicate: bool,
        /// What models say of it.
        labels: Vec<IngestedLabels>,
    },
    /// It is none that the dataset could have.
    Refused(SampleFailure),
}

/// What a model says of a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestedLabels {
    /// The model or head.
    pub model: ModelName,
    /// Of the file that decides of the classes.
    pub model_digest: Digest,
    /// The best classes, the best first.
    pub best: Vec<Scored>,
    /// Their names; none where the model's classes have none.
    pub names: Vec<String>,
}

/// Most labellers of an answer that are taken.
const MAX_LABELLERS: usize = 64;

impl From<Ingest> for proto::IngestHead {
    fn from(ingest: Ingest) -> Self {
        let (model, top_k) = ingest.labels.clone().map_or((None, 0), |labels| (labels.model, labels.top_k));
        Self {
            dataset: ingest.dataset.to_string(),
            name: ingest.name,
            label: ingest.label.unwrap_or_default(),
            new_class: ingest.new_class,
            length: ingest.length.get(),
            digest: ingest.digest.as_bytes().to_vec().into(),
            wait: ingest.labels.is_some(),
            model: model.map(|model| model.to_string()).unwrap_or_default(),
            top_k,
        }
    }
}

impl TryFrom<proto::IngestHead> for Ingest {
    type Error = Invalid;

    fn try_from(head: proto::IngestHead) -> Result<Self, Invalid> {
        let invalid = |what: &str, error: &dyn std::fmt::Display| Invalid::new(format!("{what}: {error}"));
        let dataset = head.dataset.parse().map_err(|error| invalid("dataset", &error))?;
        check_name("name", &head.name)?;
        if !head.label.is_empty() {
            check_name("label", &head.label)?;
        }
        let key = if head.label.is_empty() { head.name.clone() } else { format!("{}/{}", head.label, head.name) };
        key.parse::<SampleKey>().map_err(|error| invalid("name", &error))?;
        let top_k = if head.top_k == 0 { TOP_K } else { head.top_k };
        if top_k as usize > MAX_TOP_K {
            return Err(Invalid::new(format!("top_k {top_k} is more than {MAX_TOP_K}")));
        }
        let model = (!head.model.is_empty()).then(|| head.model.parse()).transpose();
        let model = model.map_err(|error| invalid("model", &error))?;
        if model.is_some() && !head.wait {
            return Err(Invalid::new("a model is named, and no labels are waited for"));
        }
        Ok(Self {
            dataset,
            name: head.name,
            label: Some(head.label).filter(|label| !label.is_empty()),
            new_class: head.new_class,
            length: ByteCount::new(head.length),
            digest: digest_from(&head.digest)?.ok_or_else(|| Invalid::new("a photo has no digest"))?,
            labels: head.wait.then_some(WantedLabels { model, top_k }),
        })
    }
}

/// Checks the name of a file or of a folder right under the root: one that every listing sees.
///
/// # Errors
/// A name that is empty or too long, leads elsewhere, or is hidden.
pub fn check_name(what: &str, name: &str) -> Result<(), Invalid> {
    let wrong = match name {
        "" => "is empty",
        _ if name.len() > MAX_NAME_BYTES => "is longer than any file's",
        _ if name.contains(['/', '\\']) => "has a slash: give the name alone",
        _ if name.starts_with('.') => "begins with a dot, and would be hidden",
        _ if name.chars().any(char::is_control) => "has control characters",
        _ if name.trim() != name => "begins or ends with a space",
        _ => return Ok(()),
    };
    Err(Invalid::new(format!("{what} {name:?} {wrong}")))
}

impl From<Ingested> for proto::IngestAnswer {
    fn from(ingested: Ingested) -> Self {
        match ingested {
            Ingested::Taken { key, duplicate, labels } => Self {
                key: key.as_str().to_owned(),
                duplicate,
                labels: labels.into_iter().map(Into::into).collect(),
                refused: None,
            },
            Ingested::Refused(failure) => Self { refused: Some((&failure).into()), ..Self::default() },
        }
    }
}

impl TryFrom<proto::IngestAnswer> for Ingested {
    type Error = Invalid;

    fn try_from(answer: proto::IngestAnswer) -> Result<Self, Invalid> {
        if let Some(refused) = answer.refused {
            return Ok(Self::Refused(refused.into()));
        }
        if answer.labels.len() > MAX_LABELLERS {
            return Err(Invalid::new(format!("{} labellers are more than {MAX_LABELLERS}", answer.labels.len())));
        }
        let key = answer.key.parse().map_err(|error| Invalid::new(format!("key: {error}")))?;
        let labels = answer.labels.into_iter().map(IngestedLabels::try_from).collect::<Result<_, _>>()?;
        Ok(Self::Taken { key, duplicate: answer.duplicate, labels })
    }
}

impl From<IngestedLabels> for proto::IngestedLabels {
    fn from(labels: IngestedLabels) -> Self {
        Self {
            model: labels.model.to_string(),
            model_digest: labels.model_digest.as_bytes().to_vec().into(),
            classes: labels.best.iter().map(|scored| scored.class.0).collect(),
            scores: labels.best.iter().map(|scored| scored.score).collect(),
            names: labels.names,
        }
    }
}

impl TryFrom<proto::IngestedLabels> for IngestedLabels {
    type Error = Invalid;

    fn try_from(labels: proto::IngestedLabels) -> Result<Self, Invalid> {
        let classes = labels.classes.len();
        let fits = classes <= MAX_LABEL_CLASSES && labels.scores.len() == classes;
        if !fits || !(labels.names.is_empty() || labels.names.len() == classes) {
            return Err(Invalid::new("the labels of a photo are not as many as their scores and names"));
        }
        let scored = labels.classes.into_iter().zip(labels.scores);
        Ok(Self {
            model: labels.model.parse().map_err(|error| Invalid::new(format!("model: {error}")))?,
            model_digest: digest_from(&labels.model_digest)?.ok_or_else(|| Invalid::new("a model has no digest"))?,
            best: scored.map(|(class, score)| Scored { class: ClassId(class), score }).collect(),
            names: labels.names,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::FailureKind;

    use super::*;

    fn ingest() -> Ingest {
        Ingest {
            dataset: "photos".parse().unwrap(),
            name: "1.jpg".to_owned(),
            label: Some("Banana".to_owned()),
            new_class: false,
            length: ByteCount::new(9),
            digest: Digest::of(b"photo"),
            labels: Some(WantedLabels { model: Some("m".parse().unwrap()), top_k: 3 }),
        }
    }

    #[test]
    fn photos_survive_the_wire_and_what_cannot_be_is_refused_by_name() {
        let plain = Ingest { label: None, labels: None, ..ingest() };
        for sent in [ingest(), plain] {
            assert_eq!(Ingest::try_from(proto::IngestHead::from(sent.clone())), Ok(sent));
        }
        type Break = fn(&mut proto::IngestHead);
        let breaks: [(Break, &str); 8] = [
            (|head| head.name = "../1.jpg".into(), "slash"),
            (|head| head.name = String::new(), "empty"),
            (|head| head.label = ".git".into(), "hidden"),
            (|head| head.label = "..".into(), "hidden"),
            (|head| head.label = "a\nb".into(), "control"),
            (|head| head.digest = Vec::new().into(), "digest"),
            (|head| head.top_k = 65, "top_k"),
            (|head| head.wait = false, "waited"),
        ];
        for (break_it, words) in breaks {
            let mut head = proto::IngestHead::from(ingest());
            break_it(&mut head);
            let error = Ingest::try_from(head).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn answers_survive_the_wire() {
        let labels = IngestedLabels {
            model: "m".parse().unwrap(),
            model_digest: Digest::of(b"m"),
            best: vec![Scored { class: ClassId(3), score: 0.5 }],
            names: vec!["Banana".to_owned()],
        };
        let key = "Banana/1.jpg".parse().unwrap();
        let taken = Ingested::Taken { key, duplicate: true, labels: vec![labels] };
        let refused = Ingested::Refused(SampleFailure::new(FailureKind::Malformed, "no photo"));
        for sent in [taken, refused] {
            let mut answer = proto::IngestAnswer::from(sent.clone());
            assert_eq!(Ingested::try_from(answer.clone()), Ok(sent));
            if let Some(labels) = answer.labels.first_mut() {
                labels.scores.clear();
                assert!(Ingested::try_from(answer).is_err());
            }
        }
    }
}
