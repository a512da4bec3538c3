//! One row of a trace.

use headwater_types::caps::MAX_KEY_BYTES;

use super::columns::Column;
use super::error::{TraceError, TraceFault};
use super::lines::{Line, shown};

/// What the importance of a sample is multiplied with that was not picked for it: a sampler that picks by importance
/// passes over it in most epochs.
const NOT_PICKED: f32 = 0.25;
/// Most bytes of a sample: 1 TiB, so that sums of them stay far from overflowing.
const MOST_SAMPLE_BYTES: u64 = 1 << 40;
/// Most of a cost and of a loss.
const MOST_NUMBER: f32 = 1e9;

/// The fields of a row, with what stands for columns that are not there.
pub(super) struct Row<'a> {
    pub(super) key: &'a str,
    pub(super) epoch: u32,
    pub(super) epoch_text: &'a str,
    pub(super) bytes: u64,
    pub(super) cost: f32,
    loss: f32,
    picked: bool,
    reads_all: bool,
    pub(super) job: Option<&'a str>,
}

// === impl Row ===

impl<'a> Row<'a> {
    pub(super) fn read(line: &Line<'a>, columns: &[Column]) -> Result<Self, TraceError> {
        let mut row = Self {
            key: "",
            epoch: 0,
            epoch_text: line.text,
            bytes: 1,
            cost: 1.0,
            loss: 1.0,
            picked: true,
            reads_all: false,
            job: None,
        };
        let mut fields = line.text.split('\t');
        for (place, &column) in columns.iter().enumerate() {
            let Some(text) = fields.next() else {
                let fault = TraceFault::Fields { given: place, expected: columns.len() };
                return Err(line.error(&line.text[line.text.len()..], fault));
            };
            let wrong = |expected| {
                let fault = TraceFault::Value { name: column.name(), text: shown(text), expected };
                line.error(text, fault)
            };
            row.take(column, text.trim_matches(' ')).map_err(wrong)?;
        }
        match fields.next() {
            Some(surplus) => {
                let given = columns.len() + 1 + fields.count();
                Err(line.error(surplus, TraceFault::Fields { given, expected: columns.len() }))
            }
            None => Ok(row),
        }
    }

    /// What the row says about the importance of its sample.
    pub(super) fn importance(&self) -> f32 {
        if self.picked || self.reads_all { self.loss } else { self.loss * NOT_PICKED }
    }

    /// Takes a field in. The error says what should stand there.
    fn take(&mut self, column: Column, text: &'a str) -> Result<(), &'static str> {
        match column {
            Column::Epoch => {
                self.epoch = whole(text).and_then(|number| number.try_into().ok()).ok_or("an epoch from 0")?;
                self.epoch_text = text;
            }
            Column::Key => self.key = name(text)?,
            Column::Bytes => {
                let bytes = whole(text).filter(|&bytes| bytes <= MOST_SAMPLE_BYTES);
                self.bytes = bytes.ok_or("a whole number of bytes up to 1099511627776")?;
            }
            Column::Cost => self.cost = number(text)?,
            Column::Loss => self.loss = number(text)?,
            Column::Flag => self.picked = yes(text)?,
            Column::FullAccess => self.reads_all = yes(text)?,
            Column::Job => self.job = Some(name(text)?),
        }
        Ok(())
    }
}

/// Decimal digits and nothing else.
fn whole(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn number(text: &str) -> Result<f32, &'static str> {
    let value: Option<f32> = text.parse().ok();
    value.filter(|value| (0.0..=MOST_NUMBER).contains(value)).map(f32::abs).ok_or("a number from 0 to 1e9")
}

fn yes(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "true" | "True" => Ok(true),
        "0" | "false" | "False" => Ok(false),
        _ => Err("0 or 1"),
    }
}

fn name(text: &str) -> Result<&str, &'static str> {
    let fits = !text.is_empty() && text.len() <= MAX_KEY_BYTES;
    fits.then_some(text).ok_or("a name of 1 to 1024 bytes")
}
