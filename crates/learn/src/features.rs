//! Features with their labels: what heads are trained and judged on.

use headwater_types::{ByteCount, ClassId};
use ndarray::{Array2, ArrayRef1, ArrayView1, ArrayView2};

use crate::error::LearnError;

/// Features, f32 `[n, d]` row by row, with a class each. Every number is finite and every label is a class.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureSet {
    features: Array2<f32>,
    labels: Vec<ClassId>,
    classes: usize,
}

// === impl FeatureSet ===

impl FeatureSet {
    /// An empty set of features of `dim` numbers, in `classes` classes.
    pub fn new(dim: usize, classes: usize) -> Self {
        Self { features: Array2::zeros((0, dim)), labels: Vec::new(), classes }
    }

    /// Adds a feature at the end. A feature that is refused leaves the set as it was.
    pub fn push(&mut self, feature: &[f32], label: ClassId) -> Result<(), LearnError> {
        self.check(feature, label)?;
        self.append(&ArrayView1::from(feature), label)
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Length of a feature.
    pub fn dim(&self) -> usize {
        self.features.ncols()
    }

    /// Number of classes, those without a feature included.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The labels, in the order of the features.
    pub fn labels(&self) -> &[ClassId] {
        &self.labels
    }

    /// Shows every feature with its label, in their order.
    pub fn each(&self, mut of: impl FnMut(&[f32], ClassId)) {
        for (row, label) in self.features.rows().into_iter().zip(&self.labels) {
            // Rows are whole: features are only ever appended.
            if let Some(feature) = row.as_slice() {
                of(feature, *label);
            }
        }
    }

    /// Memory that the features and labels fill.
    pub fn memory(&self) -> ByteCount {
        ByteCount::from(self.len().saturating_mul(Self::bytes_of_one(self.dim())))
    }

    /// Memory that one feature of `dim` numbers and its label fill.
    pub(crate) fn bytes_of_one(dim: usize) -> usize {
        dim.saturating_mul(size_of::<f32>()).saturating_add(size_of::<ClassId>())
    }

    /// All features, `[n, d]`.
    pub(crate) fn view(&self) -> ArrayView2<'_, f32> {
        self.features.view()
    }

    /// One feature.
    pub(crate) fn row(&self, index: usize) -> ArrayView1<'_, f32> {
        self.features.row(index)
    }

    /// The same features in other classes: each label becomes `map`'s at its place.
    ///
    /// # Errors
    /// [`LearnError::Label`] for a label that the map does not have, or that it maps past the classes.
    pub fn relabelled(mut self, map: &[ClassId], classes: usize) -> Result<Self, LearnError> {
        for label in &mut self.labels {
            let mapped = map.get(label.0 as usize).filter(|mapped| (mapped.0 as usize) < classes);
            *label = *mapped.ok_or(LearnError::Label { label: label.0, classes })?;
        }
        self.classes = classes;
        Ok(self)
    }

    /// The features `[n, d]`, and their labels.
    pub(crate) fn into_parts(self) -> (Array2<f32>, Vec<ClassId>) {
        (self.features, self.labels)
    }

    /// Whether [`FeatureSet::push`] would take this.
    pub(crate) fn check(&self, feature: &[f32], label: ClassId) -> Result<(), LearnError> {
        if feature.len() != self.dim() {
            return Err(LearnError::Dimension { expected: self.dim(), actual: feature.len() });
        }
        if label.0 as usize >= self.classes {
            return Err(LearnError::Label { label: label.0, classes: self.classes });
        }
        match feature.iter().position(|value| !value.is_finite()) {
            Some(position) => Err(LearnError::NotFinite { position, value: feature[position] }),
            None => Ok(()),
        }
    }

    /// Adds a feature, which must have passed [`FeatureSet::check`].
    pub(crate) fn append(&mut self, feature: &ArrayRef1<f32>, label: ClassId) -> Result<(), LearnError> {
        let error = LearnError::Dimension { expected: self.dim(), actual: feature.len() };
        self.features.push_row(feature.view()).map_err(|_| error)?;
        self.labels.push(label);
        Ok(())
    }

    /// Puts a feature, which must have passed [`FeatureSet::check`], in another's place.
    pub(crate) fn replace(&mut self, index: usize, feature: &ArrayRef1<f32>, label: ClassId) {
        self.features.row_mut(index).assign(feature);
        self.labels[index] = label;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_learned_from_is_refused_and_changes_nothing() {
        let mut set = FeatureSet::new(2, 3);
        set.push(&[1.0, 2.0], ClassId(2)).unwrap();
        assert_eq!(set.push(&[1.0], ClassId(0)), Err(LearnError::Dimension { expected: 2, actual: 1 }));
        assert_eq!(set.push(&[1.0, 2.0], ClassId(3)), Err(LearnError::Label { label: 3, classes: 3 }));
        let infinite = set.push(&[1.0, f32::INFINITY], ClassId(0));
        assert_eq!(infinite, Err(LearnError::NotFinite { position: 1, value: f32::INFINITY }));
        assert_eq!((set.len(), set.labels()), (1, &[ClassId(2)][..]));
        assert_eq!(set.memory(), ByteCount::new(12));
    }
}
