//! What `headwater-image` promises, one file per promise.

mod corpus;
mod cuts;
mod data;
mod hostile;
mod pillow;
mod support;
