//! The crate's promises, tested from outside with ONNX Runtime in Python as the oracle, and with hostile bytes.

#[cfg(test)]
mod halves;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod models;
#[cfg(test)]
mod support;
