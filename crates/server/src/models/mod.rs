//! The models of a server: those of its settings, and versions that were pushed while it ran.
//!
//! ```text
//! settings ─┐                        ┌─▶ Active: models, heads ─▶ calls, each with the one that it found
//! versions ─┴─▶ choice ─▶ opening ───┤
//! others ─▶ catching up ─┐
//! push ─▶ begun ─▶ versions ─▶ activate, roll back ─▶ opening ─▶ record ─▶ the next Active
//! ```
//!
//! Invariants: what serves is exchanged as a whole, between two calls; a call keeps what it found. A client that has
//! described a model gets that one or a refusal, never another: one that was replaced is held for clients that began
//! with it. The front of a cut network is opened when it is first asked for, and known by the model and the cut; the
//! digest says which. A version is opened and run before the record names it. What the settings name later counts more.

mod active;
mod begun;
mod choice;
mod former;
mod fronts;
mod opening;
mod settings;

mod registry;

mod offers;
mod pushes;
mod start;

mod catching;

pub(crate) use catching::CatchingUp;
pub(crate) use opening::{Opening, recipe};
pub(crate) use registry::Models;
pub(crate) use settings::Settings;
pub(crate) use start::{open_store, start};
