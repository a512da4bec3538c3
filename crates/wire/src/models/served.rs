//! A model or head, as a server lists it.

use headwater_types::caps::{MAX_HELD_MODELS, MAX_LABEL_CLASSES, MAX_NAME_BYTES};
use headwater_types::{DevicePool, Digest, ModelName};

use crate::devices::{devices_from, devices_to};
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A model or head of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedModel {
    /// The name by which requests ask for it.
    pub name: ModelName,
    /// BLAKE3 of its file.
    pub digest: Digest,
    /// The name of the recipe that makes its input; for a head, that of its extractor.
    pub recipe: String,
    /// The recipe's digest.
    pub recipe_digest: Digest,
    /// Length of the features of one sample; for a head, of those that it takes.
    pub feature_len: u32,
    /// What it is.
    pub role: ModelRole,
    /// Grows with each activation; 0 where the settings decide which file it is.
    pub revision: u64,
    /// The versions that the server keeps, the oldest first.
    pub versions: Vec<Digest>,
}

/// What a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelRole {
    /// It makes features of photos.
    Extractor {
        /// The output that is taken.
        output: String,
        /// Where it runs.
        device: String,
        /// The devices that run it; `None` where cores do, and from a server that does not say.
        devices: Option<DevicePool>,
        /// Most samples in one run.
        max_batch: u32,
        /// Samples that it has made features of since the server's start.
        samples: u64,
    },
    /// It makes scores of features.
    Head {
        /// The model whose features it takes.
        extractor: ModelName,
        /// The number of its classes.
        classes: u32,
    },
}

/// Most models of one server that are taken.
const MAX_MODELS: usize = 4096;
/// Most bytes of an output's name that are taken.
const MAX_TEXT: usize = 1024;

impl ServedModel {
    /// The models of a server, as they came.
    ///
    /// # Errors
    /// Too many, or one that breaks the rules.
    pub fn read(list: proto::ModelList) -> Result<Vec<Self>, Invalid> {
        match list.models.len() {
            many if many > MAX_MODELS => Err(Invalid::new(format!("{many} models are more than {MAX_MODELS}"))),
            _ => list.models.into_iter().map(Self::try_from).collect(),
        }
    }
}

impl From<ServedModel> for proto::ServedModel {
    fn from(model: ServedModel) -> Self {
        let bytes = |digest: Digest| digest.as_bytes().to_vec().into();
        let both = Self {
            name: model.name.to_string(),
            digest: bytes(model.digest),
            recipe: model.recipe,
            recipe_digest: bytes(model.recipe_digest),
            feature_len: model.feature_len,
            revision: model.revision,
            versions: model.versions.into_iter().map(bytes).collect(),
            ..Self::default()
        };
        match model.role {
            ModelRole::Extractor { output, device, devices, max_batch, samples } => {
                Self { output, device, devices: devices_to(devices), max_batch, samples, ..both }
            }
            ModelRole::Head { extractor, classes } => Self { extractor: extractor.to_string(), classes, ..both },
        }
    }
}

impl TryFrom<proto::ServedModel> for ServedModel {
    type Error = Invalid;

    fn try_from(model: proto::ServedModel) -> Result<Self, Invalid> {
        let name = |name: &str| name.parse().map_err(|error| Invalid::new(format!("{error}")));
        let digest = |bytes: &[u8]| digest_from(bytes)?.ok_or_else(|| Invalid::new("a model has no digest"));
        let lengths = [(model.recipe.len(), MAX_NAME_BYTES), (model.output.len(), MAX_TEXT), (model.device.len(), 64)];
        if lengths.iter().any(|(length, most)| length > most)
            || model.classes as usize > MAX_LABEL_CLASSES
            || model.versions.len() > MAX_HELD_MODELS
        {
            return Err(Invalid::new("a model's names are longer, or its classes more, than any model has"));
        }
        let role = match model.extractor.is_empty() {
            true => ModelRole::Extractor {
                output: model.output,
                device: model.device,
                devices: devices_from(model.devices)?,
                max_batch: model.max_batch,
                samples: model.samples,
            },
            false => ModelRole::Head { extractor: name(&model.extractor)?, classes: model.classes },
        };
        Ok(Self {
            name: name(&model.name)?,
            digest: digest(&model.digest)?,
            recipe: model.recipe,
            recipe_digest: digest(&model.recipe_digest)?,
            feature_len: model.feature_len,
            role,
            revision: model.revision,
            versions: model.versions.iter().map(|bytes| digest(bytes)).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(role: ModelRole) -> ServedModel {
        let (digest, recipe_digest) = (Digest::of(b"m"), Digest::of(b"r"));
        let (name, recipe) = ("m".parse().unwrap(), "mobilenet-eval".to_owned());
        let (revision, versions) = (3, vec![digest]);
        ServedModel { name, digest, recipe, recipe_digest, feature_len: 1280, role, revision, versions }
    }

    #[test]
    fn models_and_heads_survive_the_wire() {
        let (output, device) = ("features".to_owned(), "cuda:0,cuda:1".to_owned());
        let devices = Some(DevicePool::new(2, 1500.0).unwrap());
        let extractor = model(ModelRole::Extractor { output, device, devices, max_batch: 4, samples: 7 });
        let head = model(ModelRole::Head { extractor: "m".parse().unwrap(), classes: 14 });
        let both = vec![extractor, head];
        let list = proto::ModelList { models: both.iter().cloned().map(Into::into).collect() };
        assert_eq!(ServedModel::read(list.clone()), Ok(both));
        type Break = fn(&mut proto::ServedModel);
        let breaks: [Break; 5] = [
            |model| model.digest = Vec::new().into(),
            |model| model.name = "a b".into(),
            |model| model.device = "x".repeat(65),
            |model| model.classes = u32::MAX,
            |model| model.devices = Some(proto::DevicePool { count: 2, rate: f64::NAN }),
        ];
        for break_it in breaks {
            let mut broken = list.clone();
            break_it(&mut broken.models[0]);
            assert!(ServedModel::read(broken).is_err());
        }
    }
}
