//! A run's record: whose rows they are.
//!
//! ```text
//! ┌─────────┬───────┬────────┬──────────────┬────────┬───────┬────────────┬──────────────────────┐
//! │ dataset │ begun │ digest │ model_digest │ recipe │ top_k │ model      │ classes              │
//! │ 32      │ u64   │ 32     │ 32           │ 32     │ u32   │ u32, bytes │ u32, n x (u32, bytes)│
//! └─────────┴───────┴────────┴──────────────┴────────┴───────┴────────────┴──────────────────────┘
//! ```

use headwater_types::Digest;
use headwater_types::caps::{MAX_LABEL_CLASSES, MAX_LABELLER_BYTES, MAX_TOP_K};

use crate::error::LabelError;
use crate::labeller::Labeller;
use crate::seal;

const MAGIC: seal::Magic = *b"RUN\x01";

/// Whose rows a run has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) dataset: Digest,
    pub(crate) begun: u64,
    pub(crate) labeller: Labeller,
}

// === impl Record ===

impl Record {
    /// Whether it is within the limits.
    pub(crate) fn check(&self) -> Result<(), LabelError> {
        let Labeller { classes, top_k, .. } = &self.labeller;
        let names = classes.iter().map(|name| name.len() + size_of::<u32>()).sum();
        for (what, actual, most) in [
            ("classes of a labeller", classes.len(), MAX_LABEL_CLASSES),
            ("bytes of the names of a labeller's classes", names, MAX_LABELLER_BYTES),
            ("labels of a photo", *top_k as usize, MAX_TOP_K),
        ] {
            if actual > most {
                return Err(LabelError::TooLarge { what, actual, most });
            }
        }
        Ok(())
    }

    /// The value that is kept of a run.
    pub(crate) fn seal(&self, run: u32) -> Vec<u8> {
        let Labeller { model, digest, model_digest, recipe, classes, top_k } = &self.labeller;
        let mut payload = self.dataset.as_bytes().to_vec();
        payload.extend(self.begun.to_le_bytes());
        [digest, model_digest, recipe].iter().for_each(|digest| payload.extend(digest.as_bytes()));
        payload.extend(top_k.to_le_bytes());
        push_text(&mut payload, model.as_str());
        payload.extend((classes.len() as u32).to_le_bytes());
        classes.iter().for_each(|name| push_text(&mut payload, name));
        seal::seal(MAGIC, u64::from(run), &payload)
    }

    /// What was kept of a run.
    pub(crate) fn open(value: &[u8], run: u32) -> Option<Self> {
        let bytes = &mut seal::open(MAGIC, u64::from(run), value)?;
        let dataset = digest(bytes)?;
        let begun = bytes.split_off(..8)?.try_into().ok().map(u64::from_le_bytes)?;
        let [digest, model_digest, recipe] = [digest(bytes)?, digest(bytes)?, digest(bytes)?];
        let top_k = number(bytes)?;
        let model = text(bytes)?.parse().ok()?;
        let count = number(bytes)? as usize;
        let classes: Vec<_> = (0..count).map_while(|_| text(bytes).map(str::to_owned)).collect();
        let labeller = Labeller { model, digest, model_digest, recipe, classes, top_k };
        (labeller.classes.len() == count && bytes.is_empty()).then_some(Self { dataset, begun, labeller })
    }
}

fn push_text(payload: &mut Vec<u8>, text: &str) {
    payload.extend((text.len() as u32).to_le_bytes());
    payload.extend(text.as_bytes());
}

fn digest(bytes: &mut &[u8]) -> Option<Digest> {
    Digest::try_from(bytes.split_off(..32)?).ok()
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    bytes.split_off(..4)?.try_into().ok().map(u32::from_le_bytes)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = number(bytes)? as usize;
    str::from_utf8(bytes.split_off(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(classes: Vec<String>) -> Record {
        let [digest, model_digest, recipe] = [b"a", b"b", b"c"].map(|bytes| Digest::of(bytes));
        let labeller = Labeller { model: "m".parse().unwrap(), digest, model_digest, recipe, classes, top_k: 5 };
        Record { dataset: Digest::of(b"photos"), begun: 1_700_000_000, labeller }
    }

    #[test]
    fn a_record_survives_its_value_and_is_that_of_its_run() {
        for classes in [vec![], vec!["cat".to_owned(), String::new(), "chat bott\u{e9}".to_owned()]] {
            let record = record(classes);
            let value = record.seal(7);
            assert_eq!(Record::open(&value, 7), Some(record));
            assert_eq!(Record::open(&value, 8), None);
        }
    }

    #[test]
    fn a_record_of_any_length_is_whole_or_none() {
        let value = record(vec!["cat".to_owned()]).seal(7);
        let payload = &value[seal::HEAD..];
        for end in 0..payload.len() {
            assert_eq!(Record::open(&seal::seal(MAGIC, 7, &payload[..end]), 7), None, "{end}");
        }
        assert_eq!(Record::open(&seal::seal(MAGIC, 7, &[payload, &[0]].concat()), 7), None);
    }

    #[test]
    fn a_labeller_beyond_a_limit_is_refused() {
        let mut large = record(vec![String::new(); MAX_LABEL_CLASSES + 1]);
        assert!(large.check().unwrap_err().to_string().starts_with("classes of a labeller: 262145"));
        large.labeller.classes = vec!["x".repeat(MAX_LABELLER_BYTES)];
        assert!(large.check().is_err());
        large.labeller.classes.clear();
        assert!(large.check().is_ok());
        large.labeller.top_k = 65;
        assert_eq!(large.check().unwrap_err().to_string(), "labels of a photo: 65, of at most 64");
    }
}
