//! `profiler dataset | network | machine`: what there is to spend, and what samples cost.

mod accelerator;
mod bars;
mod dataset;
mod machine;
mod network;

pub(crate) use bars::Bars;
pub(crate) use dataset::{DatasetArgs, dataset};
pub(crate) use machine::{MachineArgs, machine};
pub(crate) use network::{NetworkArgs, network};
