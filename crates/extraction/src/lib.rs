//! Features out of storage servers, into a folder of tables.
//!
//! In the order in which data passes: [`Connected`] has asked every server what it has; [`Servers`] give features,
//! sample by sample; an [`Extraction`] puts them into the parts of a folder. By a plan some samples come from servers
//! as pixels, and become features here; where the network is split, they come as the tensors at a cut, which may
//! change on the way.
//!
//! Invariant: what is written is there whole or not at all, and holds each sample exactly once, whatever is killed
//! when.
//!
//! Never here: arguments, bars and summaries (`headwater-tune`), and Parquet (`headwater-tables`).

mod error;

mod arrivals;

mod ways;

mod passage;
mod passages;
mod split;

mod following;

mod connected;
mod course;
mod servers;

mod extraction;
mod gathering;

pub use arrivals::Arrivals;
pub use connected::{Connected, ServedModel};
pub use course::Inference;
pub use error::{ExtractError, PlanError, SourceError, SplitError};
pub use extraction::{Extracted, Extraction, ExtractionOptions};
pub use headwater_infer::{Devices, LocalOptions, Precision};
pub use servers::{Servers, Travelled};
pub use split::{Split, SplitTravelled};
