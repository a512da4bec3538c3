//! How the servers of a dataset are reached, those too that come later.

use std::sync::Arc;

use headwater_access::ClientAccess;
use headwater_discovery::ServerAddress;

use crate::arriving::Arriving;
use crate::connection::Server;
use crate::error::ClientError;
use crate::throttle::Throttle;

/// How servers are reached.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) access: ClientAccess,
    /// The limit on what is received of all together.
    pub(crate) throttle: Option<Throttle>,
    pub(crate) arriving: Arc<Arriving>,
    /// Most idle connections to each.
    pub(crate) most_idle: usize,
}

// === impl Means ===

impl Means {
    /// A server at this address. It is connected to when it is first asked.
    pub(crate) fn server(&self, address: &ServerAddress) -> Result<Server, ClientError> {
        let Self { access, throttle, arriving, most_idle } = self.clone();
        Server::new(address.clone(), access, throttle, arriving, most_idle)
    }
}
