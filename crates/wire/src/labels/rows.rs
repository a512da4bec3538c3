//! The labels of one sample, as they travel.

use headwater_types::caps::MAX_TOP_K;
use headwater_types::{ClassId, SampleKey, Scored};

use super::relabel::parsed;
use crate::proto;
use crate::status::Invalid;

/// A sample, and what a labeller says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledSample {
    /// The sample's place in the partition.
    pub index: u64,
    /// The sample's key.
    pub key: SampleKey,
    /// The photo's version, of which these labels are.
    pub version: [u8; 16],
    /// The best classes, the best first: at least one.
    pub best: Vec<Scored>,
    /// The best class by the labeller that it is compared with.
    pub before: Option<ClassId>,
}

impl From<LabelledSample> for proto::LabelledSample {
    fn from(sample: LabelledSample) -> Self {
        Self {
            index: sample.index,
            key: sample.key.as_str().to_owned(),
            version: sample.version.to_vec().into(),
            classes: sample.best.iter().map(|scored| scored.class.0).collect(),
            scores: sample.best.iter().map(|scored| scored.score).collect(),
            before: sample.before.map(|class| class.0),
        }
    }
}

impl TryFrom<proto::LabelledSample> for LabelledSample {
    type Error = Invalid;

    fn try_from(sample: proto::LabelledSample) -> Result<Self, Invalid> {
        let (classes, scores) = (sample.classes.len(), sample.scores.len());
        if classes != scores || classes == 0 || classes > MAX_TOP_K {
            return Err(Invalid::new(format!("a sample with {classes} classes and {scores} scores")));
        }
        if sample.scores.iter().any(|score| !score.is_finite()) {
            return Err(Invalid::new("a score is not a finite number"));
        }
        let version = (&sample.version[..]).try_into().map_err(|_| Invalid::new("a version is not of 16 bytes"))?;
        let best = sample.classes.into_iter().map(ClassId).zip(sample.scores);
        let best = best.map(|(class, score)| Scored { class, score }).collect();
        let before = sample.before.map(ClassId);
        Ok(Self { index: sample.index, key: parsed(&sample.key)?, version, best, before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_the_wire_and_what_breaks_the_rules_is_refused() {
        let scored = |class, score| Scored { class: ClassId(class), score };
        let best = vec![scored(7, 0.75), scored(0, 0.125)];
        let key = "a/b.jpg".parse().unwrap();
        let sample = LabelledSample { index: 3, key, version: [9; 16], best, before: Some(ClassId(1)) };
        let written = proto::LabelledSample::from(sample.clone());
        assert_eq!(LabelledSample::try_from(written.clone()), Ok(sample));
        type Break = fn(&mut proto::LabelledSample);
        let breaks: [Break; 5] = [
            |sample| sample.scores.truncate(1),
            |sample| (sample.classes, sample.scores) = (Vec::new(), Vec::new()),
            |sample| sample.scores[0] = f32::NAN,
            |sample| sample.version = vec![1; 15].into(),
            |sample| sample.key = "../x".into(),
        ];
        for break_it in breaks {
            let mut broken = written.clone();
            break_it(&mut broken);
            assert!(LabelledSample::try_from(broken).is_err());
        }
    }
}
