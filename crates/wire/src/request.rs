//! A fetch request, checked.

use headwater_types::caps::{BATCH_BYTES, MAX_SAMPLE_MEMORY, MAX_SAMPLES_PER_CALL};
use headwater_types::{Address, ByteCount, Cut, Digest, Epoch, ModelName, PixelCoding, Recipe, SampleIndex, Seed};

use crate::choice::{Choice, Cuts, Epochs, PixelCodings, each};
use crate::cut::{coding_from, coding_to, cut_from};
use crate::proto;
use crate::status::Invalid;

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
    /// How far.
    pub cuts: Cuts,
    /// How the pixels of u8 cuts may be coded.
    pub pixels: PixelCodings,
    /// Whether samples cut at `tensor` or `normalized` may travel as the u8 pixels of `flipped`.
    pub floats_as_pixels: bool,
    /// The run's seed.
    pub seed: Seed,
    /// The pass over the dataset. With the seed, it is the address of a sample's randomness.
    pub epochs: Epochs,
    /// The model for the cut `features`, and the digest that the client expects.
    pub model: Option<(ModelName, Option<Digest>)>,
    /// Payload bytes after which a batch is closed.
    pub batch_bytes: ByteCount,
    /// Whether the CPU time of each sample is wanted.
    pub measure_cpu: bool,
    /// The longest payload that the client takes.
    pub max_payload: ByteCount,
    /// Whether features that are not finite are wanted all the same.
    pub allow_non_finite: bool,
}

/// Which samples of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    /// `first..first + count`.
    Range {
        /// The first index.
        first: u64,
        /// How many.
        count: usize,
    },
    /// These.
    List(Vec<u64>),
}

/// One sample of a call, as it is to travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its place in the request, from 0.
    pub position: u32,
    /// Which.
    pub index: SampleIndex,
    /// How far the server takes it.
    pub cut: Cut,
    /// How its pixels may be coded.
    pub pixels: PixelCoding,
    /// The address of its pass's randomness.
    pub address: Address,
}

// === impl Fetch ===

