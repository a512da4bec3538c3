//! A model as the servers know it: the same one on all that have it, or an error that names the two that differ.

use headwater_types::{DevicePool, Digest, ModelName, Recipe};
use headwater_wire::devices::devices_from;
use headwater_wire::proto;

use crate::error::ClientError;
use crate::partition::Partition;
use headwater_discovery::{DiscoveryError, ServerAddress};

/// A model that servers have registered.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The model's name.
    pub name: ModelName,
    /// BLAKE3 of the model's file.
    pub digest: Digest,
    /// What is done to photos before the model sees them.
    pub recipe: Recipe,
    /// The output that is taken.
    pub output: String,
    /// Length of a feature vector.
    pub feature_len: u32,
    /// Where the model runs, in words: `cpu`, `cuda`, `tensorrt in fp16`; several, separated by commas, where a server
    /// has several or servers differ.
    pub device: String,
}

/// A model, and the servers that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredModel {
    /// The model.
    pub info: ModelInfo,
    /// Whether each server has it, in the order of the partitions.
    pub servers: Vec<bool>,
    /// The devices that run it at each server, in the same order; `None` where cores do, or the server lacks it.
    pub devices: Vec<Option<DevicePool>>,
    /// Whether a server runs it on devices and does not say how fast they are, as servers of earlier versions do.
    pub unrated: bool,
}

/// The model of this name among each partition's server's models: it must be the same on all servers that have it, and
/// at least one server must.
pub(crate) fn registered<'a>(
    name: &ModelName,
    servers: impl Iterator<Item = (&'a Partition, &'a [proto::ModelDescription])>,
) -> Result<RegisteredModel, ClientError> {
    let mut common: Option<(&ServerAddress, ModelInfo)> = None;
    let (mut having, mut missing) = (Vec::new(), None);
    let (mut devices, mut unrated) = (Vec::new(), false);
    for (partition, models) in servers {
        let found = find(name, partition, models)?;
        having.push(found.is_some());
        devices.push(found.as_ref().and_then(|(_, devices)| *devices));
        let address = &partition.address;
        let Some((info, of_server)) = found else {
            missing.get_or_insert_with(|| unknown(name, address, models));
            continue;
        };
        unrated |= of_server.is_none() && info.device != "cpu";
        let Some((first, known)) = &mut common else {
            common = Some((address, info));
            continue;
        };
        if let Some(what) = difference(known, &info) {
            let (first, second) = ((*first).clone(), address.clone());
            return Err(ClientError::ModelsDiffer { model: name.clone(), what, first, second });
        }
        if !known.device.split(',').any(|device| device == info.device) {
            known.device = format!("{},{}", known.device, info.device);
        }
    }
    match common {
        Some((_, info)) => Ok(RegisteredModel { info, servers: having, devices, unrated }),
        None => Err(missing.unwrap_or(DiscoveryError::None.into())),
    }
}

/// In what two models of one name differ.
fn difference(one: &ModelInfo, other: &ModelInfo) -> Option<&'static str> {
    let differences = [
        (one.digest != other.digest, "file"),
        (one.recipe.digest() != other.recipe.digest(), "recipe"),
        (one.output != other.output, "output"),
        (one.feature_len != other.feature_len, "feature length"),
    ];
    differences.into_iter().find_map(|(differs, what)| differs.then_some(what))
}

/// Says that a server does not have the model.
pub(crate) fn unknown(name: &ModelName, server: &ServerAddress, models: &[proto::ModelDescription]) -> ClientError {
    let registered: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
    ClientError::UnknownModel { server: server.clone(), model: name.clone(), registered: registered.join(", ") }
}

fn find(
    name: &ModelName,
    partition: &Partition,
    models: &[proto::ModelDescription],
) -> Result<Option<(ModelInfo, Option<DevicePool>)>, ClientError> {
    let Some(model) = models.iter().find(|model| model.name == name.as_str()) else { return Ok(None) };
    let broken = |problem: String| ClientError::Protocol {
        server: partition.address.clone(),
        message: format!("model {name}: {problem}"),
    };
    let most = partition.limits.limits().max_payload().get() / 4;
    if !(1..=most).contains(&u64::from(model.feature_len)) {
        return Err(broken(format!("a feature length of {} is not between 1 and {most}", model.feature_len)));
    }
    let devices = devices_from(model.devices).map_err(|invalid| broken(invalid.to_string()))?;
    let info = ModelInfo {
        name: name.clone(),
        digest: Digest::try_from(&model.digest[..]).map_err(|error| broken(error.to_string()))?,
        recipe: Recipe::from_toml(&model.recipe).map_err(|error| broken(format!("recipe: {error}")))?,
        output: model.output.clone(),
        feature_len: model.feature_len,
        device: model.device.clone(),
    };
    Ok(Some((info, devices)))
}
