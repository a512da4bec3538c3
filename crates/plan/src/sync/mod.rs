//! How many local steps each of several unequal machines takes before they exchange weights, and when a round closes.
//!
//! In the order in which it is used: [`Estimates`] know what a step and an exchange cost each worker; a [`StepRule`]
//! makes a [`StepPlan`] of these costs, which fast workers fill with more steps than slow ones; a [`Deadline`] says
//! when the round closes, by who has arrived; a [`log`] is what a run writes down, and what pages are drawn from.
//!
//! Times are whole microseconds ([`Micros`]), so that the same costs give the same plan on every machine. There is no
//! clock here: a coordinator and the simulator run the same code.

mod cost;
mod micros;

mod estimates;

mod by_speed;
mod headwater;
mod paper;
mod search;
mod step_plan;

mod mode;
mod rule;

mod drift;

mod deadline;

pub mod log;

pub use by_speed::BySpeed;
pub use cost::WorkerCost;
pub use deadline::Deadline;
pub use drift::DriftLimit;
pub use estimates::Estimates;
pub use headwater::Headwater;
pub use micros::Micros;
pub use mode::{Average, Mode, RuleName, UnknownName};
pub use paper::Paper;
pub use rule::StepRule;
pub use step_plan::StepPlan;
