//! Where each sample of a dataset is cut: what it costs, what there is, and who decides.
//!
//! In the order in which it is used: a [`Profile`] says what each sample costs at each [way](headwater_types::Way);
//! [`Resources`] say what an epoch may use; a planner chooses a way for each sample, and its [`Plan`] is a file that
//! says so, with what it was made from and what it predicts.
//!
//! Where a network is cut between servers and the tuner, and how many servers are worth it, is planned by
//! [`partition`].
//!
//! Who trains over several unequal machines plans too: [`sync`] says how many local steps each takes in a round.
//!
//! Invariant: pure functions of their arguments. Nothing here reads a file, a clock, the network or ambient randomness,
//! or starts a thread; the same arguments give the same plan, to the bit, on every machine.

pub mod quantities;
pub mod sophon;

pub mod profile;
pub mod provenance;

pub mod import;

pub mod resources;

pub mod algorithm;
pub mod allowed;
pub mod plan;
pub mod prediction;

mod cost;
pub mod error;
pub mod planner;

pub mod explain;

pub mod partition;

pub mod sync;

pub use algorithm::Algorithm;
pub use allowed::{Allowed, AllowedError};
pub use error::{Lacking, PlanningError};
pub use explain::{ExplainError, Explanation, explain};
pub use plan::{Inputs, NoSophonNumber, Plan, PlanFileError};
pub use planner::{Mode, ModeOutcome, compare, plan};
pub use prediction::{Prediction, ResourceTime, Seconds};
pub use profile::{Cost, Profile, ProfileBuilder, ProfileError, SampleFacts, Server};
pub use provenance::{Fit, ModelStamp, Overheads, Provenance, RecipeStamp, Source, SourceFile};
pub use quantities::{Cores, SamplesPerSecond};
pub use resources::{Resource, Resources, ServerResources};
