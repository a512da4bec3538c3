//! `profiler model`: where a network can be cut, and what one image costs at each cut.

mod args;
mod photos;
mod report;
mod served;

pub(crate) use args::ModelArgs;
pub(crate) use report::NetworkCuts;
pub(crate) use served::{Servers, connect};

use std::path::Path;

use anyhow::{Context as _, bail};
use headwater_cli::recipe::find as find_recipe;
use headwater_cli::{OutputFile, OutputFolder, Progress};
use headwater_client::ModelInfo;
use headwater_dissection::{Dissection, Dissector};
use headwater_features::Runtime;
use headwater_onnx::{Limits, ModelFacts, Split, check, file};
use headwater_plan::partition::{FORMAT, NetworkProfile};
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::{Digest, NetworkCut, Recipe};

use report::WrittenHalves;

/// The files of the halves.
const HALVES: [&str; 2] = ["front.onnx", "back.onnx"];

/// The output that is taken where none was named.
const DEFAULT_OUTPUT: &str = "features";

/// The folder of the halves, and their files, opened before the work.
pub(crate) struct Halves {
    // Dropped before the folder, which is taken away where nothing came into it.
    files: [OutputFile; 2],
    folder: OutputFolder,
}

/// Opens what is written.
pub(crate) fn output(args: &ModelArgs) -> anyhow::Result<Option<Halves>> {
    let Some(out) = &args.out else { return Ok(None) };
    let folder = OutputFolder::open("--out", out)?;
    for half in HALVES {
        let half = out.join(half);
        if half.canonicalize().is_ok_and(|half| args.model.canonicalize().is_ok_and(|model| model == half)) {
            bail!(
                "--out {}: {} is the file that --model reads: give --out another place",
                out.display(),
                half.display()
            );
        }
    }
    let [front, back] = HALVES.map(|name| folder.file(name));
    Ok(Some(Halves { files: [front?, back?], folder }))
}

/// A network that was measured, and the halves that are to be written.
pub(crate) struct Measured {
    profile: NetworkProfile,
    halves: Option<Split>,
}

/// Measures the network on this machine. `served`: what the servers have registered, which must be this network.
pub(crate) fn model(args: &ModelArgs, served: Option<&ModelInfo>, progress: &Progress) -> anyhow::Result<Measured> {
    let shown = args.model.display();
    let onnx = file::read(&args.model, MAX_MODEL_BYTES).with_context(|| format!("cannot read {shown}"))?;
    let facts = check(&onnx, &Limits::default()).with_context(|| format!("--model {shown}"))?;
    let (outputs, recipe) = (outputs(args, &facts)?, find_recipe(&args.recipe)?);
    served.map_or(Ok(()), |served| served::check(served, facts.digest, &recipe, &outputs))?;
    let (photos, too_long) = photos::photos(args.photos.as_deref(), args.samples())?;
    let runtime = Runtime::load(args.onnxruntime.as_deref())?;
    let bar = progress.items("photos and cuts", None);
    let on_progress = |done: u64, total: u64| {
        bar.grow(total);
        bar.set(done);
    };
    let dissector = Dissector {
        runtime: &runtime,
        onnx: &onnx,
        outputs: &outputs,
        recipe: &recipe,
        photos: &photos,
        batches: &args.batches,
        within: args.seconds,
        at: args.split_at.as_ref().map(NetworkCut::tensors),
        on_progress: &on_progress,
    };
    let mut dissection = dissector.dissect().with_context(|| format!("--model {shown}"))?;
    drop(bar);
    dissection.photos_failed += too_long;
    let (halves, origin) = (dissection.halves.take(), photos.origin.as_str());
    let profile = profile((&args.model, facts.digest), outputs, &recipe, (dissection, origin));
    Ok(Measured { profile, halves })
}

// === impl Measured ===

impl Measured {
    /// Measures what servers do at the servers, where some were named, with a bar.
    pub(crate) async fn at(mut self, servers: Option<Servers>, progress: &Progress) -> anyhow::Result<Self> {
        if let Some(servers) = servers {
            servers.measure(&mut self.profile, progress).await?;
        }
        Ok(self)
    }

    /// Writes the halves, where there are any.
    pub(crate) fn write(self, halves: Option<Halves>) -> anyhow::Result<NetworkCuts> {
        let split = halves.zip(self.halves).map(|(halves, split)| write(halves, &split)).transpose()?;
        Ok(NetworkCuts { profile: self.profile, split })
    }
}

/// The outputs that are wanted.
fn outputs(args: &ModelArgs, facts: &ModelFacts) -> anyhow::Result<Vec<String>> {
    let names: Vec<_> = facts.outputs.iter().map(|output| output.name.as_str()).collect();
    match &names[..] {
        _ if !args.output.is_empty() => Ok(args.output.clone()),
        all if all.contains(&DEFAULT_OUTPUT) => Ok(vec![DEFAULT_OUTPUT.to_owned()]),
        [only] => Ok(vec![(*only).to_owned()]),
        all => bail!("the network has the outputs {} and none is called features: add --output NAME", all.join(", ")),
    }
}

fn profile(
    (model, model_digest): (&Path, Digest),
    outputs: Vec<String>,
    recipe: &Recipe,
    (dissection, origin): (Dissection, &str),
) -> NetworkProfile {
    NetworkProfile {
        format: FORMAT,
        model: model.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        model_digest,
        outputs,
        recipe: recipe.name().to_string(),
        recipe_digest: recipe.digest(),
        host: headwater_pilot::hostname(),
        servers: Vec::new(),
        photos: dissection.photos,
        photos_from: origin.to_owned(),
        photos_failed: dissection.photos_failed,
        cuts: dissection.cuts,
        not_measured: dissection.not_measured,
        not_searched: dissection.not_searched,
    }
}

fn write(halves: Halves, split: &Split) -> anyhow::Result<WrittenHalves> {
    halves.folder.need((split.front.len() + split.back.len()) as u64)?;
    let [front, back] = halves.files;
    let paths = [&front, &back].map(|file| file.path().display().to_string());
    front.write_all(&split.front)?;
    back.write_all(&split.back)?;
    let [front, back] = paths;
    Ok(WrittenHalves { front, front_digest: Digest::of(&split.front), back, back_digest: Digest::of(&split.back) })
}
