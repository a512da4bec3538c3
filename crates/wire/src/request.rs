//! A fetch request, checked.

use headwater_types::caps::{BATCH_BYTES, MAX_FIELDS, MAX_SAMPLE_MEMORY, MAX_SAMPLES_PER_CALL};
use headwater_types::{
    Address, ByteCount, Digest, Epoch, Form, JobName, ModelName, NetworkCut, Priority, Recipe, SampleIndex, Seed, Way,
};

use crate::choice::{Choice, Epochs, Ways, each};
use crate::priority::{number_of, priority_from};
use crate::proto;
use crate::status::Invalid;
use crate::way::way_from;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// Which samples, in which order.
    pub samples: Samples,
    /// What is done to them; `None` where the cut needs none.
    pub recipe: Option<Recipe>,
    /// How samples travel.
    pub ways: Ways,
    /// Whether samples cut at `tensor` or `normalized` may travel as the u8 pixels of `flipped`.
    pub floats_as_pixels: bool,
    /// The run's seed.
    pub seed: Seed,
    /// The pass over the dataset. With the seed, it is the address of a sample's randomness.
    pub epochs: Epochs,
    /// The model for the cut `features`, and the digest that the client expects.
    pub model: Option<(ModelName, Option<Digest>)>,
    /// Where the model's network is cut, for a client that runs what lies behind; the digest is then the front's.
    pub cut: Option<NetworkCut>,
    /// Payload bytes after which a batch is closed.
    pub batch_bytes: ByteCount,
    /// Whether the CPU time of each sample is wanted.
    pub measure_cpu: bool,
    /// The longest payload that the client takes.
    pub max_payload: ByteCount,
    /// Whether features that are not finite are wanted all the same.
    pub allow_non_finite: bool,
    /// The names of the fields that are to come with each sample.
    pub fields: Vec<String>,
    /// The job that reads, where it says so.
    pub job: Option<JobName>,
    /// How much the call counts beside those of others, where memory or CPU workers are short.
    pub priority: Priority,
    /// Whether another server asks, for a client of its own.
    pub forwarded: bool,
}

/// The samples of a partition that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    /// The samples of the range `first..first + count`.
    Range {
        /// The first index.
        first: u64,
        /// The number of samples.
        count: usize,
    },
    /// The samples of these indices, in this order.
    List(Vec<u64>),
}

/// One sample of a call, as it is to travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The sample's place in the request, from 0.
    pub position: u32,
    /// The sample's index in the partition.
    pub index: SampleIndex,
    /// The way that the sample travels.
    pub way: Way,
    /// The address of its pass's randomness.
    pub address: Address,
}

// === impl Fetch ===

impl Fetch {
    /// The samples, with floats as pixels where the client takes them so.
    pub fn iter(&self) -> impl Iterator<Item = Asked> + Send + '_ {
        (0_u32..).zip(0..self.samples.len()).map(|(position, place)| {
            let way = match self.ways.get(place) {
                floats if self.floats_as_pixels && floats.cut().form() == Form::Floats => {
                    Way::raw(floats.cut().as_pixels())
                }
                way => way,
            };
            let address = Address { seed: self.seed, epoch: self.epochs.get(place) };
            Asked { position, index: self.samples.get(place), way, address }
        })
    }
}

impl TryFrom<proto::FetchRequest> for Fetch {
    type Error = Invalid;

