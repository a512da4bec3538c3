//! The parts of listings that several servers serve: each sample once, or an error that says who serves what.

mod holders;

mod error;
mod remark;

mod check;

pub use error::PartsError;
pub use holders::{Holders, Missing};

pub(crate) use check::check;
