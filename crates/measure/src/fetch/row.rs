//! A line of `samples.jsonl`: what a sample is, and what was done to it.

use headwater_client::Delivered;
use headwater_types::{Cut, FailureKind, FieldValue, Framing, PixelCoding, SampleFailure, Size};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// One sample. `width` to `flip` are null where it failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct SampleRow {
    pub(super) index: u64,
    pub(super) key: Option<String>,
    /// The class's name.
    pub(super) label: Option<String>,
    /// Columns of the decoded photo.
    pub(super) width: Option<u32>,
    /// Rows of the decoded photo.
    pub(super) height: Option<u32>,
    /// The part of the photo that became the output: left, top, width, height in its pixels; whole where they are.
    #[serde(rename = "box")]
    pub(super) region: Option<[Number; 4]>,
    pub(super) flip: Option<bool>,
    pub(super) error: Option<RowError>,
    /// Not written where nobody asked for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<FieldsOf>,
    /// Not written where nobody asked for it.
    #[serde(flatten)]
    pub(super) wire: Option<Wire>,
}

/// The values of a sample's fields, by name; null where it has none, or a number that JSON does not have.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct FieldsOf(Map<String, Value>);

/// How a sample travelled. All null where nothing came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Wire {
    /// Payload bytes.
    pub(super) wire_bytes: Option<u64>,
    /// The cut at which it came: `flipped` where floats travel as pixels, `encoded` where a photo has no `jpeg-crop`.
    pub(super) wire_cut: Option<Cut>,
    /// How its pixels were coded; null at cuts that are not u8 pixels.
    pub(super) coding: Option<PixelCoding>,
}

/// Why there is no array.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct RowError {
    #[serde(serialize_with = "name")]
    pub(super) kind: FailureKind,
    pub(super) message: String,
}

/// A number that is written without a point where it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn name<S: Serializer>(kind: &FailureKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

// === impl SampleRow ===

impl SampleRow {
    /// A sample of which nothing more is known yet.
    pub(super) fn new(index: u64, key: Option<String>, label: Option<String>) -> Self {
        Self {
            index,
            key,
            label,
            width: None,
            height: None,
            region: None,
            flip: None,
            error: None,
            fields: None,
            wire: None,
        }
    }

    pub(super) fn with(self, fields: Option<FieldsOf>) -> Self {
        Self { fields, ..self }
    }

    pub(super) fn travelled(self, wire: Option<Wire>) -> Self {
        Self { wire, ..self }
    }

    pub(super) fn framed(self, source: Size, framing: &Framing) -> Self {
        let region = framing.region;
        Self {
            width: Some(source.width),
            height: Some(source.height),
            region: Some([region.x, region.y, region.width, region.height].map(Number::from)),
            flip: Some(framing.flip),
            ..self
        }
    }

    pub(super) fn failed(self, failure: SampleFailure) -> Self {
        let error = RowError { kind: failure.kind, message: failure.message };
        Self { error: Some(error), ..self }
    }
}

// === impl FieldsOf ===

impl FieldsOf {
    /// The values of these fields, of which a sample that no server gave has none; `None` where no field was asked for.
    pub(super) fn new(names: &[String], values: Vec<FieldValue>) -> Option<Self> {
        let values = values.into_iter().map(Self::value).chain(std::iter::repeat(Value::Null));
        (!names.is_empty()).then(|| Self(names.iter().cloned().zip(values).collect()))
    }

    fn value(value: FieldValue) -> Value {
        match value {
            FieldValue::Absent => Value::Null,
            FieldValue::Integer(whole) => whole.into(),
            FieldValue::Number(number) => number.into(),
            FieldValue::Text(text) => text.into(),
            FieldValue::Integers(list) => list.into(),
            FieldValue::Numbers(list) => list.into(),
        }
    }
}

// === impl Wire ===

impl Wire {
    pub(super) fn of(outcome: &Result<Delivered, SampleFailure>) -> Self {
        let Ok(delivered) = outcome else { return Self::default() };
        Self {
            wire_bytes: Some(delivered.payload.len() as u64),
            wire_cut: Some(delivered.way.cut()),
            coding: delivered.way.cut().is_rgb().then_some(delivered.way.pixels()),
        }
    }
}

// === impl Number ===

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        // Up to 2^53 every whole number has a float of its own; pixels end long before.
        if value.fract() == 0.0 && value.abs() < 9e15 { Self::Whole(value as i64) } else { Self::Real(value) }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{Address, Draws, Recipe};

    use super::*;

    fn json(row: &SampleRow) -> String {
        serde_json::to_string(row).unwrap()
    }

    #[test]
    fn a_row_says_what_was_done_in_whole_pixels_where_they_are_whole() {
        let row = || SampleRow::new(7, Some("red/a.jpg".into()), Some("red".into()));
        let (key, source) = ("red/a.jpg".parse().unwrap(), Size { width: 1024, height: 703 });
        let draws = Draws { address: Address::new(1, 0), key: &key };
        let framing = |recipe| Framing::new(Recipe::builtin(recipe).unwrap().stages(), source, &draws);
        assert_eq!(
            json(&row().framed(source, &framing("mobilenet-eval"))),
            concat!(
                r#"{"index":7,"key":"red/a.jpg","label":"red","width":1024,"height":703,"#,
                r#""box":[204.4375,43.9375,615.125,615.125],"flip":false,"error":null}"#
            )
        );
        let crop = framing("imagenet-train").readable;
        let whole = format!("\"box\":[{},{},{},{}]", crop.x, crop.y, crop.width, crop.height);
        let row_of_crop = json(&row().framed(source, &framing("imagenet-train")));
        assert!(row_of_crop.contains(&whole), "{whole} in {row_of_crop}");
        assert_eq!(
            json(&SampleRow::new(9, None, None).failed(SampleFailure::new(FailureKind::NotFound, "gone"))),
            concat!(
                r#"{"index":9,"key":null,"label":null,"width":null,"height":null,"box":null,"flip":null,"#,
                r#""error":{"kind":"not-found","message":"gone"}}"#
            )
        );
        let names = ["caption", "score", "tags"].map(str::to_owned);
        let values = vec![FieldValue::Text("a cat".into()), FieldValue::Number(f64::NAN)];
        let with = json(&row().with(FieldsOf::new(&names, values)));
        assert!(with.ends_with(r#""error":null,"fields":{"caption":"a cat","score":null,"tags":null}}"#), "{with}");
        assert_eq!(FieldsOf::new(&[], Vec::new()), None);
        let wire = Wire { wire_bytes: Some(7), wire_cut: Some(Cut::JpegCrop), coding: None };
        let travelled = json(&row().travelled(Some(wire)));
        assert!(travelled.ends_with(r#""wire_bytes":7,"wire_cut":"jpeg-crop","coding":null}"#), "{travelled}");
    }
}
