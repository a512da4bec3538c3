//! What `headwater-image` promises, one file per promise.

mod cuts;
mod support;
