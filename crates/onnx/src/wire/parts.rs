//! A message of fields that are carried over and fields that are new.

use std::borrow::Cow;

use super::fields::Field;
use super::writer::Writer;

/// A message put together from fields that are carried over where they lie and fields that are new, and copied once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts<'a> {
    parts: Vec<Cow<'a, [u8]>>,
}

// === impl Parts ===

impl<'a> Parts<'a> {
    /// Carries a field over.
    pub(crate) fn carry(&mut self, field: &Field<'a>) {
        self.parts.push(Cow::Borrowed(field.raw));
    }

    /// Adds fields that are new.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Writer)) {
        let mut writer = Writer::default();
        write(&mut writer);
        self.parts.push(Cow::Owned(writer.finish()));
    }

    /// Adds fields that were written elsewhere.
    pub(crate) fn append(&mut self, fields: Vec<u8>) {
        self.parts.push(Cow::Owned(fields));
    }

    /// Adds a field that is itself a message put together from parts.
    pub(crate) fn nest(&mut self, number: u32, inner: Self) {
        self.write(|out| out.begin_bytes(number, inner.length()));
        self.parts.extend(inner.parts);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        self.parts.iter().for_each(|part| out.extend_from_slice(part));
        out
    }

    fn length(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }
}
