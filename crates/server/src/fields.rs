//! The fields that a call asks for, and their values for each sample.

use std::sync::Arc;

use headwater_store::Catalog;
use headwater_types::field::Record;
use headwater_types::{FieldValue, SampleIndex};
use headwater_wire::status::Invalid;

/// Fields of a catalog, in the order in which a call names them.
pub(crate) struct AskedFields {
    catalog: Arc<Catalog>,
    /// Where each is in a record.
    places: Vec<usize>,
}

// === impl AskedFields ===

impl AskedFields {
    /// The fields of these names.
    ///
    /// # Errors
    /// A name that the catalog does not have.
    pub(crate) fn new(catalog: &Arc<Catalog>, names: &[String]) -> Result<Self, Invalid> {
        let place = |name: &String| catalog.fields().place(name).map_err(|error| Invalid::new(error.to_string()));
        Ok(Self { catalog: Arc::clone(catalog), places: names.iter().map(place).collect::<Result<_, _>>()? })
    }

    /// Whether none is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The values of a sample; nothing for an index that is not in the catalog.
    pub(crate) fn of(&self, index: SampleIndex) -> Vec<FieldValue> {
        if self.places.is_empty() || index.0 >= self.catalog.len() as u64 {
            return Vec::new();
        }
        // What a catalog holds was encoded by this program. A sample whose record it could not read fails at its
        // client, which asked for values and gets none.
        let values = Record::decode(self.catalog.record(index), self.catalog.fields());
        let mut values = values.inspect_err(|error| tracing::error!(%index, %error, "a catalog's record")).ok();
        let values = values.as_mut().map(|values| self.places.iter().map(|place| std::mem::take(&mut values[*place])));
        values.map(Iterator::collect).unwrap_or_default()
    }
}
