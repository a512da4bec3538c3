//! What the crate promises, with a real ONNX Runtime where one is found.

#[cfg(test)]
mod batching;
#[cfg(test)]
mod classifying;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod support;
