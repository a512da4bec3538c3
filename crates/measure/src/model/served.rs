//! The servers' part of a network's profile, measured at real servers.

use anyhow::bail;
use headwater_cli::{GrowingBar, Progress};
use headwater_client::{ClientOptions, Dataset, ModelInfo};
use headwater_pilot::{Headway, ServedCuts, served_cuts};
use headwater_plan::partition::{BatchCost, CutCosts, NetworkProfile};
use headwater_types::{Digest, NetworkCut, Recipe, Way};

use super::args::{AtServers, ModelArgs};

/// Servers that are measured, connected.
pub(crate) struct Servers {
    dataset: Dataset,
    info: ModelInfo,
    /// Samples of each server that are taken at each cut.
    samples: u64,
}

/// Connects to the servers, where some were named.
pub(crate) async fn connect(args: &ModelArgs) -> anyhow::Result<Option<Servers>> {
    let Some(AtServers { servers, dataset, model }) = args.at_servers() else { return Ok(None) };
    let options = ClientOptions { access: args.access.open()?, ..ClientOptions::default() };
    let dataset = Dataset::connect(&servers, &dataset, options).await?;
    let info = dataset.model(&model)?;
    Ok(Some(Servers { dataset, info, samples: args.samples() as u64 }))
}

// === impl Servers ===

impl Servers {
    /// The network, as the servers have registered it.
    pub(crate) fn info(&self) -> ModelInfo {
        self.info.clone()
    }

    /// Measures, and puts what that came to in the place of what was measured here.
    pub(super) async fn measure(&self, profile: &mut NetworkProfile, progress: &Progress) -> anyhow::Result<()> {
        let ways: Vec<Way> = profile.cuts.iter().filter_map(CutCosts::way).collect();
        let cuts: Vec<NetworkCut> = profile.cuts.iter().filter_map(CutCosts::network_cut).collect();
        let bar = GrowingBar::new(progress, "cuts at the servers");
        let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
        let measured = served_cuts(&self.dataset, &self.info.name, (&ways, &cuts), self.samples, &on_progress);
        put(profile, &measured.await?, &cuts);
        profile.servers = self.dataset.partitions().iter().map(|partition| partition.address.to_string()).collect();
        Ok(())
    }
}

/// Whether the servers have this network, with this recipe and output.
pub(super) fn check(served: &ModelInfo, digest: Digest, recipe: &Recipe, outputs: &[String]) -> anyhow::Result<()> {
    let ModelInfo { name, .. } = served;
    if digest != served.digest {
        let (here, there) = (digest.short(), served.digest.short());
        bail!(
            "--served-as {name}: the servers have {there} by that name, and --model is {here}: give the file that \
             they have registered"
        );
    }
    if recipe.digest() != served.recipe.digest() {
        bail!("--recipe {}: the servers run {name} with {}: give that recipe", recipe.name(), served.recipe.name());
    }
    match outputs {
        [only] if *only == served.output => Ok(()),
        outputs => bail!("--output {}: the servers take {} of {name}: give that", outputs.join(","), served.output),
    }
}

/// Puts the servers' seconds into the profile. What serving takes beside the work belongs to every image, but for one
/// that travels as it is stored: servers without cores serve those too.
fn put(profile: &mut NetworkProfile, served: &ServedCuts, cuts: &[NetworkCut]) {
    for cut in &mut profile.cuts {
        cut.tuner_seconds += served.receiving;
        let at =
            cut.network_cut().and_then(|of| cuts.iter().position(|cut| *cut == of)).and_then(|at| served.cuts.get(at));
        let way = cut.way().and_then(|of| served.ways.iter().find(|(way, _)| *way == of));
        let (seconds, batch) = match (at, way) {
            (Some(at), _) => {
                cut.device_seconds = at.device;
                cut.coded_bytes = Some(at.coded.bytes);
                cut.code_seconds = (at.coded.seconds - at.raw.seconds).max(0.0);
                (at.raw.seconds, at.batch)
            }
            (None, Some((way, cost))) => {
                cut.bytes = cost.bytes;
                if !way.is_offloaded() {
                    continue;
                }
                cut.device_seconds = served.device.filter(|_| way.is_features());
                (cost.seconds, 1)
            }
            (None, None) => continue,
        };
        cut.server_seconds = seconds + served.serving;
        cut.batches = vec![BatchCost { batch: batch.max(1), server_seconds: cut.server_seconds }];
    }
}

#[cfg(test)]
mod tests {
    use headwater_pilot::{ServedCost, ServedCut};
    use headwater_plan::partition::{CutTensor, FORMAT, FrontMemory};

    use super::*;

    fn cut(name: &str, tensor: bool) -> CutCosts {
        let element = "float32".to_owned();
        let tensors = vec![CutTensor { name: name.to_owned(), element, shape: vec![1, 8] }];
        CutCosts {
            cut: name.to_owned(),
            tensor: tensor.then(|| name.to_owned()),
            tensors: if tensor { tensors } else { Vec::new() },
            bytes: 32.0,
            coded_bytes: None,
            server_seconds: 9.0,
            device_seconds: None,
            tuner_seconds: 1.0,
            code_seconds: 0.0,
            uncode_seconds: 0.0,
            batches: vec![BatchCost { batch: 8, server_seconds: 9.0 }],
            memory: FrontMemory::default(),
        }
    }

    #[test]
    fn servers_seconds_stand_in_the_place_of_those_of_this_machine() {
        let mut profile = NetworkProfile {
            format: FORMAT,
            model: "net.onnx".to_owned(),
            model_digest: Digest::of(b"model"),
            outputs: vec!["features".to_owned()],
            recipe: "mobilenet-eval".to_owned(),
            recipe_digest: Digest::of(b"recipe"),
            host: "here".to_owned(),
            servers: Vec::new(),
            photos: 1,
            photos_from: "generated".to_owned(),
            photos_failed: 0,
            cuts: vec![cut("encoded", false), cut("flipped", false), cut("relu", true), cut("features", false)],
            not_measured: Vec::new(),
            not_searched: 0,
        };
        profile.cuts[0].server_seconds = 0.0;
        let cost = |seconds, bytes| ServedCost { seconds, bytes };
        let of = |name: &str, seconds, bytes| (name.parse().unwrap(), cost(seconds, bytes));
        let served = ServedCuts {
            serving: 0.5,
            receiving: 0.25,
            ways: vec![of("encoded", 0.0, 77.0), of("flipped", 2.0, 30.0), of("features", 4.0, 16.0)],
            cuts: vec![ServedCut { raw: cost(3.0, 32.0), coded: cost(3.5, 20.0), device: Some(0.5), batch: 2 }],
            device: Some(1.5),
        };
        let cuts: Vec<_> = profile.cuts.iter().filter_map(CutCosts::network_cut).collect();
        put(&mut profile, &served, &cuts);
        let seconds: Vec<_> = profile.cuts.iter().map(|cut| (cut.server_seconds, cut.tuner_seconds)).collect();
        assert_eq!(seconds, [(0.0, 1.25), (2.5, 1.25), (3.5, 1.25), (4.5, 1.25)]);
        let relu = &profile.cuts[2];
        assert_eq!((relu.coded_bytes, relu.code_seconds, relu.batches[0].batch), (Some(20.0), 0.5, 2));
        assert_eq!((profile.cuts[0].bytes, profile.cuts[3].bytes), (77.0, 16.0));
        let of_devices: Vec<_> = profile.cuts.iter().map(|cut| cut.device_seconds).collect();
        assert_eq!(of_devices, [None, None, Some(0.5), Some(1.5)]);
        profile.check().unwrap();
    }
}
