//! Which models servers have.

use std::fmt;

use headwater_client::ServerModels;
use headwater_client::model_calls::{ModelRole, ServedModel};
use headwater_types::DevicePool;
use serde::Serialize;

/// The models of all servers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ModelsSummary {
    servers: Vec<OfServer>,
}

#[derive(Clone, Debug, Serialize)]
struct OfServer {
    server: String,
    /// Why the server does not say them; null where it does.
    error: Option<String>,
    models: Vec<ModelRow>,
}

/// A model or head.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ModelRow {
    name: String,
    /// `model` or `head`.
    kind: &'static str,
    digest: String,
    recipe: String,
    recipe_digest: String,
    feature_len: u32,
    /// The output that is taken; null for a head.
    output: Option<String>,
    device: Option<String>,
    /// The devices that run it; null where the processor's cores do, for a head, and from servers that do not say.
    devices: Option<DevicePool>,
    max_batch: Option<u32>,
    /// Samples that it has made features of since the server's start; null for a head.
    samples: Option<u64>,
    /// The model whose features a head takes; null for a model.
    extractor: Option<String>,
    /// Classes of a head; null for a model.
    classes: Option<u32>,
    /// Grows with each activation; 0 where the settings decide which file it is.
    revision: u64,
    /// The versions that the server keeps, the oldest first.
    versions: Vec<String>,
}

impl From<ServedModel> for ModelRow {
    fn from(model: ServedModel) -> Self {
        let both = Self {
            name: model.name.to_string(),
            kind: "model",
            digest: model.digest.to_string(),
            recipe: model.recipe,
            recipe_digest: model.recipe_digest.to_string(),
            feature_len: model.feature_len,
            output: None,
            device: None,
            devices: None,
            max_batch: None,
            samples: None,
            extractor: None,
            classes: None,
            revision: model.revision,
            versions: model.versions.iter().map(ToString::to_string).collect(),
        };
        match model.role {
            ModelRole::Extractor { output, device, devices, max_batch, samples } => Self {
                output: Some(output),
                device: Some(device),
                devices,
                max_batch: Some(max_batch),
                samples: Some(samples),
                ..both
            },
            ModelRole::Head { extractor, classes } => {
                Self { kind: "head", extractor: Some(extractor.to_string()), classes: Some(classes), ..both }
            }
        }
    }
}

// === impl ModelsSummary ===

impl ModelsSummary {
    pub(crate) fn new(asked: Vec<ServerModels>) -> Self {
        let of_server = |of: ServerModels| {
            let (models, error) = match of.models {
                Ok(models) => (models.into_iter().map(ModelRow::from).collect(), None),
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            OfServer { server: of.server.to_string(), error, models }
        };
        Self { servers: asked.into_iter().map(of_server).collect() }
    }

    /// Why servers did not answer; `None` where all did.
    pub(crate) fn unwell(&self) -> Option<String> {
        self.servers.iter().filter_map(|server| server.error.clone()).reduce(|all, next| all + "; " + &next)
    }
}

impl fmt::Display for ModelsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, of) in self.servers.iter().enumerate() {
            let end = if place == 0 { "" } else { "\n" };
            write!(f, "{end}{}", of.server)?;
            of.models.iter().try_for_each(|row| write!(f, "\n  {row}"))?;
            of.error.iter().try_for_each(|error| write!(f, "\n  {error}"))?;
            if of.models.is_empty() && of.error.is_none() {
                f.write_str("\n  no model: see --model of storage-server")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ModelRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, digest, recipe, feature_len, .. } = self;
        write!(f, "{name}: {kind} {}, recipe {recipe}, {feature_len} features", &digest[..digest.len().min(12)])?;
        match (&self.extractor, self.classes, &self.device) {
            (Some(extractor), Some(classes), _) => write!(f, " of {extractor}, {classes} classes")?,
            (.., Some(device)) => write!(f, ", on {device}")?,
            _ => {}
        }
        if let Some(devices) = self.devices {
            write!(f, " ({:.0} samples a second on each)", devices.rate())?;
        }
        let others = self.versions.iter().filter(|version| *version != digest);
        let others: Vec<_> = others.map(|version| &version[..version.len().min(12)]).collect();
        match (self.revision, others.is_empty()) {
            (0, true) => Ok(()),
            (revision, true) => write!(f, ", revision {revision}"),
            (revision, false) => write!(f, ", revision {revision}; kept: {}", others.join(", ")),
        }
    }
}