    fn try_from(request: proto::FetchRequest) -> Result<Self, Invalid> {
        let samples = match request.samples {
            Some(proto::fetch_request::Samples::Range(range)) => Samples::range(range)?,
            Some(proto::fetch_request::Samples::List(list)) => Samples::List(list.indices),
            None => return Err(Invalid::new("the request names no samples: give a range or a list")),
        };
        if samples.len() > MAX_SAMPLES_PER_CALL {
            let message = format!("{} samples in one call are more than {MAX_SAMPLES_PER_CALL}", samples.len());
            return Err(Invalid::new(message));
        }
        let ways = match request.ways {
            Some(proto::fetch_request::Ways::Way(way)) => Ways::All(way_from(way)?),
            Some(proto::fetch_request::Ways::WayList(list)) => each("ways", list.ways, samples.len(), way_from)?,
            None => return Err(Invalid::new("the request names no way")),
        };
        let epochs = match request.epochs {
            Some(proto::fetch_request::Epochs::Epoch(epoch)) => Choice::All(Epoch(epoch)),
            Some(proto::fetch_request::Epochs::EpochList(list)) => {
                each("epochs", list.epochs, samples.len(), |epoch| Ok(Epoch(epoch)))?
            }
            None => Choice::All(Epoch::default()),
        };
        let recipe = (!request.recipe.is_empty())
            .then(|| Recipe::from_toml(&request.recipe).map_err(|error| Invalid::new(format!("recipe: {error}"))))
            .transpose()?;
        let model = (!request.model.is_empty())
            .then(|| -> Result<_, Invalid> {
                let name = request.model.parse().map_err(|error| Invalid::new(format!("{error}")))?;
                Ok((name, digest_from(&request.model_digest)?))
            })
            .transpose()?;
        if model.is_none() && ways.any(Way::is_features) {
            return Err(Invalid::new("the cut features needs a model"));
        }
        let cut = cut_from(request.cut_tensors)?;
        match &cut {
            Some(_) if model.is_none() => return Err(Invalid::new("a cut of a network needs its model")),
            None if ways.any(|way| way == Way::FEATURES_LOSSLESS) => {
                return Err(Invalid::new("features travel coded from a cut of a network only: name its tensors"));
            }
            _ => {}
        }
        if recipe.is_none() && ways.any(|way| way != Way::ENCODED && !way.is_features()) {
            return Err(Invalid::new("cuts between encoded and features need a recipe"));
        }
        if request.fields.len() > MAX_FIELDS {
            return Err(Invalid::new(format!("{} fields are more than {MAX_FIELDS}", request.fields.len())));
        }
        let job = (!request.job.is_empty()).then(|| request.job.parse());
        let job = job.transpose().map_err(|error| Invalid::new(format!("{error}")))?;
        let batch_bytes = match request.batch_bytes {
            0 => BATCH_BYTES,
            bytes => ByteCount::new(bytes.min(BATCH_BYTES.get())),
        };
        let max_payload = match request.max_payload_bytes {
            0 => MAX_SAMPLE_MEMORY,
            bytes => ByteCount::new(bytes),
        };
        Ok(Self {
            dataset: request.dataset,
            dataset_digest: digest_from(&request.dataset_digest)?,
            samples,
            recipe,
            ways,
            floats_as_pixels: request.floats_as_pixels,
            seed: Seed(request.seed),
            epochs,
            model,
            cut,
            batch_bytes,
            measure_cpu: request.measure_cpu,
            max_payload,
            allow_non_finite: request.allow_non_finite,
            fields: request.fields,
            job,
            priority: priority_from(request.priority)?,
            forwarded: request.forwarded,
        })
    }
}

impl From<Fetch> for proto::FetchRequest {
    fn from(fetch: Fetch) -> Self {
        let bytes = |digest: Option<Digest>| digest.map(|d| d.as_bytes().to_vec().into()).unwrap_or_default();
        let samples = match fetch.samples {
            Samples::Range { first, count } => {
                proto::fetch_request::Samples::Range(proto::SampleRange { first, count: count as u64 })
            }
            Samples::List(indices) => proto::fetch_request::Samples::List(proto::SampleList { indices }),
        };
        let number = |way: Way| proto::Way::from(way) as i32;
        let ways = match fetch.ways {
            Ways::All(way) => proto::fetch_request::Ways::Way(number(way)),
            Ways::Each(ways) => {
                proto::fetch_request::Ways::WayList(proto::WayList { ways: ways.into_iter().map(number).collect() })
            }
        };
        let epochs = match fetch.epochs {
            Choice::All(epoch) => proto::fetch_request::Epochs::Epoch(epoch.0),
            Choice::Each(epochs) => {
                let epochs = epochs.into_iter().map(|epoch| epoch.0).collect();
                proto::fetch_request::Epochs::EpochList(proto::EpochList { epochs })
            }
        };
        let (model, model_digest) =
            fetch.model.map(|(name, digest)| (name.as_str().to_owned(), bytes(digest))).unwrap_or_default();
        Self {
            dataset: fetch.dataset,
            dataset_digest: bytes(fetch.dataset_digest),
            samples: Some(samples),
            recipe: fetch.recipe.map(|recipe| recipe.to_toml()).unwrap_or_default(),
            ways: Some(ways),
            seed: fetch.seed.0,
            epochs: Some(epochs),
            model,
            model_digest,
            cut_tensors: fetch.cut.map(|cut| cut.tensors().to_vec()).unwrap_or_default(),
            batch_bytes: fetch.batch_bytes.get(),
            floats_as_pixels: fetch.floats_as_pixels,
            measure_cpu: fetch.measure_cpu,
            max_payload_bytes: fetch.max_payload.get(),
            allow_non_finite: fetch.allow_non_finite,
            fields: fetch.fields,
            job: fetch.job.map(|job| job.as_str().to_owned()).unwrap_or_default(),
            priority: number_of(fetch.priority),
            forwarded: fetch.forwarded,
        }
    }
}

