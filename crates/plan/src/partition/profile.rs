//! What one image costs at each cut of a network, and of the recipe before it.

use std::collections::HashSet;

use headwater_types::{Digest, NetworkCut, Way};
use serde::{Deserialize, Serialize};

/// Most bytes of a profile's file: 20,000 cuts have so many, and a network of a thousand operators has some hundred.
pub const MAX_NETWORK_PROFILE_BYTES: usize = 8 << 20;
/// The form of the file that is written and read here.
pub const FORMAT: u32 = 1;

/// What one image costs at each cut, as `profiler model` measured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkProfile {
    /// The form of this file: 1.
    pub format: u32,
    /// The model's file, without folders.
    pub model: String,
    /// The model's digest.
    pub model_digest: Digest,
    /// The outputs that the network is run for.
    pub outputs: Vec<String>,
    /// The recipe that makes the network's input.
    pub recipe: String,
    /// The recipe's digest.
    pub recipe_digest: Digest,
    /// The machine on which it was measured.
    pub host: String,
    /// The storage servers that were measured, for the servers' seconds; none where this machine stands for them.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Photos whose activations were measured.
    pub photos: u64,
    /// Where these photos came from: `folder` or `generated`.
    pub photos_from: String,
    /// Photos that were left out because they could not be read.
    pub photos_failed: u64,
    /// The cuts, from the stored photo to the outputs.
    pub cuts: Vec<CutCosts>,
    /// Values at which the network could be cut and that were not measured, each with the reason.
    pub not_measured: Vec<NotMeasured>,
    /// Stretches of the network that were not searched for cuts of several values, because they are too long.
    pub not_searched: u64,
}

/// What one image costs at a cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutCosts {
    /// The cut's name: a cut of the recipe, the names of the tensors with a comma between them, or `features`.
    pub cut: String,
    /// The tensors' names, with a comma between them; null for a cut of the recipe, and for `features`.
    pub tensor: Option<String>,
    /// The tensors; none for a cut of the recipe.
    pub tensors: Vec<CutTensor>,
    /// Bytes that travel, as they are.
    pub bytes: f64,
    /// Bytes that travel where they are coded without loss; null where that was not measured.
    pub coded_bytes: Option<f64>,
    /// CPU seconds of a server to make them, by the batch that takes the fewest; where its devices run the front, those
    /// beside the devices.
    pub server_seconds: f64,
    /// Seconds of one of a server's devices to run the front, where servers that have devices were measured; absent
    /// where cores run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_seconds: Option<f64>,
    /// CPU seconds of the tuner from there to the outputs.
    pub tuner_seconds: f64,
    /// More CPU seconds of a server where they are coded.
    pub code_seconds: f64,
    /// More CPU seconds of the tuner where they are coded.
    pub uncode_seconds: f64,
    /// CPU seconds of a server an image, by the images that run at once.
    pub batches: Vec<BatchCost>,
    /// Memory that a server's core takes at the cut.
    pub memory: FrontMemory,
}

/// A tensor at a cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutTensor {
    /// The tensor's name.
    pub name: String,
    /// The type of its elements, such as `float32`.
    pub element: String,
    /// Lengths of its axes for one image, outermost first.
    pub shape: Vec<u64>,
}

/// What an image costs in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchCost {
    /// Images that run at once.
    pub batch: u32,
    /// CPU seconds of a server for each image.
    pub server_seconds: f64,
}

/// Memory of a core that makes what travels: its weights, and what it holds for each image of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontMemory {
    /// Bytes whatever the batch: the front's weights, once as they are and once as ONNX Runtime lays them out.
    pub fixed: u64,
    /// Bytes for each image of a batch: the activations that are held at once.
    pub image: u64,
}

/// A value at which the network could be cut, and that was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMeasured {
    /// The value's name.
    pub tensor: String,
    /// The reason.
    pub reason: String,
}

/// Why bytes are no profile of a network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NetworkProfileError {
    /// It is longer than any profile.
    #[error("it has more than {MAX_NETWORK_PROFILE_BYTES} bytes: it is no profile that profiler model printed")]
    TooLong,
    /// It is not what `profiler model --json` prints.
    #[error("it is not what profiler model --json prints: {0}")]
    Malformed(String),
    /// It is of another form.
    #[error("it has format {given}, and this program reads format {FORMAT}: measure again with profiler model")]
    Format {
        /// The form that it has.
        given: u32,
    },
    /// There is no cut in it.
    #[error("it has no cut: measure again with profiler model")]
    NoCut,
    /// A number cannot be.
    #[error("at the cut {cut:?} {what} is {value}, and must be {expected}")]
    Value {
        /// The cut.
        cut: String,
        /// The number.
        what: &'static str,
        /// What it is.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// Two cuts have one name.
    #[error("two cuts are called {0:?}")]
    Twice(String),
}

// === impl NetworkProfile ===

impl NetworkProfile {
    /// Reads what `profiler model --json` printed.
    ///
    /// # Errors
    /// Bytes that are not, that are too long, or that have numbers which no measurement gives.
    pub fn parse(bytes: &[u8]) -> Result<Self, NetworkProfileError> {
        if bytes.len() > MAX_NETWORK_PROFILE_BYTES {
            return Err(NetworkProfileError::TooLong);
        }
        let malformed = |error: serde_json::Error| NetworkProfileError::Malformed(error.to_string());
        // What was written by a later form may have other fields.
        let Form { format } = serde_json::from_slice(bytes).map_err(malformed)?;
        if format != FORMAT {
            return Err(NetworkProfileError::Format { given: format });
        }
        let profile: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        profile.check()?;
        Ok(profile)
    }

