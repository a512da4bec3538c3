//! A server that has said what it serves.

use std::sync::Arc;

use crate::connection::Server;
use crate::description::Description;

/// A server that has answered.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) server: Arc<Server>,
    pub(crate) description: Description,
}
