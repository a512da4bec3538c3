//! `profiler dataset | network | machine`: what there is to spend, and what samples cost.

mod accelerator;
mod dataset;
mod machine;
mod network;

pub(crate) use dataset::{DatasetArgs, dataset};
pub(crate) use machine::{MachineArgs, machine};
pub(crate) use network::{NetworkArgs, network};