impl Fetch {
    /// The samples, with floats as pixels where the client takes them so.
    pub fn iter(&self) -> impl Iterator<Item = Asked> + Send + '_ {
        (0_u32..).zip(0..self.samples.len()).map(|(position, place)| {
            let cut = match self.cuts.get(place) {
                Cut::Tensor | Cut::Normalized if self.floats_as_pixels => Cut::Flipped,
                cut => cut,
            };
            let address = Address { seed: self.seed, epoch: self.epochs.get(place) };
            Asked { position, index: self.samples.get(place), cut, pixels: self.pixels.get(place), address }
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
        let cuts = match request.cuts {
            Some(proto::fetch_request::Cuts::Cut(cut)) => Cuts::All(cut_from(cut)?),
            Some(proto::fetch_request::Cuts::CutList(list)) => each("cuts", list.cuts, samples.len(), cut_from)?,
            None => return Err(Invalid::new("the request names no cut")),
        };
        let pixels = match request.pixel_codings {
            Some(proto::fetch_request::PixelCodings::Pixels(coding)) => Choice::All(coding_from(coding)?),
            Some(proto::fetch_request::PixelCodings::PixelsList(list)) => {
                each("pixel codings", list.codings, samples.len(), coding_from)?
            }
            None => Choice::All(PixelCoding::Raw),
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
        let needs = |predicate: fn(Cut) -> bool| cuts.any(predicate);
        if model.is_none() && needs(|cut| cut == Cut::Features) {
            return Err(Invalid::new("the cut features needs a model"));
        }
        if recipe.is_none() && needs(|cut| cut != Cut::Encoded && cut != Cut::Features) {
            return Err(Invalid::new("cuts between encoded and features need a recipe"));
        }
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
            cuts,
            pixels,
            floats_as_pixels: request.floats_as_pixels,
            seed: Seed(request.seed),
            epochs,
            model,
            batch_bytes,
            measure_cpu: request.measure_cpu,
            max_payload,
            allow_non_finite: request.allow_non_finite,
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
        let number = |cut: Cut| proto::Cut::from(cut) as i32;
        let cuts = match fetch.cuts {
            Cuts::All(cut) => proto::fetch_request::Cuts::Cut(number(cut)),
            Cuts::Each(cuts) => {
                proto::fetch_request::Cuts::CutList(proto::CutList { cuts: cuts.into_iter().map(number).collect() })
            }
        };
        let coding = |coding: PixelCoding| coding_to(coding) as i32;
        let pixel_codings = match fetch.pixels {
            Choice::All(one) => proto::fetch_request::PixelCodings::Pixels(coding(one)),
            Choice::Each(each) => {
                let codings = each.into_iter().map(coding).collect();
                proto::fetch_request::PixelCodings::PixelsList(proto::PixelCodingList { codings })
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
            cuts: Some(cuts),
            seed: fetch.seed.0,
            epochs: Some(epochs),
            model,
            model_digest,
            batch_bytes: fetch.batch_bytes.get(),
            pixel_codings: Some(pixel_codings),
            floats_as_pixels: fetch.floats_as_pixels,
            measure_cpu: fetch.measure_cpu,
            max_payload_bytes: fetch.max_payload.get(),
            allow_non_finite: fetch.allow_non_finite,
        }
    }
}

pub(crate) fn digest_from(bytes: &[u8]) -> Result<Option<Digest>, Invalid> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Digest::try_from(bytes).map(Some).map_err(|error| Invalid::new(error.to_string()))
}

// === impl Samples ===

impl Samples {
    /// A range as it came.
    pub(crate) fn range(range: proto::SampleRange) -> Result<Self, Invalid> {
        let count = usize::try_from(range.count).unwrap_or(usize::MAX);
        let _end = range.first.checked_add(range.count).ok_or_else(|| Invalid::new("the range overflows"))?;
        Ok(Self::Range { first: range.first, count })
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = SampleIndex> + Send + '_ {
        (0..self.len()).map(|position| self.get(position))
    }

    /// How many.
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

    fn get(&self, position: usize) -> SampleIndex {
        match self {
            Self::Range { first, .. } => SampleIndex(first + position as u64),
            Self::List(indices) => SampleIndex(indices[position]),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::caps::MAX_REQUEST;
    use prost::Message as _;

    use super::*;

    fn fetch(samples: Samples, cuts: Cuts) -> Fetch {
        Fetch {
            dataset: "d".into(),
            dataset_digest: Some(Digest::of(b"d")),
            samples,
            recipe: Recipe::builtin("imagenet-train"),
            cuts,
            pixels: Choice::All(PixelCoding::Lossless),
            floats_as_pixels: true,
            seed: Seed(1),
            epochs: Choice::All(Epoch(2)),
            model: Some(("m".parse().unwrap(), None)),
            batch_bytes: ByteCount::new(1000),
            max_payload: ByteCount::new(77),
            allow_non_finite: true,
            measure_cpu: true,
        }
    }

    #[test]
    fn a_request_survives_the_wire() {
        let one = fetch(Samples::Range { first: 3, count: 4 }, Cuts::All(Cut::Flipped));
        let cuts = Cuts::Each(vec![Cut::Encoded, Cut::Features, Cut::Tensor]);
        let pixels = Choice::Each(vec![PixelCoding::Raw, PixelCoding::Raw, PixelCoding::Lossless]);
        let epochs = Choice::Each(vec![Epoch(3), Epoch(0), Epoch(u64::MAX)]);
        let each = Fetch { pixels, epochs, floats_as_pixels: false, ..fetch(Samples::List(vec![5, 1, 5]), cuts) };
        for fetch in [one, each] {
            assert_eq!(Fetch::try_from(proto::FetchRequest::from(fetch.clone())).unwrap(), fetch);
        }
    }

    #[test]
    fn who_knows_nothing_of_codings_gets_what_it_asked_for_a_byte_each() {
        let asked = fetch(Samples::Range { first: 0, count: 2 }, Cuts::All(Cut::Normalized));
        let old = proto::FetchRequest { pixel_codings: None, floats_as_pixels: false, ..asked.clone().into() };
        for sample in Fetch::try_from(old).unwrap().iter() {
            assert_eq!((sample.cut, sample.pixels), (Cut::Normalized, PixelCoding::Raw));
        }
        assert!(asked.iter().all(|sample| sample.cut == Cut::Flipped), "it may travel as pixels");
    }

    #[test]
    fn each_sample_has_its_own_epoch_and_a_request_without_one_is_of_epoch_0() {
        let asked = fetch(Samples::List(vec![5, 5, 5]), Cuts::All(Cut::Flipped));
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
            pixels: Choice::Each(vec![PixelCoding::Lossless; most]),
            epochs: Choice::Each(vec![Epoch(u64::MAX); most]),
            ..fetch(Samples::List(vec![u64::MAX; most]), Cuts::Each(vec![Cut::Features; most]))
        };
        let bytes = proto::FetchRequest::from(each).encoded_len() as u64;
        assert!(bytes <= MAX_REQUEST.get(), "{bytes}");
    }

    #[test]
    fn a_request_that_breaks_the_rules_is_refused() {
        type Break = fn(&mut proto::FetchRequest);
        let breaks: [Break; 13] = [
            |r| r.samples = None,
            |r| r.cuts = None,
            |r| r.cuts = Some(proto::fetch_request::Cuts::Cut(9)),
            |r| r.cuts = Some(proto::fetch_request::Cuts::CutList(proto::CutList { cuts: vec![1] })),
            |r| r.pixel_codings = Some(proto::fetch_request::PixelCodings::Pixels(3)),
            |r| {
                let codings = proto::PixelCodingList { codings: vec![1] };
                r.pixel_codings = Some(proto::fetch_request::PixelCodings::PixelsList(codings));
            },
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
            let mut request = fetch(Samples::Range { first: 0, count: 2 }, Cuts::All(Cut::Flipped)).into();
            break_it(&mut request);
            assert!(Fetch::try_from(request).is_err(), "{number}");
        }
    }
}
