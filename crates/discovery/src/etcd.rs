//! Calls to etcd, each with its limits: keys under a prefix, and the lease that keeps a key.

use std::time::Duration;

use tokio::time::timeout;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::address::ServerAddress;
use crate::error::DiscoveryError;
use crate::key::EtcdPrefix;
use crate::proto;
use crate::proto::kv_client::KvClient;
use crate::proto::lease_client::LeaseClient;

/// One etcd, and a prefix there.
#[derive(Clone, Debug)]
pub(crate) struct Etcd {
    prefix: EtcdPrefix,
    channel: Channel,
}

/// How long etcd is waited for.
const ANSWER: Duration = Duration::from_secs(3);
/// Most servers under one prefix.
const MOST_SERVERS: i64 = 10_000;

// === impl Etcd ===

impl Etcd {
    /// Connects when it is first asked, and again whenever it must.
    pub(crate) fn new(prefix: EtcdPrefix) -> Result<Self, DiscoveryError> {
        let endpoint = Endpoint::from_shared(prefix.url())
            .map_err(|error| DiscoveryError::Etcd { etcd: prefix.to_string(), problem: error.to_string() })?;
        let channel = endpoint.connect_timeout(ANSWER).connect_lazy();
        Ok(Self { prefix, channel })
    }

    /// The addresses of the servers that are registered, in the order of their keys.
    pub(crate) async fn addresses(&self) -> Result<Vec<ServerAddress>, DiscoveryError> {
        let (key, range_end) = self.prefix.range();
        let request = proto::RangeRequest { key, range_end, limit: MOST_SERVERS };
        let answer = self.ask(async |channel| KvClient::new(channel).range(request).await).await?;
        if answer.more {
            return Err(self.fault(format!("more than {MOST_SERVERS} keys are under the prefix")));
        }
        let address = |kv: proto::KeyValue| {
            let text = String::from_utf8_lossy(&kv.value).into_owned();
            let named = || String::from_utf8_lossy(&kv.key).into_owned();
            text.parse().map_err(|error| self.fault(format!("key {}: {error}", named())))
        };
        answer.kvs.into_iter().map(address).collect()
    }

    /// A lease of at least so long.
    pub(crate) async fn grant(&self, least: Duration) -> Result<i64, DiscoveryError> {
        let request = proto::LeaseGrantRequest { ttl: i64::try_from(least.as_secs()).unwrap_or(i64::MAX) };
        let answer = self.ask(async |channel| LeaseClient::new(channel).lease_grant(request).await).await?;
        match answer.error.is_empty() {
            true => Ok(answer.id),
            false => Err(self.fault(answer.error)),
        }
    }

    /// Puts a server's address under its name, for as long as the lease lives.
    pub(crate) async fn put(&self, name: &str, address: &str, lease: i64) -> Result<(), DiscoveryError> {
        let request = proto::PutRequest { key: self.prefix.key(name), value: address.as_bytes().to_vec(), lease };
        self.ask(async |channel| KvClient::new(channel).put(request).await).await.map(drop)
    }

    /// Renews a lease; `false` where it is gone.
    pub(crate) async fn renew(&self, lease: i64) -> Result<bool, DiscoveryError> {
        let request = tokio_stream::once(proto::LeaseKeepAliveRequest { id: lease });
        let renewed = self.ask(async |channel| {
            let mut answers = LeaseClient::new(channel).lease_keep_alive(request).await?.into_inner();
            let answer = answers.message().await?;
            Ok(tonic::Response::new(answer.is_some_and(|answer| answer.ttl > 0)))
        });
        renewed.await
    }

    /// Ends a lease, and with it what was put under it.
    pub(crate) async fn revoke(&self, lease: i64) -> Result<(), DiscoveryError> {
        let request = proto::LeaseRevokeRequest { id: lease };
        self.ask(async |channel| LeaseClient::new(channel).lease_revoke(request).await).await.map(drop)
    }

    async fn ask<T>(
        &self,
        call: impl AsyncFnOnce(Channel) -> Result<tonic::Response<T>, Status>,
    ) -> Result<T, DiscoveryError> {
        let answer = timeout(ANSWER, call(self.channel.clone())).await;
        let answer = answer.map_err(|_| self.fault(format!("etcd gave no answer in {} s", ANSWER.as_secs())))?;
        let told = |status: Status| self.fault(format!("etcd refuses or cannot be reached: {}", status.message()));
        answer.map(tonic::Response::into_inner).map_err(told)
    }

    fn fault(&self, problem: String) -> DiscoveryError {
        DiscoveryError::Etcd { etcd: self.prefix.to_string(), problem }
    }
}
