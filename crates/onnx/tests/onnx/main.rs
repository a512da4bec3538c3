//! What the crate promises, from outside: with ONNX Runtime in Python as the oracle, and with bytes that mean harm.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod models;
#[cfg(test)]
mod support;
