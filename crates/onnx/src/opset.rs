//! Which operator sets a model imports, and which ONNX Runtime runs.

use crate::error::OnnxError;
use crate::schema::opset;
use crate::wire::fields;

/// Newest version of ONNX's own operators that ONNX Runtime 1.31 runs.
const NEWEST_OPSET: u64 = 26;
/// Oldest version that ONNX Runtime promises to run.
const OLDEST_OPSET: u64 = 7;
/// Newest version of the `ai.onnx.ml` operators.
const NEWEST_ML_OPSET: u64 = 5;

/// Refuses a model that imports no version of ONNX's own operators, or one that ONNX Runtime does not run.
pub(crate) fn check_opsets(opsets: &[(String, u64)]) -> Result<(), OnnxError> {
    let unknown = |domain: &str, version, newest| Err(OnnxError::Opset { domain: domain.to_owned(), version, newest });
    if !opsets.iter().any(|(domain, _)| is_onnx(domain)) {
        return unknown("", 0, NEWEST_OPSET);
    }
    for (domain, version) in opsets {
        match domain.as_str() {
            _ if is_onnx(domain) && !(OLDEST_OPSET..=NEWEST_OPSET).contains(version) => {
                return unknown(domain, *version, NEWEST_OPSET);
            }
            "ai.onnx.ml" if *version > NEWEST_ML_OPSET => return unknown(domain, *version, NEWEST_ML_OPSET),
            // Exporters import more than they use: an operator of another domain is refused where it stands.
            _ => {}
        }
    }
    Ok(())
}

/// Whether this is the domain of ONNX's own operators, which has two spellings.
pub(crate) fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// Reads an import: the domain, and its version.
pub(crate) fn read_opset(bytes: &[u8]) -> Result<(String, u64), OnnxError> {
    let (mut domain, mut version) = ("", 0);
    for field in fields(bytes) {
        let field = field?;
        match field.number {
            opset::DOMAIN => domain = field.text()?,
            opset::VERSION => version = field.number()?,
            _ => {}
        }
    }
    Ok((domain.to_owned(), version))
}
