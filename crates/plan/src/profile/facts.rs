//! What is known of samples beside their costs: keys, dimensions, whether they were measured.

/// What is known of one sample beside its costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleFacts<'a> {
    /// The sample's key.
    pub key: Option<&'a str>,
    /// Columns of the decoded photo.
    pub width: Option<u32>,
    /// Rows of the decoded photo.
    pub height: Option<u32>,
    /// Whether the sample's costs were measured. Otherwise they were predicted from those of other samples.
    pub measured: bool,
}

/// Facts of all samples: keys one behind the other in one text, since a million small texts would take as much again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FactTable {
    keys: String,
    /// Where each key ends. A sample without a key has an empty one.
    ends: Vec<u64>,
    /// Width and height of each sample; 0 where they are unknown.
    sizes: Vec<(u32, u32)>,
    measured: Vec<bool>,
}

// === impl FactTable ===

impl FactTable {
    pub(super) fn with_capacity(samples: usize) -> Self {
        Self {
            keys: String::new(),
            ends: Vec::with_capacity(samples),
            sizes: Vec::with_capacity(samples),
            measured: Vec::with_capacity(samples),
        }
    }

    pub(super) fn push(&mut self, facts: &SampleFacts<'_>) {
        self.keys.push_str(facts.key.unwrap_or_default());
        self.ends.push(self.keys.len() as u64);
        self.sizes.push((facts.width.unwrap_or(0), facts.height.unwrap_or(0)));
        self.measured.push(facts.measured);
    }

    pub(super) fn get(&self, index: usize) -> SampleFacts<'_> {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        let key = &self.keys[begin..self.ends[index] as usize];
        let (width, height) = self.sizes[index];
        SampleFacts {
            key: (!key.is_empty()).then_some(key),
            width: (width > 0).then_some(width),
            height: (height > 0).then_some(height),
            measured: self.measured[index],
        }
    }
}
