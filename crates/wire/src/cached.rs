//! Which samples a server has in its cache, as it travels: a bit for each.

use headwater_types::Digest;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;

use crate::proto;
use crate::request::{Samples, digest_from};
use crate::status::Invalid;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedQuery {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// Which samples.
    pub samples: Samples,
}

// === impl CachedQuery ===

impl TryFrom<proto::CachedRequest> for CachedQuery {
    type Error = Invalid;

    fn try_from(request: proto::CachedRequest) -> Result<Self, Invalid> {
        let samples = match request.samples {
            Some(proto::cached_request::Samples::Range(range)) => Samples::range(range)?,
            Some(proto::cached_request::Samples::List(list)) => Samples::List(list.indices),
            None => return Err(Invalid::new("the request names no samples: give a range or a list")),
        };
        if samples.len() > MAX_SAMPLES_PER_CALL {
            let message = format!("{} samples in one call are more than {MAX_SAMPLES_PER_CALL}", samples.len());
            return Err(Invalid::new(message));
        }
        Ok(Self { dataset: request.dataset, dataset_digest: digest_from(&request.dataset_digest)?, samples })
    }
}

impl From<CachedQuery> for proto::CachedRequest {
    fn from(query: CachedQuery) -> Self {
        let samples = match query.samples {
            Samples::Range { first, count } => {
                proto::cached_request::Samples::Range(proto::SampleRange { first, count: count as u64 })
            }
            Samples::List(indices) => proto::cached_request::Samples::List(proto::SampleList { indices }),
        };
        let digest = query.dataset_digest.map(|digest| digest.as_bytes().to_vec().into());
        Self { dataset: query.dataset, dataset_digest: digest.unwrap_or_default(), samples: Some(samples) }
    }
}

/// Bits, the lowest of each byte first.
pub fn to_bits(flags: impl IntoIterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, flag) in flags.into_iter().enumerate() {
        if place % 8 == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(flag) << (place % 8);
        }
    }
    bytes
}

/// So many flags of such bits.
///
/// # Errors
/// Bytes that are more or fewer than those flags take.
pub fn from_bits(bytes: &[u8], count: usize) -> Result<Vec<bool>, Invalid> {
    if bytes.len() != count.div_ceil(8) {
        return Err(Invalid::new(format!("{} bytes are not the flags of {count} samples", bytes.len())));
    }
    let flags = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    Ok(flags.take(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_the_wire() {
        for count in [0, 1, 7, 8, 9, 64, 65] {
            let flags: Vec<_> = (0..count).map(|place| place % 3 == 1).collect();
            let bits = to_bits(flags.iter().copied());
            assert_eq!(from_bits(&bits, count).unwrap(), flags);
            assert!(from_bits(&bits, count + 8).is_err());
        }
    }

    #[test]
    fn a_query_survives_the_wire_and_what_breaks_the_rules_is_refused() {
        for samples in [Samples::Range { first: 3, count: 4 }, Samples::List(vec![5, 1])] {
            let query = CachedQuery { dataset: "d".into(), dataset_digest: Some(Digest::of(b"d")), samples };
            assert_eq!(CachedQuery::try_from(proto::CachedRequest::from(query.clone())).unwrap(), query);
        }
        assert!(CachedQuery::try_from(proto::CachedRequest::default()).is_err());
        let many = Samples::Range { first: 0, count: MAX_SAMPLES_PER_CALL + 1 };
        let many = CachedQuery { dataset: "d".into(), dataset_digest: None, samples: many };
        assert!(CachedQuery::try_from(proto::CachedRequest::from(many)).is_err());
    }
}
