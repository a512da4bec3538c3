//! What the end-to-end tests have in common: the programs as processes, and the data that they run on.
//!
//! A server listens on loopback, on a port that the system gives, and is stopped by its process id. Nothing here knows
//! the programs' insides: what holds here holds for a user.

mod browser;
mod collector;
mod cuts;
mod data;
mod disk;
mod etcd;
mod generated;
mod http;
mod lab;
mod liar;
mod line;
mod logged;
mod moto;
mod npy;
mod process;
mod prometheus;
mod run;
mod server;
mod toxics;
mod user;

pub mod strain;

pub use browser::Browser;
pub use collector::{Collected, Collector};
pub use cuts::Cuts;
pub use data::{Data, Hostile};
pub use disk::SmallDisk;
pub use etcd::Etcd;
pub use generated::{check_generated, root};
pub use http::{get, get_json, get_with, send_json};
pub use lab::{Lab, Reached, counted, round};
pub use liar::{Liar, Lie};
pub use line::Line;
pub use logged::{Logged, eventually};
pub use moto::{BUCKET, Moto};
pub use npy::{Array, read_npy};
pub use process::program;
pub use prometheus::{Prometheus, prometheus_program};
pub use run::{Fetched, Run, fetch, fetch_stored, run, run_with};
pub use server::{Server, ServerOptions};
pub use toxics::{Proxy, Strain, Toxic, Trial, Upstream, Verdict};
pub use user::Unprivileged;
