//! A model as the servers know it: the same one on all that have it, or an error that names the two that differ.

use headwater_types::{ByteCount, Digest, ModelName, Recipe};
use headwater_wire::proto;

use crate::connection::Server;
use crate::error::ClientError;

/// A registered model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Its name.
    pub name: ModelName,
    /// BLAKE3 of its file.
    pub digest: Digest,
    /// What is done to photos before it sees them.
    pub recipe: Recipe,
    /// The output that is taken.
    pub output: String,
    /// Length of a feature vector.
    pub feature_len: u32,
    /// Where it runs: `cpu`, `cuda` or `tensorrt`; several, separated by commas, where servers differ.
    pub device: String,
}

/// A model, and the servers that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredModel {
    /// The model.
    pub info: ModelInfo,
    /// Whether each server has it, in the order of the partitions.
    pub servers: Vec<bool>,
}

/// Of each server the longest payload that is taken from it, and its models: the model of this name, which must be one and the same on all servers that have it; at least one must.
pub(crate) fn registered<'a>(
    name: &ModelName,
    servers: impl Iterator<Item = (&'a Server, ByteCount, &'a [proto::ModelDescription])>,
) -> Result<RegisteredModel, ClientError> {
    let mut common: Option<(&Server, ModelInfo)> = None;
    let (mut having, mut missing) = (Vec::new(), None);
    for (server, max_payload, models) in servers {
        let found = find(name, server, max_payload, models)?;
        having.push(found.is_some());
        let Some(info) = found else {
            missing.get_or_insert_with(|| unknown(name, server, models));
            continue;
        };
        let Some((first, known)) = &mut common else {
            common = Some((server, info));
            continue;
        };
        let differences = [
            (known.digest != info.digest, "file"),
            (known.recipe.digest() != info.recipe.digest(), "recipe"),
            (known.output != info.output, "output"),
            (known.feature_len != info.feature_len, "feature length"),
        ];
        if let Some((_, what)) = differences.into_iter().find(|(differs, _)| *differs) {
            let (first, second) = (first.address().clone(), server.address().clone());
            return Err(ClientError::ModelsDiffer { model: name.clone(), what, first, second });
        }
        if !known.device.split(',').any(|device| device == info.device) {
            known.device = format!("{},{}", known.device, info.device);
        }
    }
    match common {
        Some((_, info)) => Ok(RegisteredModel { info, servers: having }),
        None => Err(missing.unwrap_or(ClientError::NoServers)),
    }
}

/// Says that a server does not have the model.
pub(crate) fn unknown(name: &ModelName, server: &Server, models: &[proto::ModelDescription]) -> ClientError {
    let registered: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
    let (server, registered) = (server.address().clone(), registered.join(", "));
    ClientError::UnknownModel { server, model: name.clone(), registered }
}

fn find(
    name: &ModelName,
    server: &Server,
    max_payload: ByteCount,
    models: &[proto::ModelDescription],
) -> Result<Option<ModelInfo>, ClientError> {
    let Some(model) = models.iter().find(|model| model.name == name.as_str()) else { return Ok(None) };
    let broken = |problem: String| server.protocol(format!("model {name}: {problem}"));
    let most = max_payload.get() / 4;
    if !(1..=most).contains(&u64::from(model.feature_len)) {
        return Err(broken(format!("a feature length of {} is not between 1 and {most}", model.feature_len)));
    }
    Ok(Some(ModelInfo {
        name: name.clone(),
        digest: Digest::try_from(&model.digest[..]).map_err(|error| broken(error.to_string()))?,
        recipe: Recipe::from_toml(&model.recipe).map_err(|error| broken(format!("recipe: {error}")))?,
        output: model.output.clone(),
        feature_len: model.feature_len,
        device: model.device.clone(),
    }))
}
