//! An epoch's report, read back from its file.

use std::path::Path;

use headwater_cli::input::read_at_most;
use headwater_plan::Prediction;
use serde::{Deserialize, Serialize};

use crate::comparison::{Comparison, PredictedMeasured};
use crate::error::{EpochFileError, MAX_REPORT_BYTES};

/// The part of an epoch's report that is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochFile {
    /// How samples travelled.
    pub mode: String,
    /// Wall time.
    pub seconds: f64,
    /// Payloads with their envelopes.
    pub bytes_received: u64,
    /// CPU seconds of the servers' CPU workers.
    pub storage_cpu_seconds: f64,
    /// CPU seconds of the process that streamed the epoch.
    pub client_cpu_seconds: f64,
    /// Predicted and measured, by resource.
    pub compared: Comparison,
}

// === impl EpochFile ===

impl EpochFile {
    /// Reads what `profiler epoch --json` printed.
    ///
    /// # Errors
    /// [`EpochFileError`]: the file cannot be read, is too long, or is no report of an epoch.
    pub fn read(path: &Path) -> Result<Self, EpochFileError> {
        let shown = || path.display().to_string();
        let text =
            read_at_most(path, MAX_REPORT_BYTES).map_err(|source| EpochFileError::Read { path: shown(), source })?;
        if text.len() as u64 > MAX_REPORT_BYTES {
            return Err(EpochFileError::TooLong { path: shown() });
        }
        Self::parse(&text).map_err(|source| EpochFileError::Form { path: shown(), source })
    }

    /// Reads a report from its text.
    ///
    /// # Errors
    /// Text that is no report of an epoch.
    pub fn parse(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// The measurements of this epoch, held against another prediction.
    pub fn against(self, prediction: &Prediction) -> Self {
        let seconds = prediction.seconds();
        let pair = |predicted: f64, pair: PredictedMeasured| PredictedMeasured::new(Some(predicted), pair.measured);
        let compared = Comparison {
            epoch: pair(seconds.epoch, self.compared.epoch),
            network: pair(seconds.network, self.compared.network),
            storage_cpu: pair(seconds.storage_cpu, self.compared.storage_cpu),
            trainer_cpu: pair(seconds.trainer_cpu, self.compared.trainer_cpu),
            accelerator: pair(seconds.accelerator, self.compared.accelerator),
            bytes: pair(prediction.bytes as f64, self.compared.bytes),
        };
        Self { compared, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epoch.json");
        for (text, words) in
            [("", "EOF"), ("{}", "missing field"), ("{\"mode\": 3}", "invalid type"), ("[1]", "line 1")]
        {
            std::fs::write(&path, text).unwrap();
            let error = EpochFile::read(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("profiler epoch"), "{error}");
        }
        std::fs::write(&path, vec![b' '; MAX_REPORT_BYTES as usize + 1]).unwrap();
        assert!(matches!(EpochFile::read(&path), Err(EpochFileError::TooLong { .. })));
        assert!(matches!(EpochFile::read(folder.path()), Err(EpochFileError::Read { .. })));
    }

    #[test]
    fn the_fuzzers_reports_are_read_or_refused() {
        let is_report = |text: &[u8]| EpochFile::parse(text).is_ok_and(|epoch| !epoch.compared.to_string().is_empty());
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/epoch_report");
        let paths: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(paths.len() >= 3);
        for path in paths {
            let text = std::fs::read(&path).unwrap();
            let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
            assert_eq!(is_report(&text), !bad, "{}", path.display());
            let end = text.trim_ascii_end().len();
            (0..end).for_each(|cut| assert!(!is_report(&text[..cut]), "{} cut at {cut}", path.display()));
        }
    }

    #[test]
    fn a_report_is_read_and_held_against_what_was_predicted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epoch.json");
        let compared = Comparison { epoch: PredictedMeasured::new(Some(2.0), Some(2.2)), ..Comparison::default() };
        let text = serde_json::json!({
            "mode": "optimal", "seconds": 2.2, "bytes_received": 7, "storage_cpu_seconds": 0.5,
            "client_cpu_seconds": 1.0, "compared": compared, "more": "is left alone",
        });
        std::fs::write(&path, text.to_string()).unwrap();
        let epoch = EpochFile::read(&path).unwrap();
        assert!((epoch.compared.epoch.error.unwrap() - 0.1).abs() < 1e-9);
        assert!(epoch.compared.to_string().contains("+10.0 %"), "{}", epoch.compared);
    }
}
