//! A server that registers where it listens, for as long as it lives.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::address::ServerAddress;
use crate::error::DiscoveryError;
use crate::etcd::Etcd;
use crate::key::EtcdPrefix;

/// A server's address in etcd, under a lease: whoever looks finds it until some seconds after the server has died.
#[derive(Debug)]
pub struct Registration {
    etcd: Etcd,
    address: ServerAddress,
    prefix: EtcdPrefix,
}

/// How long a key outlives its server.
const LEASE: Duration = Duration::from_secs(15);
/// How often the lease is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// How long a server that stops waits for etcd to hear it.
const FAREWELL: Duration = Duration::from_secs(1);

// === impl Registration ===

impl Registration {
    /// Where a server registers, and as what. Nothing is asked yet.
    ///
    /// # Errors
    /// A URL that cannot be one.
    pub fn new(prefix: EtcdPrefix, address: ServerAddress) -> Result<Self, DiscoveryError> {
        Ok(Self { etcd: Etcd::new(prefix.clone())?, address, prefix })
    }

    /// Registers, and keeps registered until it is told to stop; then takes the server out. An etcd that is away is
    /// asked again, and ends nothing: the log says once that it is away, and once that it is back.
    pub async fn keep(self, stop: CancellationToken) {
        let (mut lease, mut is_away) = (None, false);
        loop {
            match self.renewed(lease).await {
                Ok(now) => {
                    if lease.is_none() || is_away {
                        tracing::info!(address = %self.address, etcd = %self.prefix, "registered");
                    }
                    (lease, is_away) = (Some(now), false);
                }
                Err(error) if !is_away => {
                    tracing::warn!("this server cannot be registered, and is asked for by those who know it: {error}");
                    is_away = true;
                }
                Err(_) => {}
            }
            if stop.run_until_cancelled(sleep(RENEW)).await.is_none() {
                break;
            }
        }
        if let Some(lease) = lease {
            // Where etcd does not hear it, the lease runs out.
            let _ = tokio::time::timeout(FAREWELL, self.etcd.revoke(lease)).await;
        }
    }

    /// A lease that lives, under which the address stands.
    async fn renewed(&self, lease: Option<i64>) -> Result<i64, DiscoveryError> {
        if let Some(lease) = lease
            && self.etcd.renew(lease).await?
        {
            return Ok(lease);
        }
        let lease = self.etcd.grant(LEASE).await?;
        let address = self.address.to_string();
        self.etcd.put(&address, &address, lease).await?;
        Ok(lease)
    }
}
