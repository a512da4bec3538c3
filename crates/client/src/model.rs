//! A model as the servers know it: the same one on all of them, or an error that names the two that differ.

use headwater_types::caps::MAX_SAMPLE_MEMORY;
use headwater_types::{Digest, ModelName, Recipe};
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

/// The model of this name, which must be one and the same on all servers.
pub(crate) fn common<'a>(
    name: &ModelName,
    servers: impl Iterator<Item = (&'a Server, &'a [proto::ModelDescription])>,
) -> Result<ModelInfo, ClientError> {
    let mut common: Option<(&Server, ModelInfo)> = None;
    for (server, models) in servers {
        let info = find(name, server, models)?;
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
    common.map(|(_, info)| info).ok_or(ClientError::NoServers)
}

fn find(name: &ModelName, server: &Server, models: &[proto::ModelDescription]) -> Result<ModelInfo, ClientError> {
    let Some(model) = models.iter().find(|model| model.name == name.as_str()) else {
        let registered: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
        let (server, registered) = (server.address().clone(), registered.join(", "));
        return Err(ClientError::UnknownModel { server, model: name.clone(), registered });
    };
    let broken = |problem: String| server.protocol(format!("model {name}: {problem}"));
    let most = MAX_SAMPLE_MEMORY.get() / 4;
    if !(1..=most).contains(&u64::from(model.feature_len)) {
        return Err(broken(format!("a feature length of {} is not between 1 and {most}", model.feature_len)));
    }
    Ok(ModelInfo {
        name: name.clone(),
        digest: Digest::try_from(&model.digest[..]).map_err(|error| broken(error.to_string()))?,
        recipe: Recipe::from_toml(&model.recipe).map_err(|error| broken(format!("recipe: {error}")))?,
        output: model.output.clone(),
        feature_len: model.feature_len,
        device: model.device.clone(),
    })
}