    /// Whether servers were measured that run fronts on devices.
    pub fn is_of_devices(&self) -> bool {
        self.cuts.iter().any(|cut| cut.device_seconds.is_some())
    }

    /// Whether every number is one that a measurement gives.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), NetworkProfileError> {
        if self.cuts.is_empty() {
            return Err(NetworkProfileError::NoCut);
        }
        let mut names = HashSet::new();
        for cut in &self.cuts {
            if !names.insert(cut.cut.as_str()) {
                return Err(NetworkProfileError::Twice(cut.cut.clone()));
            }
            cut.check()?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Form {
    format: u32,
}

// === impl CutCosts ===

/// Most bytes and most seconds of an image, past which sums of them have no meaning.
const MOST: f64 = 1e15;

impl CutCosts {
    /// The way of the recipe's samples that it is, or `features` behind the whole network; `None` for a cut within it.
    pub fn way(&self) -> Option<Way> {
        self.cut.parse().ok().filter(|_| self.tensor.is_none())
    }

    /// Whether pixels or stored bytes travel, before which nothing of the network runs.
    pub fn is_of_pixels(&self) -> bool {
        self.way().is_some_and(|way| !way.is_features())
    }

    /// The cut of the network that it is, where servers can serve it: only float32 travels. `None` for a way.
    pub fn network_cut(&self) -> Option<NetworkCut> {
        let travels = self.tensor.is_some() && self.tensors.iter().all(|tensor| tensor.element == "float32");
        let names = || self.tensors.iter().map(|tensor| tensor.name.clone()).collect();
        travels.then(|| NetworkCut::new(names()).ok()).flatten()
    }

    fn check(&self) -> Result<(), NetworkProfileError> {
        let wrong = |what, value, expected| NetworkProfileError::Value { cut: self.cut.clone(), what, value, expected };
        let numbers = [
            ("bytes", self.bytes),
            ("coded_bytes", self.coded_bytes.unwrap_or_default()),
            ("server_seconds", self.server_seconds),
            ("device_seconds", self.device_seconds.unwrap_or_default()),
            ("tuner_seconds", self.tuner_seconds),
            ("code_seconds", self.code_seconds),
            ("uncode_seconds", self.uncode_seconds),
        ];
        let of_batches = self.batches.iter().map(|batch| ("server_seconds", batch.server_seconds));
        let bad = numbers.into_iter().chain(of_batches).find(|(_, value)| !(0.0..=MOST).contains(value));
        if let Some((what, value)) = bad {
            return Err(wrong(what, value, "a number from 0 to 1e15"));
        }
        if self.batches.is_empty() {
            return Err(wrong("the number of batches", 0.0, "1 or more"));
        }
        match self.batches.iter().find(|batch| batch.batch == 0) {
            Some(_) => Err(wrong("batch", 0.0, "1 or more")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A profile with one cut of the recipe and one of the network.
    pub(crate) fn profile(cuts: Vec<CutCosts>) -> NetworkProfile {
        NetworkProfile {
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
            cuts,
            not_measured: Vec::new(),
            not_searched: 0,
        }
    }

    pub(crate) fn cut(name: &str, bytes: f64, [server, tuner]: [f64; 2]) -> CutCosts {
        CutCosts {
            cut: name.to_owned(),
            tensor: None,
            tensors: Vec::new(),
            bytes,
            coded_bytes: None,
            server_seconds: server,
            device_seconds: None,
            tuner_seconds: tuner,
            code_seconds: 0.0,
            uncode_seconds: 0.0,
            batches: vec![BatchCost { batch: 1, server_seconds: server }],
            memory: FrontMemory::default(),
        }
    }

    #[test]
    fn a_profile_is_read_as_it_is_written_and_refused_where_it_cannot_be() {
        let good = profile(vec![cut("encoded", 100.0, [0.0, 0.1])]);
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(NetworkProfile::parse(text.as_bytes()), Ok(good.clone()));
        let refused = |change: &dyn Fn(&mut NetworkProfile)| {
            let mut profile = good.clone();
            change(&mut profile);
            NetworkProfile::parse(serde_json::to_string(&profile).unwrap().as_bytes()).unwrap_err().to_string()
        };
        assert!(refused(&|profile| profile.format = 2).contains("format 2"));
        assert!(refused(&|profile| profile.cuts.clear()).contains("no cut"));
        assert!(refused(&|profile| profile.cuts.push(profile.cuts[0].clone())).contains("two cuts"));
        assert!(refused(&|profile| profile.cuts[0].bytes = -1.0).contains("bytes is -1"));
        assert!(refused(&|profile| profile.cuts[0].device_seconds = Some(-1.0)).contains("device_seconds is -1"));
        assert!(refused(&|profile| profile.cuts[0].batches.clear()).contains("batches"));
        assert!(refused(&|profile| profile.cuts[0].batches[0].batch = 0).contains("batch is 0"));
        assert_eq!(
            NetworkProfile::parse(&vec![b' '; MAX_NETWORK_PROFILE_BYTES + 1]),
            Err(NetworkProfileError::TooLong)
        );
        assert!(matches!(NetworkProfile::parse(b"{}"), Err(NetworkProfileError::Malformed(_))));
        assert!(matches!(NetworkProfile::parse(&text.as_bytes()[1..]), Err(NetworkProfileError::Malformed(_))));
    }
}
