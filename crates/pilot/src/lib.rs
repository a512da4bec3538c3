//! From a served dataset to its profile, and from a running epoch back to its plan.
//!
//! The items in the order of their use: [`profile`] surveys a dataset, fetches some of its samples at every way, and
//! predicts the others from what their headers say. [`network`] and [`machine`] measure what there is to spend. An
//! [`Autopilot`] watches an epoch that runs by a plan, and plans the rest anew where the epoch leaves the prediction.
//! [`Steering`] connects a pilot with a request and with what receives the request's samples. A [`SplitPilot`] says
//! where a network is cut between servers and this machine.
//!
//! A [`Target`] says what samples become: tensors, or a model's features. An implementation of [`Infer`] makes features
//! of samples that come as pixels.
//!
//! Invariant: nothing here changes a bit of any tensor. A profile, right or wrong, and a plan, good or bad, only say
//! how samples travel.
//!
//! Never here: files, and what the planners decide (`headwater-plan`).

mod error;

mod target;
mod ways;

mod headway;

mod order;
mod pick;
mod rounds;
mod statistics;

mod features;
mod model;

mod finishing;
mod measured;
mod survey;

mod clock;
mod machine;
mod network;
mod overheads;

mod profile;

mod resources;
mod watch;

mod autopilot;
mod looks;
mod replan;

mod stamp;
mod steering;

mod served_cuts;
mod splitting;

mod appraisal;
mod sketch;

pub use appraisal::{Appraisal, PROFILE_PART};
pub use autopilot::{Autopilot, AutopilotOptions, Learnt, Look, Replanned, Replanning};
pub use clock::{cpu_of_process, hostname, now_rfc3339};
pub use error::PilotError;
pub use headway::{Headway, OnProgress};
pub use looks::Looks;
pub use machine::{Machine, PHOTO, machine};
pub use network::{Link, NetworkOptions, network};
pub use order::shuffled;
pub use profile::{ProfileOptions, Samples, profile};
pub use replan::Replan;
pub use resources::resources_of;
pub use served_cuts::{ServedCost, ServedCut, ServedCuts, served_cuts};
pub use sketch::{Sketch, SketchOptions, auto, sketch, worth_a_look};
pub use splitting::{SplitChange, SplitPilot, fleet_of, servable};
pub use stamp::Stamp;
pub use steering::Steering;
pub use target::{Infer, Making, Target};
pub use watch::{Deviation, WatchOptions};
pub use ways::ways_between;