/// The tensors of a cut; `None` where there is none.
pub(crate) fn cut_from(tensors: Vec<String>) -> Result<Option<NetworkCut>, Invalid> {
    let cut = (!tensors.is_empty()).then(|| NetworkCut::new(tensors));
    cut.transpose().map_err(|error| Invalid::new(error.to_string()))
}

pub(crate) fn digest_from(bytes: &[u8]) -> Result<Option<Digest>, Invalid> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Digest::try_from(bytes).map(Some).map_err(|error| Invalid::new(error.to_string()))
}

// === impl Samples ===

impl Samples {
    /// A range of a request, checked not to overflow.
    pub(crate) fn range(range: proto::SampleRange) -> Result<Self, Invalid> {
        let count = usize::try_from(range.count).unwrap_or(usize::MAX);
        let _end = range.first.checked_add(range.count).ok_or_else(|| Invalid::new("the range overflows"))?;
        Ok(Self::Range { first: range.first, count })
    }

    /// Every sample in order.
    pub fn iter(&self) -> impl Iterator<Item = SampleIndex> + Send + '_ {
        (0..self.len()).map(|position| self.get(position))
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Range { count, .. } => *count,
            Self::List(indices) => indices.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at a place, of those that there are.
    pub fn get(&self, position: usize) -> SampleIndex {
        match self {
            Self::Range { first, .. } => SampleIndex(first + position as u64),
            Self::List(indices) => SampleIndex(indices[position]),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::caps::MAX_REQUEST;
    use headwater_types::{Cut, PixelCoding};
    use prost::Message as _;

    use super::*;

    fn fetch(samples: Samples, ways: Ways) -> Fetch {
        Fetch {
            dataset: "d".into(),
            dataset_digest: Some(Digest::of(b"d")),
            samples,
            recipe: Recipe::builtin("imagenet-train"),
            ways,
            floats_as_pixels: true,
            seed: Seed(1),
            epochs: Choice::All(Epoch(2)),
            model: Some(("m".parse().unwrap(), None)),
            cut: Some("a,b".parse().unwrap()),
            batch_bytes: ByteCount::new(1000),
            max_payload: ByteCount::new(77),
            allow_non_finite: true,
            fields: vec!["caption".to_owned()],
            job: Some("job-1".parse().unwrap()),
            priority: Priority::High,
            forwarded: true,
            measure_cpu: true,
        }
    }

    #[test]
    fn a_request_survives_the_wire() {
        let one = fetch(Samples::Range { first: 3, count: 4 }, Ways::All(Way::raw(Cut::Flipped)));
        let lossless = Way::new(Cut::Decoded, PixelCoding::Lossless).unwrap();
        let ways = Ways::Each(vec![Way::ENCODED, Way::FEATURES, lossless]);
        let epochs = Choice::Each(vec![Epoch(3), Epoch(0), Epoch(u64::MAX)]);
        let priority = Priority::Low;
        let each = Fetch { epochs, priority, floats_as_pixels: false, ..fetch(Samples::List(vec![5, 1, 5]), ways) };
        for fetch in [one, each] {
            assert_eq!(Fetch::try_from(proto::FetchRequest::from(fetch.clone())).unwrap(), fetch);
        }
    }

    #[test]
    fn floats_travel_as_the_pixels_that_they_are_made_from_only_where_the_client_takes_those() {
        for floats in [Cut::Tensor, Cut::Normalized] {
            let as_pixels = fetch(Samples::Range { first: 0, count: 2 }, Ways::All(Way::raw(floats)));
            let as_floats = Fetch { floats_as_pixels: false, ..as_pixels.clone() };
            assert!(as_floats.iter().all(|asked| asked.way == Way::raw(floats)));
            assert!(as_pixels.iter().all(|asked| asked.way == Way::raw(Cut::Flipped)));
        }
    }

    #[test]
    fn each_sample_has_its_own_epoch_and_a_request_without_one_is_of_epoch_0() {
        let asked = fetch(Samples::List(vec![5, 5, 5]), Ways::All(Way::raw(Cut::Flipped)));
        let each = Fetch { epochs: Choice::Each(vec![Epoch(3), Epoch(4), Epoch(3)]), ..asked.clone() };
        let asked_for = |fetch: Fetch| -> Vec<_> {
            let fetch = Fetch::try_from(proto::FetchRequest::from(fetch)).unwrap();
            fetch.iter().map(|asked| (asked.position, asked.index.0, asked.address.epoch.0)).collect()
        };
        assert_eq!(asked_for(each), [(0, 5, 3), (1, 5, 4), (2, 5, 3)]);
        assert_eq!(asked_for(asked.clone()), [(0, 5, 2), (1, 5, 2), (2, 5, 2)]);
        let silent = proto::FetchRequest { epochs: None, ..asked.into() };
        assert_eq!(Fetch::try_from(silent).unwrap().epochs, Choice::All(Epoch(0)));
    }

    #[test]
    fn the_longest_request_that_is_allowed_fits_into_a_message() {
        let most = MAX_SAMPLES_PER_CALL;
        let each = Fetch {
            epochs: Choice::Each(vec![Epoch(u64::MAX); most]),
            ..fetch(
                Samples::List(vec![u64::MAX; most]),
                Ways::Each(vec![Way::new(Cut::Flipped, PixelCoding::Lossless).unwrap(); most]),
            )
        };
        let bytes = proto::FetchRequest::from(each).encoded_len() as u64;
        assert!(bytes <= MAX_REQUEST.get(), "{bytes}");
    }

    #[test]
    fn a_request_that_breaks_the_rules_is_refused() {
        type Break = fn(&mut proto::FetchRequest);
        let breaks: [Break; 19] = [
            |r| r.model = String::new(),
            |r| r.cut_tensors = vec!["a".into(), "a".into()],
            |r| (r.cut_tensors, r.ways) = (Vec::new(), Some(proto::fetch_request::Ways::Way(13))),
            |r| r.job = "a/b".into(),
            |r| r.priority = 4,
            |r| r.fields = vec![String::new(); MAX_FIELDS + 1],
            |r| r.samples = None,
            |r| r.ways = None,
            |r| r.ways = Some(proto::fetch_request::Ways::Way(9)),
            |r| r.ways = Some(proto::fetch_request::Ways::Way(14)),
            |r| r.ways = Some(proto::fetch_request::Ways::WayList(proto::WayList { ways: vec![1] })),
            |r| r.ways = Some(proto::fetch_request::Ways::WayList(proto::WayList { ways: vec![1, 14] })),
            |r| r.epochs = Some(proto::fetch_request::Epochs::EpochList(proto::EpochList { epochs: vec![1] })),
            |r| r.epochs = Some(proto::fetch_request::Epochs::EpochList(proto::EpochList { epochs: vec![1; 3] })),
            |r| r.recipe = "nonsense".into(),
            |r| r.recipe = String::new(),
            |r| r.dataset_digest = vec![1, 2].into(),
            |r| {
                let range = proto::SampleRange { first: u64::MAX, count: 2 };
                r.samples = Some(proto::fetch_request::Samples::Range(range));
            },
            |r| {
                let range = proto::SampleRange { first: 0, count: 1 << 40 };
                r.samples = Some(proto::fetch_request::Samples::Range(range));
            },
        ];
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut request = fetch(Samples::Range { first: 0, count: 2 }, Ways::All(Way::raw(Cut::Flipped))).into();
            break_it(&mut request);
            assert!(Fetch::try_from(request).is_err(), "{number}");
        }
    }
}
