//! In which format a labels file is.

use std::io;

use super::columns::Wanted;
use super::error::LabelsError;
use super::reading::Read;
use super::{csv, json_lines};

/// How a labels file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// From front to end.
    Lines(Lines),
    /// Column by column, by ranges.
    Parquet,
}

/// How a labels file is written that is read from front to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Csv,
    /// As CSV, with tabs.
    Tsv,
    Json,
}

// === impl Format ===

impl Format {
    /// The format of a file of this name.
    ///
    /// # Errors
    /// Names that say no format, or that of a packed file.
    pub(crate) fn of(name: &str) -> Result<Self, LabelsError> {
        let suffix = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match suffix.as_str() {
            "csv" => Ok(Self::Lines(Lines::Csv)),
            "tsv" | "tab" => Ok(Self::Lines(Lines::Tsv)),
            "jsonl" | "ndjson" => Ok(Self::Lines(Lines::Json)),
            "parquet" => Ok(Self::Parquet),
            "gz" | "zst" | "bz2" | "xz" | "zip" => Err(LabelsError::Compressed),
            _ => Err(LabelsError::Format),
        }
    }
}

// === impl Lines ===

impl Lines {
    /// Reads the table.
    ///
    /// # Errors
    /// See [`LabelsError`].
    pub(crate) fn read(self, from: impl io::Read, wanted: &Wanted) -> Result<Read, LabelsError> {
        match self {
            Self::Csv => csv::read(from, b',', wanted),
            Self::Tsv => csv::read(from, b'\t', wanted),
            Self::Json => json_lines::read(from, wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_format() {
        for (name, format) in [
            ("a/labels.csv", Format::Lines(Lines::Csv)),
            ("LABELS.CSV", Format::Lines(Lines::Csv)),
            ("labels.tsv", Format::Lines(Lines::Tsv)),
            ("metadata.jsonl", Format::Lines(Lines::Json)),
            ("labels.parquet", Format::Parquet),
        ] {
            assert_eq!(Format::of(name).unwrap(), format);
        }
        assert!(matches!(Format::of("labels.csv.gz"), Err(LabelsError::Compressed)));
        for bad in ["labels", "labels.txt", "labels.json"] {
            assert!(matches!(Format::of(bad), Err(LabelsError::Format)), "{bad}");
        }
    }
}
